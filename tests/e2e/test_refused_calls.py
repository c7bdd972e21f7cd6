"""A call that AWS refuses is an event on the bus, as CloudTrail brings it there."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from local.pocket import Pocket
from tests.cloud.hosting import refused
from tests.e2e.probe import a_queue, queue_policy, received

pytestmark = [pytest.mark.e2e, pytest.mark.allow_hosts(["127.0.0.1"])]


def test_a_launch_beyond_the_quota_reaches_a_rule(pocket: Pocket) -> None:
    url, queue = a_queue(pocket, queue_policy("events.amazonaws.com"))
    token, events = uuid4().hex, pocket.client("events")
    pattern = {
        "source": ["aws.ec2"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "errorCode": ["Client.VcpuLimitExceeded"],
            "requestParameters": {"clientToken": [token]},
        },
    }
    events.put_rule(Name=f"r-{token}", EventPattern=json.dumps(pattern))
    events.put_targets(Rule=f"r-{token}", Targets=[{"Id": "1", "Arn": queue}])
    ec2 = pocket.client("ec2")
    owned = ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])
    code, message = refused(
        ec2.run_instances,
        ImageId=owned["Images"][0]["ImageId"],
        InstanceType="p5.48xlarge",
        MinCount=1,
        MaxCount=1,
        ClientToken=token,
    )
    assert code == "VcpuLimitExceeded"
    detail = received(pocket, url)["detail"]
    assert detail["errorMessage"] == message
    assert detail["requestParameters"]["instanceType"] == "p5.48xlarge"
    assert detail["userIdentity"]["type"] == "IAMUser"
