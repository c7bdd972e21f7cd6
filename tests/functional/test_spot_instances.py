"""A single Spot Instance that is taken has an On-Demand twin, one, which serves where it served."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from functions.operator.handler import handler as operator
from local.cloud import WORLD
from tests.faults.crashing import Crash, at_rest, crash_after, survives
from tests.functional.quotas import control
from tests.functional.singles import (
    REGISTER,
    RUN,
    Singles,
    arn,
    codes,
    no_role,
    singles,
    tags,
)
from tests.functional.spot import LEVER, TYPE, fleets, settings
from tests.functional.world import REGION, Call, Context, Stage


@pytest.fixture
def scene(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Singles]:
    environment.setenv("LEVER_SETTINGS", settings())
    with singles(stage) as scene:
        yield scene


# the twin


@pytest.mark.parametrize("asks", [False, True])
def test_a_warned_instance_has_its_twin_before_it_is_gone(scene: Singles, asks: bool) -> None:
    id = scene.launch(asks=asks)
    scene.take(id)
    scene.deliver()

    scene.stage.wait(10)
    old, new = scene.described(id), scene.twin()
    assert (old["State"]["Name"], new["State"]["Name"]) == ("running", "running")
    for name in ("InstanceType", "ImageId", "SubnetId", "IamInstanceProfile", "SecurityGroups"):
        assert new[name] == old[name]
    assert tags(new)["Name"] == "worker"
    assert scene.stage.incident()["target"] == arn(id)
    assert scene.stage.told()[:2] == ["Remediation Decided: decided", "Remediation Acted: acted"]

    scene.beat(4)
    assert scene.described(id)["State"]["Name"] == "terminated"
    assert scene.stage.incident()["stage"] == "verified"
    assert len(scene.on_demand()) == 1


def test_a_template_is_passed_whole_unless_it_asks_for_spot(scene: Singles) -> None:
    id = scene.launch()
    scene.take(id)
    scene.deliver()
    [asked] = scene.launches()
    assert asked["LaunchTemplate"]["Version"] == "1"
    assert tags(scene.twin())["aws:ec2launchtemplate:version"] == "1"


def test_a_template_that_asks_for_spot_is_passed_in_parts(scene: Singles) -> None:
    group = scene.ec2.create_security_group(GroupName="web", Description="web")["GroupId"]
    subnet = scene.ec2.describe_subnets(
        Filters=[{"Name": "availability-zone", "Values": [f"{REGION}c"]}]
    )["Subnets"][0]["SubnetId"]
    interface = {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group]}
    volume = {"ResourceType": "volume", "Tags": [{"Key": "kept", "Value": "yes"}]}
    template = {"NetworkInterfaces": [interface], "TagSpecifications": [volume]}
    id = scene.launch(asks=True, template=template, Placement={})
    scene.take(id)
    scene.deliver()

    [asked] = scene.launches()
    assert "LaunchTemplate" not in asked
    new = scene.twin()
    assert (new["SubnetId"], new["Placement"]["AvailabilityZone"]) == (subnet, f"{REGION}c")
    assert [each["GroupId"] for each in new["NetworkInterfaces"][0]["Groups"]] == [group]
    [disk] = scene.ec2.describe_volumes(
        Filters=[{"Name": "attachment.instance-id", "Values": [new["InstanceId"]]}]
    )["Volumes"]
    assert disk["Tags"] == volume["Tags"]


def test_the_twin_serves_in_both_target_groups_before_the_first_is_gone(scene: Singles) -> None:
    id = scene.launch()
    address = scene.described(id)["PrivateIpAddress"]
    by_id = scene.target_group("web", "instance", 8080, id)
    by_address = scene.target_group("pods", "ip", 9090, address)
    other = scene.target_group("other", "instance", 80)
    scene.take(id)
    scene.deliver()
    scene.beat()

    new = scene.twin()
    assert scene.described(id)["State"]["Name"] == "running"
    assert scene.targets(by_id) == [(id, 8080), (new["InstanceId"], 8080)]
    assert scene.targets(by_address) == [(address, 9090), (new["PrivateIpAddress"], 9090)]
    assert scene.targets(other) == []
    scene.beat(4)
    assert scene.stage.incident()["stage"] == "verified"
    assert len(scene.stage.made(REGISTER)) == 2
    assert scene.stage.incident()["written"]["id"] == new["InstanceId"]


def test_nothing_is_registered_before_the_twin_runs(scene: Singles) -> None:
    id = scene.launch()
    scene.target_group("web", "instance", 80, id)
    seen: list[str] = []

    def look(moment: str, call: Call) -> None:
        if call.operation == REGISTER and moment == "before":
            scene.stage.outside(lambda: seen.append(scene.twin()["State"]["Name"]))

    scene.stage.fault = look
    WORLD.durations.instance_boot = 90
    scene.take(id)
    scene.deliver()
    scene.beat(3)
    assert seen == ["running"]


def test_what_on_demand_cost_is_counted_up(scene: Singles, environment: pytest.MonkeyPatch) -> None:
    id = scene.launch()
    scene.take(id)
    scene.deliver()
    scene.beat(2)
    total = scene.stage.incident()["tally"]
    assert 110 / 3600 <= total["onDemandHours"] <= 180 / 3600
    assert total["onDemandDollars"] == pytest.approx(0.10 * total["onDemandHours"])
    assert total["fallbackDollars"] == pytest.approx(0.06 * total["onDemandHours"])


# one twin, whatever happens


def test_duplicates_of_a_warning_give_one_twin(scene: Singles) -> None:
    scene.take(scene.launch())
    scene.deliver(times=3)
    scene.beat(4)
    assert len(scene.on_demand()) == 1
    assert len(scene.launches()) == 1


def test_a_duplicate_after_the_end_gives_no_second_one(scene: Singles) -> None:
    scene.take(scene.launch())
    warnings = list(scene.warnings)
    scene.deliver()
    scene.beat(4)
    assert scene.stage.incident()["stage"] == "verified"
    scene.warnings = warnings
    assert codes(scene.deliver()) == ["settled"]
    assert len(scene.on_demand()) == 1


def test_a_crash_between_the_launch_and_its_record_gives_one_twin(scene: Singles) -> None:
    id = scene.launch()
    group = scene.target_group("web", "instance", 80, id)

    def die(moment: str, call: Call) -> None:
        if (moment, call.operation) == ("after", RUN):
            scene.stage.fault = lambda moment, call: None
            raise Crash("right after the launch")

    scene.stage.fault = die
    scene.take(id)
    warnings = list(scene.warnings)
    with pytest.raises(Crash):
        scene.deliver()
    scene.beat(2)
    scene.warnings = warnings
    scene.deliver()
    scene.beat(4)
    new = scene.twin()
    assert (new["InstanceId"], 80) in scene.targets(group)
    assert scene.stage.incident()["stage"] == "verified"


@pytest.mark.parametrize("calls", range(0, 54, 6))
def test_a_crash_after_any_call_gives_one_twin(scene: Singles, calls: int) -> None:
    id = scene.launch()
    group = scene.target_group("web", "instance", 80, id)
    scene.take(id)
    warnings = scene.warnings
    crash_after(scene.stage, calls)
    crashes = survives(scene.stage, lambda: scene.stage.batch(*warnings))
    assert len(crashes) == 1
    assert scene.targets(group) == [(scene.twin()["InstanceId"], 80)]
    assert scene.stage.incident()["stage"] == "verified"
    assert at_rest(scene.stage)


# when On-Demand is short


def test_without_capacity_it_is_told_at_once_and_tried_until_there_is_some(
    scene: Singles,
) -> None:
    id = scene.launch()
    subnet = scene.described(id)["SubnetId"]
    scene.capacity(0)
    scene.take(id)
    scene.deliver()
    assert "Remediation Decided: on-demand-short" in scene.stage.told()
    scene.beat(4)
    assert scene.described(id)["State"]["Name"] == "terminated"
    assert scene.on_demand() == []

    scene.capacity(None)
    scene.beat(1)
    assert scene.twin()["SubnetId"] == subnet
    assert scene.stage.told().count("Remediation Decided: on-demand-short") == 1
    scene.beat(1)
    assert scene.stage.incident()["stage"] == "verified"


def test_without_capacity_for_ten_minutes_a_person_is_told_what_is_missing(
    scene: Singles,
) -> None:
    scene.capacity(0)
    scene.take(scene.launch())
    scene.deliver()
    scene.beat(12)
    assert scene.stage.incident()["stage"] == "failed"
    assert scene.stage.told()[-1] == "Remediation Failed: not-replaced"


def test_a_quota_in_the_way_is_told_by_name(scene: Singles) -> None:
    id = scene.launch()
    control("PUT", "/servicequotas/quotas/ec2/L-1216C47A/value", {"value": 0})
    scene.take(id)
    scene.deliver()
    assert "Remediation Decided: quota" in scene.stage.told()


# who decides


def test_without_a_template_a_person_is_told(scene: Singles) -> None:
    scene.take(scene.launch_without_template())
    assert codes(scene.deliver()) == ["no-template"]
    assert scene.on_demand() == []
    assert any("not launched from a launch template" in str(m) for m in scene.stage.messages())
    scene.beat(12)
    assert scene.stage.told().count("Remediation Refused: no-template") == 1
    assert scene.stage.incident()["stage"] == "recovered"


def test_a_role_that_settings_do_not_name_is_not_passed(
    scene: Singles, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LEVER_SETTINGS", no_role())
    scene.take(scene.launch())
    assert codes(scene.deliver()) == ["role-not-allowed"]
    assert scene.launches() == []


def test_a_profile_that_is_not_there_is_not_passed(scene: Singles) -> None:
    scene.take(scene.launch(profile="gone"))
    assert codes(scene.deliver()) == ["role-not-allowed"]
    assert scene.launches() == []


def test_a_type_above_the_cap_is_not_launched(
    scene: Singles, environment: pytest.MonkeyPatch
) -> None:
    prices = [{"instance_type": TYPE, "on_demand": 1.5, "spot": 0.04}]
    environment.setenv("LEVER_SETTINGS", settings(prices=prices, on_demand_dollars_per_hour=1))
    scene.take(scene.launch())
    assert codes(scene.deliver()) == ["above-cap"]
    assert scene.launches() == []


def test_a_persistent_request_is_left_to_ec2(scene: Singles) -> None:
    scene.take(scene.launch(options={"SpotInstanceType": "persistent"}))
    assert codes(scene.deliver()) == ["persistent-request"]
    assert scene.launches() == []


@pytest.mark.parametrize(
    ("word", "code"),
    [("nonsense", "bad-tag"), ("off", "tag-off"), ("observe", "observe"), ("approve", "needs-approval")],
)  # fmt: skip
def test_the_instances_own_tag_says_how_far_it_goes(scene: Singles, word: str, code: str) -> None:
    scene.take(scene.launch(tags={LEVER: word}))
    assert codes(scene.deliver()) == [code]
    assert scene.launches() == []


def test_without_the_tag_nothing_is_done(scene: Singles) -> None:
    scene.take(scene.launch(tags={}))
    assert codes(scene.deliver()) == ["not-opted-in"]
    assert scene.launches() == []


@pytest.mark.parametrize(("mode", "code"), [("observe", "observe"), ("approve", "needs-approval")])
def test_the_accounts_mode_holds_it_back(scene: Singles, mode: str, code: str) -> None:
    scene.stage.mode(mode)
    scene.take(scene.launch())
    assert codes(scene.deliver()) == [code]
    assert scene.launches() == []


def test_with_a_persons_approval_it_is_launched_though_the_first_is_gone_by_then(
    scene: Singles, environment: pytest.MonkeyPatch
) -> None:
    sqs = scene.stage.client("sqs")
    url = sqs.create_queue(QueueName="spot-fallback")["QueueUrl"]
    environment.setenv("QUEUE_URLS", json.dumps({"spot_fallback": url}))
    environment.setenv("AWS_REGION", REGION)
    id = scene.launch(tags={LEVER: "approve"})
    group = scene.target_group("web", "instance", 80, id)
    scene.take(id)
    scene.deliver()
    scene.beat(4)
    assert scene.described(id)["State"]["Name"] == "terminated"

    incident = scene.stage.incident()["id"]
    operator({"command": "approve", "incident": incident, "by": "jane"}, Context())
    for message in sqs.receive_message(QueueUrl=url)["Messages"]:
        scene.stage.batch(message["Body"])
    scene.beat(2)
    assert scene.targets(group) == [(scene.twin()["InstanceId"], 80)]
    assert scene.stage.incident()["stage"] == "verified"


# what it came too late for


def test_an_instance_that_its_own_work_ended_is_not_replaced(scene: Singles) -> None:
    id = scene.launch()
    scene.take(id)
    scene.ec2.terminate_instances(InstanceIds=[id])
    assert codes(scene.deliver()) == ["settled"]
    assert scene.launches() == []


def test_a_duplicate_for_an_instance_that_its_group_let_go_of_launches_nothing(
    stage: Stage, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LEVER_SETTINGS", settings())
    with fleets(stage) as fleet:
        fleet.create(3)
        [id] = fleet.storm(1)
        fleet.ec2.create_tags(Resources=[id], Tags=[{"Key": LEVER, "Value": "act"}])
        warnings = list(fleet.events)
        fleet.deliver()
        assert fleet.detached() == [id]
        fleet.run(60, deliver=False)
        assert codes(stage.batch(*warnings)) == ["settled"]
        assert stage.made(RUN) == []


def test_an_instance_that_ec2_no_longer_knows_has_no_tag_either(scene: Singles) -> None:
    id = scene.launch()
    scene.take(id)
    [warning] = scene.warnings
    unknown = {**warning["detail"], "instance-id": "i-0123456789abcdef0"}
    scene.warnings = [{**warning, "detail": unknown}]
    assert codes(scene.deliver()) == ["not-opted-in"]


def test_a_launch_cannot_be_taken_back_and_says_so(
    scene: Singles, environment: pytest.MonkeyPatch
) -> None:
    sqs = scene.stage.client("sqs")
    url = sqs.create_queue(QueueName="spot-fallback")["QueueUrl"]
    environment.setenv("QUEUE_URLS", json.dumps({"spot_fallback": url}))
    environment.setenv("AWS_REGION", REGION)
    scene.take(scene.launch())
    scene.deliver()
    incident = scene.stage.incident()["id"]
    operator({"command": "revert", "incident": incident, "by": "jane"}, Context())
    for message in sqs.receive_message(QueueUrl=url).get("Messages", []):
        scene.stage.batch(message["Body"])
    assert "Remediation Refused: cannot-be-undone" in scene.stage.told()
    scene.beat()
    assert scene.twin()["State"]["Name"] == "running"
