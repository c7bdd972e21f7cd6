"""The constraints of Lambda's service model, which moto checks by itself and ministack does not.

The rules beyond the model are stated in `tests/cloud/awslambda`, through a client.
"""

from __future__ import annotations

from typing import Any

import pytest

from local.lambda_rules import (
    Conditions,
    Function,
    Refused,
    create_alias,
    list_provisioned,
    named,
    put_provisioned,
    put_reserved,
    qualified,
)

NOW = Conditions(0.0)
SHOP = "arn:aws:lambda:us-east-1:123456789012:function:shop"


@pytest.fixture
def shop() -> Function:
    return Function(SHOP, {"1", "2"})


def refusal(act: Any, *arguments: Any) -> str:
    with pytest.raises(Refused) as refused:
        act(*arguments)
    assert refused.value.code == "ValidationException"
    return refused.value.message


def test_amounts_have_a_minimum(shop: Function) -> None:
    assert "greater than or equal to 1" in refusal(put_provisioned, shop, "1", 0, [shop], NOW)
    assert "greater than or equal to 0" in refusal(put_reserved, shop, None, -1, [shop], NOW)


@pytest.mark.parametrize(("most", "word"), [(0, "greater"), (51, "less")])
def test_pages_have_a_size(shop: Function, most: int, word: str) -> None:
    assert f"{word} than or equal to" in refusal(list_provisioned, shop, 0.0, "", most)


@pytest.mark.parametrize("name", ["12", "", "a b"])
def test_an_alias_has_a_name(shop: Function, name: str) -> None:
    asked = {"Name": name, "FunctionVersion": "1"}
    assert f"Value '{name}' at 'name'" in refusal(create_alias, shop, asked, 0.0)


@pytest.mark.parametrize(
    ("weights", "what"), [({"2": -0.1}, "value"), ({"2": 1.1}, "value"), ({"two": 0.1}, "keys")]
)
def test_a_version_has_a_weight_between_0_and_1(
    shop: Function, weights: dict[str, float], what: str
) -> None:
    routing = {"AdditionalVersionWeights": weights}
    asked = {"Name": "live", "FunctionVersion": "1", "RoutingConfig": routing}
    assert f"Map {what} must satisfy" in refusal(create_alias, shop, asked, 0.0)


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("shop", ("shop", None)),
        ("shop:live", ("shop", "live")),
        ("shop:$LATEST", ("shop", "$LATEST")),
        ("123456789012:function:shop", ("shop", None)),
        ("123456789012:shop:3", ("shop", "3")),
        (SHOP, ("shop", None)),
        (f"{SHOP}:live", ("shop", "live")),
    ],
)
def test_a_function_is_named_in_many_ways(reference: str, found: tuple[str, str | None]) -> None:
    assert named(reference) == found
    assert qualified(reference, found[1]) == found


def test_other_names_are_none() -> None:
    assert "at 'functionName'" in refusal(named, "shop/live")


class TestStates:
    """Lambda developer guide, functions-states."""

    def test_a_version_that_is_not_there_yet_takes_no_provisioned_concurrency(self) -> None:
        shop = Function(SHOP, {"1", "2"}, states={"1": "Pending", "2": "Active"})
        with pytest.raises(Refused, match=r"ResourceConflict.* state: Pending"):
            put_provisioned(shop, "1", 1, [shop], NOW)
        assert put_provisioned(shop, "2", 1, [shop], NOW)["Status"] == "IN_PROGRESS"

    def test_while_latest_is_updated_it_is_neither_updated_nor_published(self) -> None:
        with pytest.raises(Refused, match=r"ResourceConflict.* update is in progress"):
            Function(SHOP, {"1"}, updating=True).require_settled()
        Function(SHOP, {"1"}).require_settled()

    def test_that_concerns_no_version(self) -> None:
        shop = Function(SHOP, {"1"}, states={"$LATEST": "Pending"}, updating=True)
        assert put_provisioned(shop, "1", 1, [shop], NOW)["Status"] == "IN_PROGRESS"
