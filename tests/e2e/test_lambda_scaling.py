"""Application Auto Scaling turns the provisioned concurrency of deployed functions' aliases, by the
rules that `tests/cloud/applicationautoscaling` states one by one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.pocket import Pocket
from tests.e2e.probe import Probe, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.allow_hosts(["127.0.0.1"])]

QUICK = {"lambda_provisioning": 0.3, "scaling_reaction": 0.1}


class Live:
    """The alias `live` of a function, and its dial."""

    def __init__(self, pocket: Pocket, function: str) -> None:
        self.api, self.scaling = pocket.client("lambda"), pocket.client("application-autoscaling")
        self.alias = {"FunctionName": function, "Qualifier": "live"}
        self.place = {
            "ServiceNamespace": "lambda",
            "ResourceId": f"function:{function}:live",
            "ScalableDimension": "lambda:function:ProvisionedConcurrency",
        }

    def register(self, low: int, high: int, **more: Any) -> Any:
        return self.scaling.register_scalable_target(
            **{**self.place, "MinCapacity": low, "MaxCapacity": high, **more}
        )

    def provision(self, amount: int) -> None:
        self.api.put_provisioned_concurrency_config(
            **self.alias, ProvisionedConcurrentExecutions=amount
        )
        eventually(lambda: self.provisioned() == (amount, "READY"))

    def provisioned(self) -> tuple[int, str]:
        """What is asked for, and how far it is."""
        try:
            told = self.api.get_provisioned_concurrency_config(**self.alias)
        except self.api.exceptions.ProvisionedConcurrencyConfigNotFoundException:
            return 0, "NONE"
        return told["RequestedProvisionedConcurrentExecutions"], told["Status"]

    def activities(self) -> list[dict[str, Any]]:
        """Those that are over, the newest first."""
        told = self.scaling.describe_scaling_activities(
            ServiceNamespace="lambda",
            ResourceId=self.place["ResourceId"],
            IncludeNotScaledActivities=True,
        )["ScalingActivities"]
        return [each for each in told if each["StatusCode"] != "InProgress"]


@pytest.fixture
def live(pocket: Pocket, probe: Probe) -> Iterator[Live]:
    alias = Live(pocket, probe.name)
    alias.api.get_waiter("function_updated_v2").wait(FunctionName=probe.name)
    version = alias.api.publish_version(FunctionName=probe.name)["Version"]
    alias.api.create_alias(FunctionName=probe.name, Name="live", FunctionVersion=version)
    before = pocket.control("GET", "/durations")
    pocket.control("PUT", "/durations", QUICK)
    yield alias
    targets = alias.scaling.describe_scalable_targets(ServiceNamespace="lambda")["ScalableTargets"]
    if alias.place["ResourceId"] in [each["ResourceId"] for each in targets]:
        alias.scaling.deregister_scalable_target(**alias.place)
    pocket.control("PUT", "/durations", {name: before[name] for name in QUICK})
    pocket.control("PUT", "/lambda/account", {})


def test_an_alias_is_brought_into_the_bounds_and_left_where_it_is_in_them(live: Live) -> None:
    live.register(3, 9)
    eventually(lambda: live.provisioned() == (3, "READY"))
    (told,) = eventually(live.activities)
    assert (told["StatusCode"], told["Cause"]) == ("Successful", "minimum capacity was set to 3")
    live.provision(5)
    live.register(4, 9)
    live.register(6, 9)
    eventually(lambda: live.provisioned() == (6, "READY"))
    eventually(lambda: len(live.activities()) == 2)


def test_a_person_who_provisions_out_of_the_bounds_is_corrected_at_the_next_registration(
    live: Live,
) -> None:
    live.register(0, 4)
    live.provision(7)
    live.register(0, 4)
    eventually(lambda: live.provisioned() == (4, "READY"))
    live.register(0, 0)
    eventually(lambda: live.provisioned() == (0, "NONE"))


@pytest.mark.parametrize("resource", ["function:{}:dead", "function:none:live"])
def test_what_does_not_stand_is_not_registered(live: Live, resource: str) -> None:
    name = live.alias["FunctionName"]
    with pytest.raises(ClientError, match="ValidationException"):
        live.register(1, 2, ResourceId=resource.format(name))


def test_what_lambda_refuses_ends_as_a_failed_activity(live: Live) -> None:
    live.register(100_000, 100_000)
    (told,) = eventually(live.activities)
    assert told["StatusCode"] == "Failed"
    assert "UnreservedConcurrentExecution" in told["StatusMessage"]
    assert live.provisioned() == (0, "NONE")


def test_a_function_that_cannot_start_fails(pocket: Pocket, live: Live) -> None:
    pocket.control("PUT", "/lambda/account", {"failing": [live.alias["FunctionName"]]})
    live.register(2, 4)
    (told,) = eventually(live.activities)
    assert told["StatusMessage"].endswith("Reason: FUNCTION_ERROR_INIT_FAILURE")


def test_a_scheduled_action_raises_at_its_time(live: Live) -> None:
    live.register(1, 9)
    eventually(lambda: live.provisioned() == (1, "READY"))
    due = datetime.now(UTC) + timedelta(seconds=2)
    live.scaling.put_scheduled_action(
        **live.place,
        ScheduledActionName="morning",
        Schedule=f"at({due:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 5},
    )
    eventually(lambda: live.provisioned() == (5, "READY"))
    assert "scheduled action name morning was triggered" in {
        told["Cause"] for told in live.activities()
    }


def track(live: Live, value: float) -> None:
    """Track the utilisation."""
    live.scaling.put_scaling_policy(
        **live.place,
        PolicyName="busy",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": value,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"
            },
        },
    )


def test_utilisation_by_traffic_is_tracked(pocket: Pocket, live: Live) -> None:
    live.register(1, 50)
    live.provision(7)
    name = live.alias["FunctionName"]
    path = f"/lambda/functions/{name}:live/traffic"
    pocket.control("PUT", path, {"concurrency": [30], "history": [30] * 5})
    track(live, 0.7)
    eventually(lambda: live.provisioned() == (10, "READY"), 90)

    def told() -> list[str]:
        return [each["StatusCode"] for each in live.activities() if "policy busy" in each["Cause"]]

    assert eventually(told)[-1] == "Successful"
    pocket.control("DELETE", path)


def test_a_target_that_cannot_take_another_capacity_now_is_told_so(
    pocket: Pocket, live: Live
) -> None:
    live.register(1, 50)
    live.provision(7)
    name = live.alias["FunctionName"]
    path = f"/lambda/functions/{name}:live/traffic"
    pocket.control("PUT", path, {"concurrency": [30], "history": [30] * 5})
    pocket.control("PUT", "/durations", {"lambda_provisioning": 600})
    live.api.put_provisioned_concurrency_config(**live.alias, ProvisionedConcurrentExecutions=8)
    track(live, 0.7)

    def reasons() -> list[str]:
        told = [each for each in live.activities() if "NotScaledReasons" in each]
        return [each["NotScaledReasons"][0]["Code"] for each in told]

    assert eventually(reasons, 90) == ["TargetServicePutResourceAsUnscalable"]
    pocket.control("DELETE", path)


def test_many_calls_of_both_at_once_do_not_hold_each_other_up(live: Live) -> None:
    """Lambda asks the account for its quota while Application Auto Scaling asks Lambda."""
    live.register(1, 50)

    def register(low: int) -> None:
        live.register(low, 50)

    def provision(amount: int) -> None:
        try:
            live.api.put_provisioned_concurrency_config(
                **live.alias, ProvisionedConcurrentExecutions=amount
            )
        except live.api.exceptions.ResourceConflictException:
            return

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(act, 2) for act in (register, provision) * 20]:
            done.result()
    eventually(lambda: live.provisioned() == (2, "READY"))
    live.register(30, 50)
    eventually(lambda: live.provisioned() == (30, "READY"))
