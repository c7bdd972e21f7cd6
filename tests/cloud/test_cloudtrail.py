"""What CloudTrail tells EventBridge of API calls that were refused.

Sources: EventBridge user guide, "AWS service events delivered via AWS CloudTrail"; CloudTrail
user guide, "CloudTrail record contents" and "CloudTrail userIdentity element".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from local.cloud import WORLD, cloudtrail
from local.cloud.cloudtrail import Call
from tests.cloud.conftest import Account
from tests.cloud.hosting import refused, stand_up

EC2 = botocore.session.get_session().get_service_model("ec2")


def told(account: Account) -> list[Any]:
    return [each for each in account.events if each["detail-type"] == "AWS API Call via CloudTrail"]


def test_a_refused_call_is_told_with_what_was_asked_and_why_not(account: Account) -> None:
    sagemaker = stand_up(account)
    code, message = refused(
        sagemaker.create_endpoint, EndpointName="shop", EndpointConfigName="config"
    )
    [event] = told(account)
    detail = event["detail"]
    assert event == {
        "version": "0",
        "id": event["id"],
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.sagemaker",
        "account": "123456789012",
        "time": "2026-03-02T12:00:05Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "eventVersion": "1.09",
            "userIdentity": detail["userIdentity"],
            "eventTime": "2026-03-02T12:00:05Z",
            "eventSource": "sagemaker.amazonaws.com",
            "eventName": "CreateEndpoint",
            "awsRegion": "us-east-1",
            "sourceIPAddress": "127.0.0.1",
            "userAgent": detail["userAgent"],
            "errorCode": code,
            "errorMessage": message,
            "requestParameters": {"endpointName": "shop", "endpointConfigName": "config"},
            "responseElements": None,
            "requestID": detail["requestID"],
            "eventID": detail["eventID"],
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": "123456789012",
            "eventCategory": "Management",
        },
    }
    assert detail["userAgent"].startswith("Boto3/")
    assert len(event["id"]) == len(detail["eventID"]) == 36


def test_the_request_id_is_the_one_that_the_caller_got(account: Account) -> None:
    sagemaker = stand_up(account)
    try:
        sagemaker.delete_endpoint(EndpointName="other")
    except sagemaker.exceptions.ClientError as error:
        asked = error.response["ResponseMetadata"]["RequestId"]
    [event] = told(account)
    assert event["detail"]["requestID"] == asked


def test_what_reads_is_not_told(account: Account) -> None:
    """Read-only management events reach only rules that ask for them."""
    refused(account.client("sagemaker").describe_endpoint, EndpointName="shop")
    assert not told(account)


def test_what_succeeds_is_not_told(account: Account) -> None:
    stand_up(account).delete_endpoint(EndpointName="shop")
    assert not told(account)


def test_data_events_are_not_told(account: Account) -> None:
    refused(
        account.client("cloudwatch").put_metric_data,
        Namespace="AWS/Forbidden",
        MetricData=[{"MetricName": "m", "Value": 1}],
    )
    assert not told(account)


def test_what_only_the_pocket_account_refuses_is_not_told(account: Account) -> None:
    refused(account.client("sagemaker").create_user_profile, DomainId="d-1", UserProfileName="u")
    assert not told(account)


def test_names_begin_with_a_small_letter_at_every_depth_but_not_the_keys_of_maps(
    account: Account,
) -> None:
    refused(
        account.client("sagemaker").create_endpoint_config,
        EndpointConfigName="config",
        ProductionVariants=[{"VariantName": "a", "ModelName": "missing", "InstanceType": "ml.c5"}],
        Tags=[{"Key": "Team", "Value": "A"}],
    )
    [event] = told(account)
    assert event["detail"]["requestParameters"] == {
        "endpointConfigName": "config",
        "productionVariants": [
            {"variantName": "a", "modelName": "missing", "instanceType": "ml.c5"}
        ],
        "tags": [{"key": "Team", "value": "A"}],
    }


def test_a_user_without_a_role_is_an_iam_user(account: Account) -> None:
    refused(account.client("sagemaker").delete_endpoint, EndpointName="shop")
    [event] = told(account)
    identity = event["detail"]["userIdentity"]
    assert identity["type"] == "IAMUser"
    assert identity["arn"] == "arn:aws:iam::123456789012:user/pocket"
    assert identity["userName"] == "pocket"


def test_the_holder_of_a_role_is_named_with_its_session(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = "arn:aws:iam::123456789012:role/trainer"
    monkeypatch.setattr(WORLD, "role_of", lambda access_key: (role, "shift"))
    refused(account.client("sagemaker").delete_endpoint, EndpointName="shop")
    [event] = told(account)
    identity = event["detail"]["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["arn"] == "arn:aws:sts::123456789012:assumed-role/trainer/shift"
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == role


def ec2(operation: str, parameters: dict[str, Any], **more: Any) -> Any:
    """The detail of an EC2 call, told from within a turn."""
    more = {"error": ("VcpuLimitExceeded", "no"), **more}
    sink = Sink()
    WORLD.sinks.append(sink)
    try:
        with WORLD.turn():
            cloudtrail.tell(
                Call(
                    EC2.operation_model(operation),
                    parameters,
                    "123456789012",
                    "us-east-1",
                    "request",
                    **more,
                )
            )
    finally:
        WORLD.sinks.remove(sink)
    [envelope] = sink.events
    return envelope["detail"]


class Sink:
    def __init__(self) -> None:
        self.events: list[Any] = []

    def event(self, envelope: Any) -> None:
        self.events.append(envelope)

    def invoke(self, arn: str, payload: Any) -> None: ...

    def notify(self, topic_arn: str, subject: str, message: str) -> None: ...


@pytest.mark.parametrize(
    ("code", "prefixed"),
    [
        ("VcpuLimitExceeded", "Client.VcpuLimitExceeded"),
        ("MaxSpotInstanceCountExceeded", "Client.MaxSpotInstanceCountExceeded"),
        ("InsufficientInstanceCapacity", "Server.InsufficientInstanceCapacity"),
    ],
)
def test_ec2_says_in_the_code_whose_fault_it_is(code: str, prefixed: str) -> None:
    call = {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1}
    assert ec2("RunInstances", call, error=(code, "no"))["errorCode"] == prefixed


def test_ec2_codes_may_be_bare() -> None:
    WORLD.switches.ec2_error_prefix = False
    try:
        assert ec2("RunInstances", {"MinCount": 1})["errorCode"] == "VcpuLimitExceeded"
    finally:
        WORLD.reset()


def test_what_run_instances_was_asked() -> None:
    """Sample: CloudTrail tests of github.com/panther-labs/panther-analysis; the launch template's
    and the zone's place: what reads such events in the wild."""
    asked = {
        "ImageId": "ami-1",
        "KeyName": "key",
        "MinCount": 1,
        "MaxCount": 2,
        "InstanceType": "p4d.24xlarge",
        "Placement": {"AvailabilityZone": "us-east-1d", "Tenancy": "default"},
        "SubnetId": "subnet-1",
        "SecurityGroupIds": ["sg-1"],
        "UserData": "c2VjcmV0",
        "ClientToken": "token",
        "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "2"},
        "InstanceMarketOptions": {
            "MarketType": "spot",
            "SpotOptions": {"MaxPrice": "1.5", "SpotInstanceType": "one-time"},
        },
        "NetworkInterfaces": [{"DeviceIndex": 0, "Groups": ["sg-1"], "SubnetId": "subnet-1"}],
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "test"}]}
        ],
    }
    assert ec2("RunInstances", asked)["requestParameters"] == {
        "instancesSet": {
            "items": [{"imageId": "ami-1", "keyName": "key", "minCount": 1, "maxCount": 2}]
        },
        "instanceType": "p4d.24xlarge",
        "availabilityZone": "us-east-1d",
        "tenancy": "default",
        "subnetId": "subnet-1",
        "groupSet": {"items": [{"groupId": "sg-1"}]},
        "userData": "<sensitiveDataRemoved>",
        "clientToken": "token",
        "launchTemplate": {"launchTemplateId": "lt-1", "version": "2"},
        "instanceMarketOptions": {
            "marketType": "spot",
            "spotOptions": {"maxPrice": "1.5", "spotInstanceType": "one-time"},
        },
        "networkInterfaceSet": {
            "items": [
                {
                    "deviceIndex": 0,
                    "groupSet": {"items": [{"groupId": "sg-1"}]},
                    "subnetId": "subnet-1",
                }
            ]
        },
        "tagSpecificationSet": {
            "items": [{"resourceType": "instance", "tags": [{"key": "Name", "value": "test"}]}]
        },
        "blockDeviceMapping": {},
        "monitoring": {"enabled": False},
        "disableApiTermination": False,
        "disableApiStop": False,
    }


