"""What AWS takes and refuses of provisioned concurrency, and what becomes of it.

Sources: Lambda developer guide, provisioned-concurrency; botocore service model of Lambda,
2015-03-31; and the reports that `local.lambda_rules` names.
"""

from __future__ import annotations

import pytest

from local.cloud import WORLD
from tests.cloud.awslambda.conftest import Shop
from tests.cloud.hosting import refused

UNPUBLISHED = (
    "InvalidParameterValueException",
    "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
)
TWICE = (
    "ResourceConflictException",
    "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
)


class TestAllocation:
    def test_it_takes_time_and_then_all_is_available_at_once(self, shop: Shop) -> None:
        answer = shop.provision("live", 20)
        assert answer["Status"] == "IN_PROGRESS"
        assert answer["LastModified"] == "2026-03-02T12:00:00+0000"
        shop.account.wait(2.9)
        assert shop.provisioned() == ("IN_PROGRESS", 20, 0)
        shop.account.wait(0.1)
        assert shop.provisioned() == ("READY", 20, 20)

    def test_what_it_takes_is_a_setting(self, shop: Shop) -> None:
        WORLD.durations.lambda_provisioning = 120
        shop.provision("live", 20)
        shop.account.wait(119)
        assert shop.provisioned() == ("IN_PROGRESS", 20, 0)
        shop.account.wait(1)
        assert shop.provisioned() == ("READY", 20, 20)

    def test_more_is_added_all_at_once_to_what_is_there(self, shop: Shop) -> None:
        shop.provision("live", 5)
        shop.ready()
        shop.provision("live", 8)
        assert shop.provisioned() == ("IN_PROGRESS", 8, 5)
        shop.ready()
        assert shop.provisioned() == ("READY", 8, 8)

    def test_less_is_let_go_at_once(self, shop: Shop) -> None:
        shop.provision("live", 8)
        shop.ready()
        shop.provision("live", 3)
        assert shop.provisioned() == ("IN_PROGRESS", 3, 3)

    def test_a_function_that_cannot_start_fails_and_stays_failed(self, shop: Shop) -> None:
        WORLD.lambdas.failing = ["shop"]
        shop.provision("live", 5)
        assert shop.provisioned() == ("IN_PROGRESS", 5, 0)
        shop.ready()
        assert shop.provisioned() == ("FAILED", 5, 0)
        found = shop.api.get_provisioned_concurrency_config(FunctionName="shop", Qualifier="live")
        assert found["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
        WORLD.lambdas.failing = []
        shop.provision("live", 5)
        shop.ready()
        assert shop.provisioned() == ("READY", 5, 5)

    def test_a_single_version_can_be_the_one_that_fails(self, shop: Shop) -> None:
        WORLD.lambdas.failing = ["shop:2"]
        for version in ("1", "2"):
            shop.provision(version, 5)
        shop.ready()
        assert [shop.provisioned(version)[0] for version in ("1", "2")] == ["READY", "FAILED"]

    def test_a_change_meanwhile_is_refused(self, shop: Shop) -> None:
        shop.provision("live", 5)
        code, text = shop.refused("live", 6)
        assert code == "ResourceConflictException"
        assert text.endswith(f"An update is in progress for resource: {shop.arn}:live")

    def test_or_starts_anew(self, shop: Shop) -> None:
        WORLD.switches.provisioning_refuses_changes = False
        shop.provision("live", 5)
        shop.account.wait(2)
        shop.provision("live", 6)
        shop.account.wait(2)
        assert shop.provisioned() == ("IN_PROGRESS", 6, 0)


class TestWhatMayHaveIt:
    def test_an_amount_is_at_least_one(self, shop: Shop) -> None:
        code, text = shop.refused("live", 0)
        assert code == "ValidationException"
        assert text.endswith("Member must have value greater than or equal to 1")

    def test_latest_never(self, shop: Shop) -> None:
        assert shop.refused("$LATEST", 5) == UNPUBLISHED

    def test_nor_an_alias_of_latest(self, shop: Shop) -> None:
        shop.alias("next", "$LATEST")
        assert shop.refused("next", 5) == UNPUBLISHED

    def test_nor_what_is_not_there(self, shop: Shop) -> None:
        missing = "ResourceNotFoundException"
        assert shop.refused("dead", 5) == (missing, f"Cannot find alias arn: {shop.arn}:dead")
        assert shop.refused("9", 5) == (missing, f"Function not found: {shop.arn}:9")
        none = f"Function not found: {shop.arn}s"
        assert shop.refused("live", 5, "shops") == (missing, none)

    def test_a_version_has_one_configuration_by_whatever_name(self, shop: Shop) -> None:
        shop.alias("also")
        shop.provision("1", 5)
        assert shop.refused("live", 5) == TWICE
        shop.api.delete_provisioned_concurrency_config(FunctionName="shop", Qualifier="1")
        shop.provision("live", 5)
        assert shop.refused("also", 5) == TWICE
        pointed = "Version is pointed by a Provisioned Concurrency alias"
        assert shop.refused("1", 5) == ("ResourceConflictException", pointed)
        shop.provision("2", 5)

    def test_an_alias_with_weights_cannot(self, shop: Shop) -> None:
        shop.update(RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}})
        text = "Alias with weights can not be used with Provisioned Concurrency"
        assert shop.refused("live", 5) == ("InvalidParameterValueException", text)
        shop.update(RoutingConfig={"AdditionalVersionWeights": {}})
        shop.provision("live", 5)

    def test_the_qualifier_may_come_with_the_name_but_not_two(self, shop: Shop) -> None:
        shop.provision("live", 5, function=f"{shop.arn}:live")
        code, text = shop.refused("live", 5, f"{shop.arn}:dead")
        assert code == "InvalidParameterValueException"
        assert text.startswith("The derived qualifier from the function name does not match")


