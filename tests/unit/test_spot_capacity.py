"""Which base buys how much On-Demand, and the form in which a distribution is taken back."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.spot_fallback.capacity import lowered, on_demand, raised, taken_back, with_base
from tests.unit.groups import distribution


@given(
    base=st.integers(0, 70),
    percentage=st.integers(0, 100),
    desired=st.integers(0, 60),
    units=st.integers(0, 60),
)
def test_the_raised_base_is_the_smallest_that_buys_what_is_missing_and_buys_no_more(
    base: int, percentage: int, desired: int, units: int
) -> None:
    units = min(units, desired)
    given = distribution(base, percentage)
    result = raised(given, desired, units)
    bought = {b: on_demand(with_base(given, b), desired) for b in range(result + 1)}
    assert result >= base
    assert bought[result] >= units
    assert all(bought[smaller] < units for smaller in range(base, result))
    if result > base:
        assert bought[result] == units


@given(base=st.integers(0, 60), percentage=st.integers(0, 100), desired=st.integers(0, 60))
def test_on_demand_is_the_base_and_the_percentage_above_it_rounded_up(
    base: int, percentage: int, desired: int
) -> None:
    low = min(base, desired)
    expected = low + math.ceil(percentage * (desired - low) / 100)
    assert on_demand(distribution(base, percentage), desired) == expected


@pytest.mark.parametrize(
    ("base", "percentage", "units", "result"),
    [(5, 0, 4, 4), (5, 0, 2, 2), (5, 0, 0, 0), (2, 50, 5, 0), (6, 50, 7, 4), (4, 100, 9, 0)],
)
def test_the_lowered_base_is_the_highest_that_buys_so_few(
    base: int, percentage: int, units: int, result: int
) -> None:
    assert lowered(distribution(base, percentage), 10, units, 0) == result


@pytest.mark.parametrize(
    ("shown", "kept"),
    [
        ({}, {"OnDemandBaseCapacity": 0, "OnDemandPercentageAboveBaseCapacity": 100}),
        (
            {**distribution(2), "SpotInstancePools": 0, "SpotMaxPrice": ""},
            distribution(2),
        ),
        (
            {**distribution(2), "SpotAllocationStrategy": "lowest-price", "SpotInstancePools": 3},
            {**distribution(2), "SpotAllocationStrategy": "lowest-price", "SpotInstancePools": 3},
        ),
        ({**distribution(2), "DistributionSegments": []}, distribution(2)),
        ({"DistributionSegments": [{}]}, {"DistributionSegments": [{}]}),
        ({**distribution(2), "SpotMaxPrice": "0.3"}, {**distribution(2), "SpotMaxPrice": "0.3"}),
    ],
)
def test_a_distribution_is_kept_in_the_form_in_which_it_is_taken_back(
    shown: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert taken_back(shown) == kept
