"""What Application Auto Scaling tries out in the name of who registers a target is granted for that.

Application Auto Scaling user guide, "Permissions validation for Application Auto Scaling API calls on
target resources", and "Permissions required for API actions on target services and CloudWatch".
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.test_least_privilege import as_list, role_of

TRIED = {
    "cloudwatch:DeleteAlarms",
    "cloudwatch:PutMetricAlarm",
    "lambda:DeleteProvisionedConcurrencyConfig",
    "lambda:PutProvisionedConcurrencyConfig",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
}
READ = {
    "cloudwatch:DescribeAlarms",
    "lambda:GetProvisionedConcurrencyConfig",
    "sagemaker:DescribeEndpoint",
}
THROUGH_A_SERVICE = {"Bool": {"aws:ViaAWSService": "true"}}
OPTED_IN = {
    "StringEquals": {"aws:ResourceTag/ml-remediation:provisioned-concurrency": ["approve", "act"]}
}


@pytest.fixture(scope="module")
def role(resources) -> list[dict[str, Any]]:
    return role_of(resources, "provisioned_concurrency")


def of(role: list[dict[str, Any]], condition: Any) -> set[str]:
    """The actions granted under a condition, None for those under none."""
    return {
        action
        for each in role
        if each.get("Condition") == condition
        for action in as_list(each["Action"])
    }


def test_what_is_tried_out_needs_no_tag_and_comes_through_a_service_only(role):
    assert of(role, THROUGH_A_SERVICE) == TRIED
    assert of(role, None) >= READ
    assert of(role, None).isdisjoint(TRIED)


def test_the_function_itself_writes_only_to_what_opts_in(role):
    assert of(role, OPTED_IN) == {
        "lambda:DeleteProvisionedConcurrencyConfig",
        "lambda:PutProvisionedConcurrencyConfig",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
    }