def test_what_start_instances_was_asked() -> None:
    """Sample: CloudTrail user guide, "CloudTrail log file examples"."""
    detail = ec2("StartInstances", {"InstanceIds": ["i-1", "i-2"]})
    assert detail["requestParameters"] == {
        "instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}
    }


FLEET = {
    "Type": "instant",
    "TargetCapacitySpecification": {
        "TotalTargetCapacity": 2,
        "DefaultTargetCapacityType": "spot",
    },
    "SpotOptions": {"MaxTotalPrice": "0.50"},
    "LaunchTemplateConfigs": [
        {
            "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "$Latest"},
            "Overrides": [
                {"InstanceType": "c5.2xlarge", "AvailabilityZone": "eu-central-1a"},
                {"InstanceType": "m5.2xlarge", "AvailabilityZone": "eu-central-1a"},
            ],
        }
    ],
    "ValidUntil": datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC),
    "TagSpecifications": [
        {"ResourceType": "fleet", "Tags": [{"Key": "cost", "Value": "42"}]},
    ],
}


def test_a_fleet_is_told_in_the_later_dialect() -> None:
    """Samples: github.com/aws/karpenter-provider-aws/issues/5850,
    github.com/aws-samples/siem-on-amazon-opensearch-service/issues/98."""
    assert ec2("CreateFleet", FLEET)["requestParameters"] == {
        "CreateFleetRequest": {
            "Type": "instant",
            "TargetCapacitySpecification": {
                "TotalTargetCapacity": 2,
                "DefaultTargetCapacityType": "spot",
            },
            "SpotOptions": {"MaxTotalPrice": "0.50"},
            "LaunchTemplateConfigs": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "$Latest"},
                "Overrides": [
                    {
                        "InstanceType": "c5.2xlarge",
                        "AvailabilityZone": "eu-central-1a",
                        "tag": 1,
                    },
                    {
                        "InstanceType": "m5.2xlarge",
                        "AvailabilityZone": "eu-central-1a",
                        "tag": 2,
                    },
                ],
                "tag": 1,
            },
            "ValidUntil": "Mar 2, 2026 3:04:05 PM",
            "TagSpecification": {
                "ResourceType": "fleet",
                "Tag": {"Key": "cost", "Value": 42, "tag": 1},
                "tag": 1,
            },
        }
    }


