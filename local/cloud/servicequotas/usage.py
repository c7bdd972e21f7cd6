"""How much of each quota is in use: whoever owns a use says how it is measured, and each minute
the usage metrics tell CloudWatch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from local.cloud.cloudwatch import record
from local.cloud.servicequotas.keeper import Keeper, Key
from local.cloud.servicequotas.quotas import Quota
from local.cloud.world import WORLD

Measure = Callable[[str, str], Mapping[str, float]]
"""(account_id, region) -> quota name -> how much of it is in use now; of a rate quota, how much
within its period."""

MINUTE = 60.0

_measures: dict[str, Measure] = {}


def meter(service_code: str, measure: Measure) -> None:
    """Let `measure` say how much of the quotas of a service is in use.

    Registered once, when the service that owns the use is installed. It is called inside a turn;
    quotas it leaves out are not in use, names the catalogue lacks are ignored.
    """
    _measures[service_code] = measure


def in_use(keeper: Keeper) -> dict[Key, float]:
    """What is in use now. A use set by hand takes the place of the measured one."""
    found: dict[Key, float] = {}
    for code, measure in _measures.items():
        if (service := keeper.catalogue.services.get(code)) is None:
            continue
        for name, amount in measure(keeper.account_id, keeper.region_name).items():
            if (quota := service.by_name.get(name)) is not None and keeper.shows(quota):
                found[code, quota.code] = amount
    return found | keeper.used


def watch(keeper: Keeper) -> None:
    """Let the usage metrics of a Region be published from the next full minute on."""
    if not keeper.watched:
        keeper.watched = True
        WORLD.later(MINUTE - WORLD.clock() % MINUTE, lambda: _publish(keeper))


def write_history(keeper: Keeper, key: Key, amounts: Sequence[float]) -> None:
    """Publish uses of minutes gone by, one a minute, the last of them the minute before this."""
    service, code = key
    quota = keeper.catalogue.services[service].quotas[code]
    now = WORLD.clock() // MINUTE * MINUTE
    for ago, amount in enumerate(reversed(amounts), 1):
        _record(keeper, quota, amount, now - ago * MINUTE)


def _publish(keeper: Keeper) -> None:
    """Usage metrics are collected every minute (CloudWatch User Guide, CloudWatch-Usage-Metrics);
    one begins with the first use and then goes on. Without any use nothing goes on: whoever reads
    a quota's value next to use it starts this again."""
    keeper.watched = False
    now = WORLD.clock()
    amounts = in_use(keeper)
    keeper.measured |= dict.fromkeys(key for key, amount in amounts.items() if amount > 0)
    sparse = WORLD.switches.sparse_sagemaker_usage and now // MINUTE % 20 != 0
    for service, code in keeper.measured:
        if not (sparse and service == "sagemaker"):
            quota = keeper.catalogue.services[service].quotas[code]
            _record(keeper, quota, amounts.get((service, code), 0.0), now - MINUTE)
    if keeper.measured:
        watch(keeper)


def _record(keeper: Keeper, quota: Quota, amount: float, timestamp: float) -> None:
    """One minute of a usage metric, at the minute's beginning. Calls are a 1 each, so that their
    Sum is what tells (CloudWatch User Guide, CloudWatch-Usage-Metrics)."""
    metric = quota.metric
    if metric is None:
        return
    place = (keeper.account_id, keeper.region_name)
    if not metric.counts_calls:
        record(
            *place, metric.namespace, metric.name, metric.dimensions, value=amount,
            timestamp=timestamp,
        )  # fmt: skip
    elif amount > 0:
        calls = amount * MINUTE / (quota.period.seconds if quota.period else MINUTE)
        record(
            *place, metric.namespace, metric.name, metric.dimensions, values=[1.0], counts=[calls],
            timestamp=timestamp,
        )  # fmt: skip
