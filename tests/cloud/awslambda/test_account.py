"""How much concurrency an account has to give, and to whom.

Sources: Lambda developer guide, lambda-concurrency and gettingstarted-limits; API reference,
`PutFunctionConcurrency`.
"""

from __future__ import annotations

import pytest

from local.cloud import WORLD
from local.cloud.servicequotas.catalogue import Catalogue
from local.cloud.servicequotas.keeper import of
from tests.cloud.awslambda.conftest import Shop
from tests.cloud.hosting import refused


def limit(value: int) -> None:
    """The account's quota "Concurrent executions"."""
    of("123456789012", "us-east-1").values["lambda", "L-B99A9384", None] = value


def below(minimum: int, what: str = "ConcurrentExecutions") -> tuple[str, str]:
    return (
        "InvalidParameterValueException",
        f"Specified {what} for function decreases account's UnreservedConcurrentExecution below its "
        f"minimum value of [{minimum}].",
    )


def reservation_refused(shop: Shop, amount: int, function: str = "shop") -> tuple[str, str]:
    return refused(
        shop.api.put_function_concurrency,
        FunctionName=function,
        ReservedConcurrentExecutions=amount,
    )


def test_a_hundred_are_left_for_everybody(shop: Shop) -> None:
    assert shop.refused("live", 901) == below(100)
    shop.provision("live", 900)
    assert shop.unreserved == 100
    assert shop.refused("2", 1) == below(100)
    assert reservation_refused(shop, 901) == below(100, "ReservedConcurrentExecutions")


def test_other_functions_count_too(shop: Shop) -> None:
    shop.create("cart", 1)
    shop.reserve(400, "cart")
    assert shop.refused("live", 501) == below(100)
    shop.provision("live", 500)


def test_what_a_change_gives_back_counts(shop: Shop) -> None:
    shop.provision("live", 900)
    shop.ready()
    shop.provision("live", 899)
    shop.ready()
    shop.provision("live", 900)
    shop.api.delete_provisioned_concurrency_config(FunctionName="shop", Qualifier="live")
    shop.reserve(900)
    shop.reserve(800)
    shop.reserve(900)


def test_less_is_always_allowed(shop: Shop) -> None:
    shop.provision("live", 900)
    shop.ready()
    limit(500)
    shop.provision("live", 899)


@pytest.mark.parametrize("whole", [10, 50])
def test_a_small_account_must_leave_all_it_has(shop: Shop, whole: int) -> None:
    limit(whole)
    assert shop.refused("live", 1) == below(whole)
    assert reservation_refused(shop, 1) == below(whole, "ReservedConcurrentExecutions")


def test_the_minimum_can_be_another_one(shop: Shop) -> None:
    WORLD.lambdas.unreserved_minimum = 50
    shop.provision("live", 950)
    assert shop.refused("2", 1) == below(50)


def test_the_limit_is_the_accounts_quota(shop: Shop) -> None:
    limit(2000)
    shop.provision("live", 1900)
    limits = shop.api.get_account_settings()["AccountLimit"]
    assert limits["ConcurrentExecutions"] == 2000
    assert limits["UnreservedConcurrentExecutions"] == 100


def test_account_settings_may_tell_of_reservations_alone(shop: Shop) -> None:
    """Of what may be provisioned that changes nothing."""
    WORLD.switches.account_settings_count_provisioned = False
    shop.provision("live", 400)
    assert shop.unreserved == 1000
    assert shop.refused("2", 501) == below(100)
    shop.create("cart", 1)
    shop.reserve(300, "cart")
    assert shop.unreserved == 700


def test_it_is_awss_default_in_a_catalogue_without_it(shop: Shop) -> None:
    of("123456789012", "us-east-1").replaced = Catalogue.of([])
    assert shop.unreserved == 1000


def test_provisioned_concurrency_comes_out_of_the_functions_reservation(shop: Shop) -> None:
    shop.reserve(10)
    assert shop.unreserved == 990
    shop.provision("live", 6)
    assert shop.unreserved == 990
    too_much = (
        "InvalidParameterValueException",
        "Requested Provisioned Concurrency should not be greater than the "
        "reservedConcurrentExecution for function",
    )
    assert shop.refused("2", 5) == too_much
    shop.provision("2", 4)


def test_a_reservation_is_not_lowered_below_what_is_provisioned(shop: Shop) -> None:
    shop.provision("live", 6)
    code, text = reservation_refused(shop, 5)
    assert code == "InvalidParameterValueException"
    assert text.strip() == (
        "ReservedConcurrentExecutions  5 should not be lower than function's total provisioned "
        "concurrency [6]."
    )
    shop.reserve(6)
    assert shop.unreserved == 994


def test_a_reservation_is_the_whole_functions(shop: Shop) -> None:
    code, text = reservation_refused(shop, 5, f"{shop.arn}:live")
    assert code == "InvalidParameterValueException"
    assert text.startswith("This operation is permitted on Lambda functions only.")


def test_a_reservation_is_read_and_given_back(shop: Shop) -> None:
    get, reserved = shop.api.get_function_concurrency, "ReservedConcurrentExecutions"
    assert reserved not in get(FunctionName="shop")
    shop.reserve(0)
    assert get(FunctionName="shop")[reserved] == 0
    shop.reserve(7)
    assert shop.api.get_function(FunctionName="shop")["Concurrency"] == {reserved: 7}
    shop.api.delete_function_concurrency(FunctionName="shop")
    assert reserved not in get(FunctionName="shop")
    assert shop.unreserved == 1000
