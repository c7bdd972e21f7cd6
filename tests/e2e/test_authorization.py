"""Deployed functions may do what their roles allow, which `tests/pocket/test_authorization.py` states
rule by rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.pocket import Pocket
from tests.e2e.probe import REGION, Probe, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.allow_hosts(["127.0.0.1"])]

TURN = [f"lambda:{verb}ProvisionedConcurrencyConfig" for verb in ("Put", "Get", "Delete")]
WATCH = [f"cloudwatch:{verb}" for verb in ("PutMetricAlarm", "DescribeAlarms", "DeleteAlarms")]
OPTED_IN = {"StringEquals": {"aws:ResourceTag/team": "search"}}


class Role:
    """The role of a probe, and the credentials that the probe has from it."""

    def __init__(self, pocket: Pocket, probe: Probe) -> None:
        self.pocket, self.probe = pocket, probe
        self.name, self.iam = f"{probe.name}-role", pocket.client("iam")
        self.held = probe.invoke(do="environment")

    def allow(self, *statements: dict[str, Any]) -> None:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        self.iam.put_role_policy(
            RoleName=self.name, PolicyName="rights", PolicyDocument=json.dumps(document)
        )

    def client(self, service: str) -> Any:
        session: Any = boto3.Session()
        return session.client(
            service,
            region_name=REGION,
            endpoint_url=self.pocket.endpoint_url,
            aws_access_key_id=self.held["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.held["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=self.held["AWS_SESSION_TOKEN"],
        )


@pytest.fixture
def role(pocket: Pocket, probe: Probe) -> Iterator[Role]:
    """The probe's role, which allows nothing; the probe has the alias `live`."""
    functions = pocket.client("lambda")
    functions.get_waiter("function_updated_v2").wait(FunctionName=probe.name)
    version = functions.publish_version(FunctionName=probe.name)["Version"]
    functions.create_alias(FunctionName=probe.name, Name="live", FunctionVersion=version)
    role = Role(pocket, probe)
    trust = {"Version": "2012-10-17", "Statement": []}
    role.iam.create_role(RoleName=role.name, AssumeRolePolicyDocument=json.dumps(trust))
    yield role
    for name in role.iam.list_role_policies(RoleName=role.name)["PolicyNames"]:
        role.iam.delete_role_policy(RoleName=role.name, PolicyName=name)
    role.iam.delete_role(RoleName=role.name)


def allowing(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def code(call: Any, **arguments: Any) -> str:
    """The code that a call is refused with, empty when it is not."""
    try:
        call(**arguments)
    except ClientError as refusal:
        return str(refusal.response["Error"]["Code"])
    return ""


def test_a_tag_on_the_function_opens_its_alias(pocket: Pocket, role: Role) -> None:
    role.allow(allowing(TURN[0], Condition=OPTED_IN))
    put = role.client("lambda").put_provisioned_concurrency_config
    asked = {"FunctionName": role.probe.name, "Qualifier": "live"}
    more = {**asked, "ProvisionedConcurrentExecutions": 1}
    assert eventually(lambda: code(put, **more)) == "AccessDeniedException"
    functions = pocket.client("lambda")
    functions.tag_resource(Resource=role.probe.arn, Tags={"team": "search"})
    assert code(put, **more) == ""
    assert code(role.client("lambda").get_alias, FunctionName=role.probe.name, Name="live") == (
        "AccessDeniedException"
    )


def test_registering_an_alias_takes_lambdas_rights_too(pocket: Pocket, role: Role) -> None:
    pocket.client("lambda").tag_resource(Resource=role.probe.arn, Tags={"team": "search"})
    place = {
        "ServiceNamespace": "lambda",
        "ResourceId": f"function:{role.probe.name}:live",
        "ScalableDimension": "lambda:function:ProvisionedConcurrency",
    }
    scaling = role.client("application-autoscaling")
    only_lambda = {"application-autoscaling:service-namespace": "lambda"}
    register = "application-autoscaling:RegisterScalableTarget"
    own = allowing(register, Condition={"StringEquals": only_lambda})

    def registered() -> str:
        return code(scaling.register_scalable_target, **place, MinCapacity=0, MaxCapacity=2)

    assert registered() == "AccessDeniedException"
    role.allow(own, allowing(*WATCH))
    assert eventually(lambda: registered() == "ValidationException")
    role.allow(own, allowing(*WATCH), allowing(*TURN, Condition=OPTED_IN))
    assert eventually(lambda: registered() == "")
    pocket.client("application-autoscaling").deregister_scalable_target(**place)


def test_a_kind_of_denial_for_each_protocol(role: Role) -> None:
    role.allow(allowing("sqs:SendMessage"))
    groups, servers = role.client("autoscaling"), role.client("ec2")
    assert eventually(lambda: code(groups.describe_auto_scaling_groups) == "AccessDenied")
    assert code(servers.describe_instances) == "UnauthorizedOperation"
    assert code(role.client("cloudwatch").describe_alarms) == "AccessDeniedException"
    assert code(role.client("sts").get_caller_identity) == ""
