"""Launch templates, and launches from them.

Sources: botocore service model, `CreateLaunchTemplateVersion`; EC2 user guide, "Store instance
launch parameters in Amazon EC2 launch templates".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cloud.conftest import Account
from tests.cloud.hosting import refused

Run = Callable[..., Any]


@pytest.fixture
def template(ec2: Any, image: str) -> str:
    """A template of g5.xlarge; its second version, not the default one, is of g5.2xlarge."""
    data = {
        "ImageId": image,
        "InstanceType": "g5.xlarge",
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": [{"Key": "from", "Value": "template"}]}
        ],
    }
    own = [{"ResourceType": "launch-template", "Tags": [{"Key": "own", "Value": "tag"}]}]
    made = ec2.create_launch_template(
        LaunchTemplateName="train", LaunchTemplateData=data, TagSpecifications=own
    )["LaunchTemplate"]
    ec2.create_launch_template_version(
        LaunchTemplateName="train",
        SourceVersion="1",
        LaunchTemplateData={"InstanceType": "g5.2xlarge"},
    )
    identity: str = made["LaunchTemplateId"]
    return identity


def versions(ec2: Any, **which: Any) -> Any:
    return ec2.describe_launch_template_versions(**which)["LaunchTemplateVersions"]


def launch(ec2: Any, **template: str) -> Any:
    answer = ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate=template)
    return answer["Instances"][0]


def test_its_tags_are_not_its_instances(ec2: Any, template: str) -> None:
    [shown] = ec2.describe_launch_templates()["LaunchTemplates"]
    assert shown["Tags"] == [{"Key": "own", "Value": "tag"}]
    first, _ = versions(ec2, LaunchTemplateId=template)
    kinds = {each["ResourceType"] for each in first["LaunchTemplateData"]["TagSpecifications"]}
    assert kinds == {"instance"}


def test_a_version_takes_from_its_source_what_it_does_not_say(
    ec2: Any, template: str, image: str
) -> None:
    _, second = versions(ec2, LaunchTemplateId=template)
    assert second["LaunchTemplateData"]["ImageId"] == image
    assert second["LaunchTemplateData"]["InstanceType"] == "g5.2xlarge"
    ec2.create_launch_template_version(
        LaunchTemplateId=template, LaunchTemplateData={"InstanceType": "g5.4xlarge"}
    )
    [third] = versions(ec2, LaunchTemplateId=template, Versions=["3"])
    assert third["LaunchTemplateData"] == {"InstanceType": "g5.4xlarge"}


def test_the_default_version_is_the_first_until_another_is_chosen(ec2: Any, template: str) -> None:
    assert launch(ec2, LaunchTemplateId=template)["InstanceType"] == "g5.xlarge"
    changed = ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion="2")
    assert changed["LaunchTemplate"]["DefaultVersionNumber"] == 2
    assert launch(ec2, LaunchTemplateId=template)["InstanceType"] == "g5.2xlarge"


@pytest.mark.parametrize(
    ("version", "expected"), [("1", "g5.xlarge"), ("$Latest", "g5.2xlarge"), ("2", "g5.2xlarge")]
)
def test_a_launch_may_name_the_version(
    ec2: Any, template: str, version: str, expected: str
) -> None:
    launched = launch(ec2, LaunchTemplateName="train", Version=version)
    assert launched["InstanceType"] == expected


def test_the_request_takes_the_place_of_the_template_and_tags_are_put_together(
    run: Run, template: str
) -> None:
    [instance] = run(
        "m5.large",
        LaunchTemplate={"LaunchTemplateId": template},
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "from", "Value": "request"}]},
            {"ResourceType": "instance", "Tags": [{"Key": "more", "Value": "x"}]},
        ],
    )
    assert instance["InstanceType"] == "m5.large"
    assert {each["Key"]: each["Value"] for each in instance["Tags"]} == {
        "from": "request",
        "more": "x",
        "aws:ec2launchtemplate:id": template,
        "aws:ec2launchtemplate:version": "1",
    }


def test_a_template_may_say_spot(ec2: Any, template: str) -> None:
    ec2.create_launch_template_version(
        LaunchTemplateId=template,
        SourceVersion="1",
        LaunchTemplateData={"InstanceMarketOptions": {"MarketType": "spot"}},
    )
    assert launch(ec2, LaunchTemplateId=template, Version="3")["InstanceLifecycle"] == "spot"


@pytest.mark.parametrize("version", ["0", "9", "abc", "-1"])
def test_a_version_that_is_not_there_is_refused(ec2: Any, template: str, version: str) -> None:
    refusal = (
        "InvalidLaunchTemplateId.VersionNotFound",
        f"Could not find the specified version {version} for the launch template with ID "
        f"{template}.",
    )
    assert refused(versions, ec2=ec2, LaunchTemplateId=template, Versions=[version]) == refusal
    assert refused(launch, ec2=ec2, LaunchTemplateId=template, Version=version) == refusal


def test_a_template_that_is_not_there_is_refused(ec2: Any, template: str) -> None:
    ec2.delete_launch_template(LaunchTemplateName="train")
    by_id = refused(ec2.describe_launch_templates, LaunchTemplateIds=[template])
    assert by_id[0] == "InvalidLaunchTemplateId.NotFound"
    by_name = refused(ec2.describe_launch_templates, LaunchTemplateNames=["train"])
    assert by_name[0] == "InvalidLaunchTemplateName.NotFoundException"
    assert ec2.describe_launch_templates()["LaunchTemplates"] == []


def test_a_name_is_used_once(ec2: Any, template: str) -> None:
    again = refused(
        ec2.create_launch_template,
        LaunchTemplateName="train",
        LaunchTemplateData={"InstanceType": "m5.large"},
    )
    assert again[0] == "InvalidLaunchTemplateName.AlreadyExistsException"


def test_versions_are_paged(ec2: Any, template: str) -> None:
    pages = ec2.get_paginator("describe_launch_template_versions").paginate(
        LaunchTemplateId=template, PaginationConfig={"PageSize": 1}
    )
    numbers = [each["VersionNumber"] for page in pages for each in page["LaunchTemplateVersions"]]
    assert numbers == [1, 2]


def test_the_latest_of_all_templates_can_be_seen_at_once(ec2: Any, template: str) -> None:
    [latest] = versions(ec2, Versions=["$Latest"])
    assert latest["VersionNumber"] == 2
    assert refused(versions, ec2=ec2)[0] == "MissingParameter"


def test_what_a_template_says_that_nobody_simulates_is_refused_at_the_launch(
    account: Account, ec2: Any, template: str
) -> None:
    ec2.create_launch_template_version(
        LaunchTemplateId=template,
        SourceVersion="1",
        LaunchTemplateData={"CpuOptions": {"CoreCount": 1}},
    )
    code, message = refused(launch, ec2=ec2, LaunchTemplateId=template, Version="3")
    assert code == "UnsupportedByPocketAccount"
    assert "CpuOptions" in message