class TestReading:
    def test_what_was_not_configured_is_not_found(self, shop: Shop) -> None:
        get = shop.api.get_provisioned_concurrency_config
        code, text = refused(get, FunctionName="shop", Qualifier="live")
        assert code == "ProvisionedConcurrencyConfigNotFoundException"
        assert text == "No Provisioned Concurrency Config found for this function"

    @pytest.mark.parametrize("call", ["get", "delete"])
    def test_latest_has_none_to_read_or_delete(self, shop: Shop, call: str) -> None:
        act = getattr(shop.api, f"{call}_provisioned_concurrency_config")
        text = "The function resource provided must be an alias or a published version."
        assert refused(act, FunctionName="shop", Qualifier="$LATEST") == (
            "InvalidParameterValueException",
            text,
        )

    def test_all_of_a_function_are_listed_page_by_page(self, shop: Shop) -> None:
        for qualifier in ("live", "2", "3"):
            shop.provision(qualifier, 5)
        pages = shop.api.get_paginator("list_provisioned_concurrency_configs").paginate(
            FunctionName="shop", PaginationConfig={"PageSize": 2}
        )
        found = [
            [each["FunctionArn"] for each in page["ProvisionedConcurrencyConfigs"]]
            for page in pages
        ]
        assert found == [[f"{shop.arn}:2", f"{shop.arn}:3"], [f"{shop.arn}:live"]]

    def test_deleting_gives_back_at_once_and_twice_is_fine(self, shop: Shop) -> None:
        shop.provision("live", 5)
        for _ in range(2):
            shop.api.delete_provisioned_concurrency_config(FunctionName="shop", Qualifier="live")
        assert shop.unreserved == 1000

    def test_it_goes_with_its_alias(self, shop: Shop) -> None:
        shop.provision("live", 5)
        shop.api.delete_alias(FunctionName="shop", Name="live")
        assert shop.unreserved == 1000
        shop.provision("1", 5)


