"""What SageMaker tells EventBridge about an endpoint.

Source: SageMaker developer guide, automating-sagemaker-with-eventbridge.
"""

from __future__ import annotations

from local.cloud import WORLD
from tests.cloud.conftest import Account
from tests.cloud.hosting import BLUE_GREEN, configure, stand_up

WISH = [{"VariantName": "blue", "DesiredWeight": 1}, {"VariantName": "green", "DesiredWeight": 0}]


def test_each_change_of_state_is_announced_in_upper_case(account: Account) -> None:
    sagemaker = account.client("sagemaker")
    configure(sagemaker, BLUE_GREEN)
    sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="config")
    account.wait(WORLD.durations.endpoint_create)
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=WISH
    )
    account.wait(WORLD.durations.weights_update)
    sagemaker.delete_endpoint(EndpointName="shop")
    statuses = [event["detail"]["EndpointStatus"] for event in account.events]
    assert statuses == ["CREATING", "IN_SERVICE", "UPDATING", "IN_SERVICE", "DELETING"]


def test_the_event_has_the_shape_of_the_documented_sample(account: Account) -> None:
    sagemaker = account.client("sagemaker")
    configure(sagemaker, BLUE_GREEN)
    sagemaker.create_endpoint(
        EndpointName="Shop", EndpointConfigName="config", Tags=[{"Key": "team", "Value": "a"}]
    )
    arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/shop"
    [event] = account.events
    assert len(event["id"]) == 36
    assert event == {
        "version": "0",
        "id": event["id"],
        "detail-type": "SageMaker Endpoint State Change",
        "source": "aws.sagemaker",
        "account": "123456789012",
        "time": "2026-03-02T12:00:00Z",
        "region": "us-east-1",
        "resources": [arn],
        "detail": {
            "EndpointName": "Shop",
            "EndpointArn": arn,
            "EndpointConfigName": "config",
            "ProductionVariants": [
                {"DesiredWeight": 0.9, "DesiredInstanceCount": 3.0},
                {"DesiredWeight": 0.1, "DesiredInstanceCount": 1.0},
            ],
            "EndpointStatus": "CREATING",
            "CreationTime": 1772452800000.0,
            "LastModifiedTime": 1772452800000.0,
            "Tags": {"team": "a"},
        },
    }


def test_a_change_may_be_announced_more_than_once(account: Account) -> None:
    sagemaker = stand_up(account)
    WORLD.switches.duplicate_events = True
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=WISH
    )
    first, second = account.events
    assert first["detail"] == second["detail"]
    assert first["id"] != second["id"]
