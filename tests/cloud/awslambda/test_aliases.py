"""Aliases: what they may point to, and the lock that keeps two writers apart.

Sources: Lambda developer guide, configuring-alias-routing; botocore service model of Lambda.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud.awslambda.conftest import Shop
from tests.cloud.hosting import refused

INVALID = "InvalidParameterValueException"


def split(**weights: float) -> dict[str, Any]:
    """A routing configuration, by version: `split(v2=0.1)`."""
    shares = {name.removeprefix("v"): share for name, share in weights.items()}
    return {"AdditionalVersionWeights": shares}


def test_an_alias_may_send_a_share_to_a_second_version(shop: Shop) -> None:
    shop.alias("canary", "1", RoutingConfig=split(v2=0.1))
    assert shop.shares("canary") == {"2": 0.1}
    shop.update("canary", RoutingConfig=split(v3=0.5))
    assert shop.shares("canary") == {"3": 0.5}
    shop.update("canary", RoutingConfig={})
    assert shop.shares("canary") == {}


def test_what_an_update_does_not_say_stays(shop: Shop) -> None:
    shop.alias("canary", "1", Description="slow", RoutingConfig=split(v2=0.1))
    shop.update("canary", FunctionVersion="3")
    found = shop.api.get_alias(FunctionName="shop", Name="canary")
    assert (found["FunctionVersion"], found["Description"]) == ("3", "slow")
    assert found["RoutingConfig"] == split(v2=0.1)
    assert shop.update("canary", Description="")["Description"] == ""


@pytest.mark.parametrize(
    ("weights", "code", "text"),
    [
        (
            split(v1=0.1),
            INVALID,
            "Function version 1 is already included in routing configuration.",
        ),
        (split(v2=0.1, v3=0.1), INVALID, "AdditionalVersionWeights cannot be greater than 1"),
        (split(v9=0.1), "ResourceNotFoundException", "function:shop:9"),
        (split(v2=1.1), "ValidationException", "less than or equal to 1.0"),
        (split(v2=-0.1), "ValidationException", "greater than or equal to 0.0"),
        (split(two=0.1), "ValidationException", "[0-9]+"),
    ],
)
def test_other_weights_are_refused(
    shop: Shop, weights: dict[str, Any], code: str, text: str
) -> None:
    found, said = shop.update_refused(RoutingConfig=weights)
    assert (found, text in said) == (code, True), said
    assert shop.shares() == {}


def test_latest_shares_with_nobody(shop: Shop) -> None:
    code, text = shop.update_refused(FunctionVersion="$LATEST", RoutingConfig=split(v2=0.1))
    assert (code, text.startswith("$LATEST is not supported")) == (INVALID, True)


def test_an_alias_is_not_moved_onto_the_version_it_shares_with(shop: Shop) -> None:
    shop.update(RoutingConfig=split(v2=0.1))
    text = (
        "Invalid function version 2. Function version 2 is already included in routing "
        "configuration."
    )
    assert shop.update_refused(FunctionVersion="2") == (INVALID, text)
    shop.update(FunctionVersion="2", RoutingConfig={})


def test_a_version_must_be_there(shop: Shop) -> None:
    missing = ("ResourceNotFoundException", f"Function not found: {shop.arn}:9")
    assert shop.update_refused(FunctionVersion="9") == missing
    create = shop.api.create_alias
    assert refused(create, FunctionName="shop", Name="next", FunctionVersion="9") == missing


def test_every_write_needs_the_last_revision_or_none(shop: Shop) -> None:
    first = shop.api.get_alias(FunctionName="shop", Name="live")["RevisionId"]
    second = shop.update(FunctionVersion="2", RevisionId=first)["RevisionId"]
    assert second != first
    code, text = shop.update_refused(FunctionVersion="3", RevisionId=first)
    assert code == "PreconditionFailedException"
    assert text.startswith("The Revision Id provided does not match the latest Revision Id.")
    assert shop.update(FunctionVersion="3")["RevisionId"] not in (first, second)


def test_names_are_unique_and_never_numbers(shop: Shop) -> None:
    create = shop.api.create_alias
    assert refused(create, FunctionName="shop", Name="live", FunctionVersion="1") == (
        "ResourceConflictException",
        f"Alias already exists: {shop.arn}:live",
    )
    code, _ = refused(create, FunctionName="shop", Name="12", FunctionVersion="1")
    assert code == "ValidationException"


def test_what_is_not_there_is_named_and_deleted_without_a_word(shop: Shop) -> None:
    missing = "ResourceNotFoundException"
    get = shop.api.get_alias
    dead = f"{shop.arn}:dead"
    assert refused(get, FunctionName="shop", Name="dead") == (
        missing,
        f"Cannot find alias arn: {dead}",
    )
    assert shop.update_refused("dead") == (missing, f"Alias not found: {dead}")
    shop.api.delete_alias(FunctionName="shop", Name="dead")


def test_aliases_are_listed_and_lead_to_their_version(shop: Shop) -> None:
    shop.alias("canary", "2")
    listed = shop.api.list_aliases(FunctionName="shop")["Aliases"]
    assert [each["Name"] for each in listed] == ["canary", "live"]
    of_two = shop.api.list_aliases(FunctionName="shop", FunctionVersion="2")["Aliases"]
    assert [each["Name"] for each in of_two] == ["canary"]
    found = shop.api.get_function(FunctionName="shop", Qualifier="canary")
    assert found["Configuration"]["Version"] == "2"


def test_aliases_are_listed_fifty_a_page(shop: Shop) -> None:
    for number in range(50):
        shop.alias(f"stage{number}", "1")
    first = shop.api.list_aliases(FunctionName="shop")
    rest = shop.api.list_aliases(FunctionName="shop", Marker=first["NextMarker"])
    names = [each["Name"] for page in (first, rest) for each in page["Aliases"]]
    assert names == sorted(["live", *(f"stage{number}" for number in range(50))])
    assert (len(first["Aliases"]), "NextMarker" in rest) == (50, False)
    two = shop.api.list_aliases(FunctionName="shop", MaxItems=2)["Aliases"]
    assert [each["Name"] for each in two] == ["live", "stage0"]
    code, text = refused(shop.api.list_aliases, FunctionName="shop", MaxItems=0)
    assert (code, "greater than or equal to 1" in text) == ("ValidationException", True)


def test_a_function_takes_everything_with_it(shop: Shop) -> None:
    shop.provision("live", 5)
    shop.reserve(10)
    shop.api.delete_function(FunctionName="shop")
    assert shop.unreserved == 1000
    shop.create()
    assert shop.api.list_aliases(FunctionName="shop")["Aliases"] == []
