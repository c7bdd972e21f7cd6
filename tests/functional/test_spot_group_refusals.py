"""Groups that cannot be helped are refused by name, and left as they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional.spot import LEVER, ROLE, Fleets, codes, fleets, settings
from tests.functional.world import Stage


@pytest.fixture
def fleet(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Fleets]:
    environment.setenv("LEVER_SETTINGS", settings())
    with fleets(stage) as scene:
        yield scene


def test_a_role_that_may_not_be_passed_is_refused(
    fleet: Fleets, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LEVER_SETTINGS", settings(roles=[]))
    fleet.create(4)
    fleet.storm(1)
    assert codes(fleet.deliver()) == ["role-not-allowed"]
    assert ROLE in fleet.stage.incident()["reason"]
    fleet.run(120)
    assert fleet.stage.told() == ["Remediation Refused: role-not-allowed"]
    assert fleet.writes() == []


def test_the_role_of_an_overrides_template_counts_too(fleet: Fleets) -> None:
    iam = fleet.stage.client("iam")
    iam.create_role(RoleName="admin", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName="admin")
    iam.add_role_to_instance_profile(InstanceProfileName="admin", RoleName="admin")
    fleet.template("other", IamInstanceProfile={"Name": "admin"})
    other = {"LaunchTemplateName": "other", "Version": "1"}
    overrides = [
        {"InstanceType": "m5.large"},
        {"InstanceType": "c5.large", "LaunchTemplateSpecification": other},
    ]
    template = {
        "LaunchTemplateSpecification": {"LaunchTemplateName": "plain", "Version": "$Latest"}
    }
    policy = {
        "LaunchTemplate": {**template, "Overrides": overrides},
        "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 0},
    }
    fleet.create(4, MixedInstancesPolicy=policy)
    fleet.storm(1)
    assert codes(fleet.deliver()) == ["role-not-allowed"]
    assert "role/admin" in fleet.stage.incident()["reason"]


def test_a_profile_that_is_not_there_is_no_role_that_may_be_passed(fleet: Fleets) -> None:
    fleet.create(4)
    iam = fleet.stage.client("iam")
    iam.remove_role_from_instance_profile(InstanceProfileName="nodes", RoleName="nodes")
    iam.delete_instance_profile(InstanceProfileName="nodes")
    fleet.storm(1)
    assert codes(fleet.deliver()) == ["role-not-allowed"]


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("eks:cluster-name", "managed-by-eks"),
        ("eks:nodegroup-name", "managed-by-eks"),
        ("AmazonECSManaged", "managed-by-ecs"),
    ],
)
def test_what_another_service_manages_is_refused(fleet: Fleets, tag: str, code: str) -> None:
    fleet.create(4, tags={LEVER: "act", tag: "x"})
    fleet.storm(1)
    assert codes(fleet.deliver()) == [code]
    assert fleet.writes() == []


def test_an_instance_refresh_is_waited_for(fleet: Fleets) -> None:
    fleet.create(4)
    fleet.asg.start_instance_refresh(AutoScalingGroupName="workers")
    fleet.storm(1)
    assert codes(fleet.deliver()) == ["refreshing"]


def test_segments_are_not_taken_away(fleet: Fleets) -> None:
    segments = [{"TargetCapacityTypes": ["on-demand-capacity-reservation", "on-demand"]}]
    template = {"LaunchTemplateSpecification": {"LaunchTemplateName": "plain"}}
    policy = {
        "LaunchTemplate": template,
        "InstancesDistribution": {"DistributionSegments": segments},
    }
    fleet.create(4, MixedInstancesPolicy=policy)
    fleet.capacity(0, market="on-demand")
    fleet.asg.set_desired_capacity(AutoScalingGroupName="workers", DesiredCapacity=9)
    fleet.run(300)
    assert fleet.distribution()["DistributionSegments"] == segments
    assert fleet.writes() == []


@pytest.mark.parametrize(("mode", "code"), [("observe", "observe"), ("approve", "needs-approval")])
def test_the_tag_says_how_far_it_goes(fleet: Fleets, mode: str, code: str) -> None:
    fleet.create(4, tags={LEVER: mode})
    fleet.storm(1)
    assert codes(fleet.deliver()) == [code]
    assert fleet.writes() == []
