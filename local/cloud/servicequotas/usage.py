"""How much of each quota is in use: whoever owns a use says how it is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Measure = Callable[[str, str], Mapping[str, float]]
"""(account_id, region) -> quota name -> how much of it is in use now."""

_measures: dict[str, Measure] = {}


def meter(service_code: str, measure: Measure) -> None:
    """Let `measure` say how much of the quotas of a service is in use.

    Registered once, when the service that owns the use is installed. It is called inside a turn;
    quotas it leaves out are not in use, names the catalogue lacks are ignored.
    """
    _measures[service_code] = measure
