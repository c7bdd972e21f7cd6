"""What a level costs and whether it pays, from prices a GB-second."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.provisioned_concurrency.money import bill, break_even, busy, dollars_an_hour
from functions.provisioned_concurrency.settings import Prices, UnitPrices
from tests.unit.pc import alias, minute, steady

X86, ARM = Prices().lambda_x86, Prices().lambda_arm


@pytest.mark.parametrize("prices", [X86, ARM])
def test_an_environment_pays_when_it_is_busy_three_fifths_of_the_time(prices: UnitPrices) -> None:
    assert break_even(prices) == pytest.approx(0.6, abs=0.001)


@pytest.mark.parametrize(
    "prices",
    [UnitPrices(), UnitPrices(0.00002, 0, 0), UnitPrices(0.00001, 0.000004, 0.00001)],
    ids=["none", "not provisioned's", "nothing saved"],
)
def test_prices_that_are_not_known_or_save_nothing_have_no_break_even(prices: UnitPrices) -> None:
    assert break_even(prices) is None


def test_an_hour_of_a_level_costs_its_memory_for_as_long() -> None:
    assert dollars_an_hour(10, 2.0, X86) == pytest.approx(10 * 2 * 0.0000041667 * 3600)
    assert dollars_an_hour(10, 2.0, UnitPrices(0.00002, 0, 0)) is None


def test_a_level_is_busy_with_what_fits_into_it() -> None:
    assert busy(10, (minute(2, 5), minute(1, 30, 600))) == pytest.approx(0.75)
    assert busy(10, ()) is None
    assert busy(0, steady(5)) is None


@pytest.mark.parametrize(
    ("concurrent", "pays"), [(5.9, False), (6.1, True), (0, False), (30, True)]
)
def test_a_bill_says_whether_the_level_pays(concurrent: float, pays: bool) -> None:
    found = bill(alias(10, minutes=steady(concurrent)), 10)
    assert found.pays is pays
    assert ("does not pay" in str(found)) is not pays


@pytest.mark.parametrize(
    ("different", "said"),
    [
        ({"prices": UnitPrices(0.00002, 0, 0)}, "not known: set their price"),
        ({"prices": UnitPrices(0.00001, 0.000004, 0.00001)}, "never pay at these prices"),
        ({"minutes": ()}, "how busy is not known"),
    ],
)
def test_a_bill_says_what_it_does_not_know(different: dict[str, object], said: str) -> None:
    seen = replace(alias(10), **different)  # type: ignore[arg-type]
    found = bill(seen, 10)
    assert said in str(found)
    assert found.pays is None