class TestAnAliasThatMoves:
    def test_lets_go_and_allocates_anew_while_the_old_version_serves(self, shop: Shop) -> None:
        shop.provision("live", 5)
        shop.ready()
        shop.update(FunctionVersion="2")
        assert shop.provisioned() == ("IN_PROGRESS", 5, 5)
        assert shop.shares() == {"1": 1.0}
        weights = "Alias with weights can not be used with Provisioned Concurrency"
        assert shop.refused("live", 6) == ("InvalidParameterValueException", weights)
        shop.ready()
        assert (shop.provisioned(), shop.shares()) == (("READY", 5, 5), {})
        shop.provision("live", 6)

    def test_or_moves_at_once(self, shop: Shop) -> None:
        WORLD.switches.alias_keeps_old_version = False
        shop.provision("live", 5)
        shop.ready()
        shop.update(FunctionVersion="2")
        assert (shop.provisioned(), shop.shares()) == (("IN_PROGRESS", 5, 0), {})
        shop.ready()
        assert shop.provisioned() == ("READY", 5, 5)

    def test_stays_with_the_old_version_when_the_new_one_cannot_start(self, shop: Shop) -> None:
        WORLD.lambdas.failing = ["shop:2"]
        shop.provision("live", 5)
        shop.ready()
        shop.update(FunctionVersion="2")
        shop.account.wait(3600)
        assert (shop.provisioned(), shop.shares()) == (("FAILED", 5, 5), {"1": 1.0})
        wedged = "Invalid alias configuration for Provisioned Concurrency"
        assert shop.update_refused(FunctionVersion="3")[1] == wedged
        back = "Function version 1 is already included in routing configuration."
        assert shop.update_refused(FunctionVersion="1")[1].endswith(back)
        shop.update(FunctionVersion="3", RoutingConfig={})
        shop.ready()
        assert (shop.provisioned(), shop.shares()) == (("READY", 5, 5), {})

    def test_leaves_its_weights_behind_with_its_provisioned_concurrency(self, shop: Shop) -> None:
        shop.provision("live", 5)
        shop.update(FunctionVersion="2")
        shop.api.delete_provisioned_concurrency_config(FunctionName="shop", Qualifier="live")
        assert shop.shares() == {}

    def test_not_to_latest_nor_to_a_version_that_has_its_own(self, shop: Shop) -> None:
        shop.provision("live", 5)
        shop.provision("2", 5)
        assert shop.update_refused(FunctionVersion="$LATEST") == UNPUBLISHED
        assert shop.update_refused(FunctionVersion="2") == TWICE

    def test_takes_no_weights_while_it_has_provisioned_concurrency(self, shop: Shop) -> None:
        shop.provision("live", 5)
        code, text = shop.update_refused(RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}})
        assert code == "InvalidParameterValueException"
        assert text == "Invalid alias configuration for Provisioned Concurrency"
        shop.update(Description="said anew")
        assert shop.shares() == {}


def test_functions_on_managed_instances_have_none(shop: Shop) -> None:
    """Lambda developer guide, lambda-managed-instances-scaling: environments of another kind."""
    provider = "arn:aws:lambda:us-east-1:123456789012:capacity-provider:own"
    config = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": provider}}
    shop.create("pool", 1, CapacityProviderConfig=config)
    assert shop.refused("1", 5, "pool")[0] == "InvalidParameterValueException"
    told = shop.api.get_function_configuration(FunctionName="pool", Qualifier="1")
    assert told["CapacityProviderConfig"] == config
    assert "CapacityProviderConfig" not in shop.api.get_function_configuration(FunctionName="shop")


def test_functions_with_snapstart_have_none(shop: Shop) -> None:
    """Lambda developer guide, snapstart, "Supported features and limitations"."""
    shop.create("quick", 1, SnapStart={"ApplyOn": "PublishedVersions"})
    assert shop.refused("1", 5, "quick")[0] == "InvalidParameterValueException"
    told = shop.api.get_function_configuration(FunctionName="quick", Qualifier="1")
    assert told["SnapStart"]["ApplyOn"] == "PublishedVersions"
    plain = shop.api.get_function_configuration(FunctionName="shop")
    assert plain["SnapStart"]["ApplyOn"] == "None"