def test_a_template_is_told_with_plain_elements_as_content_and_no_user_data() -> None:
    detail = ec2(
        "CreateLaunchTemplate",
        {
            "LaunchTemplateName": "t",
            "LaunchTemplateData": {"SecurityGroupIds": ["sg-1", "sg-2"], "UserData": "c2VjcmV0"},
        },
    )
    assert detail["requestParameters"] == {
        "CreateLaunchTemplateRequest": {
            "LaunchTemplateName": "t",
            "LaunchTemplateData": {
                "SecurityGroupId": [{"tag": 1, "content": "sg-1"}, {"tag": 2, "content": "sg-2"}],
                "UserData": "<sensitiveDataRemoved>",
            },
        }
    }


def test_a_fleet_that_launched_too_few_is_told_although_it_succeeded() -> None:
    """An instant fleet answers 200 with its errors inside: no errorCode, codes unprefixed. Sample
    of errorSet: github.com/aws/karpenter-provider-aws/issues/5850."""
    pool = {
        "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "1"},
        "Overrides": {"InstanceType": "c5.2xlarge", "AvailabilityZone": "eu-central-1a"},
    }
    answer = {
        "FleetId": "fleet-1",
        "Errors": [
            {
                "LaunchTemplateAndOverrides": pool,
                "Lifecycle": "spot",
                "ErrorCode": "InsufficientInstanceCapacity",
                "ErrorMessage": "no",
            }
        ],
        "Instances": [],
    }
    detail = ec2("CreateFleet", FLEET, error=None, answer=answer)
    assert "errorCode" not in detail
    assert detail["responseElements"] == {
        "CreateFleetResponse": {
            "xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/",
            "requestId": "request",
            "fleetId": "fleet-1",
            "errorSet": {
                "item": {
                    "launchTemplateAndOverrides": {
                        "launchTemplateSpecification": {"launchTemplateId": "lt-1", "version": 1},
                        "overrides": {
                            "instanceType": "c5.2xlarge",
                            "availabilityZone": "eu-central-1a",
                        },
                    },
                    "lifecycle": "spot",
                    "errorCode": "InsufficientInstanceCapacity",
                    "errorMessage": "no",
                }
            },
            "fleetInstanceSet": "",
        }
    }


def test_what_a_service_calls_for_the_account_names_the_service() -> None:
    detail = ec2("RunInstances", {"MinCount": 1}, invoked_by="autoscaling.amazonaws.com")
    assert detail["userAgent"] == detail["sourceIPAddress"] == "autoscaling.amazonaws.com"
    assert detail["userIdentity"]["invokedBy"] == "autoscaling.amazonaws.com"
    assert detail["userIdentity"]["type"] == "AssumedRole"
    assert "accessKeyId" not in detail["userIdentity"]
