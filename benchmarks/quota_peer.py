"""The same quotas scanned by Cloud Custodian and by this project, in the same accounts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.catalogue import HISTORY_MINUTES, Catalogue, Size, generate
from benchmarks.custodian import RETRIES, VERSION, Custodian
from benchmarks.figures import Figure, Measurement
from benchmarks.planted import HOT, TRAPS, Key
from benchmarks.quota_scan import SEED, WHOLE
from benchmarks.quota_scene import HOT_PERCENT, QuotaScene, Scanned
from local.pocket import Pocket

PEER = f"Cloud Custodian {VERSION}"
SIZES = (
    Size(services=25, quotas=400, measured=183, used=40),
    Size(services=75, quotas=1600, measured=733, used=141),
    WHOLE,
)
REQUEST = "servicequotas RequestServiceQuotaIncrease"
LIMITS = (
    "Cloud Custodian runs unmodified, by the policy that its documentation shows: usage metrics to"
    " 80 %, then request-increase. It remembers nothing, so each of its runs lists all; ours are"
    " shown with the catalogue listed first and with it known.",
    "Both are counted without their requests for increases. Cloud Custodian's seconds have the"
    " start of its process in them and its own pause of 0.1 s after each page; ours are those at"
    " work, while looks are a minute apart: a scan by report is over in the second minute, and the"
    " first by metrics, which lists the whole catalogue, in the sixth, later than Cloud Custodian.",
    "Calls cross a loopback, which favours whoever makes many: a call of AWS takes longer.",
    "Cloud Custodian looks at a day's use, the account has an hour's; a day's makes sums larger.",
    "Of what it takes for hot, the gauge that recommends Sum is documented, and its remedy is a"
    " policy of its own for that quota (cloud-custodian#10694); no public page shows calls without"
    " a period, that trap is ours.",
    "Requests are made with AWS_RETRY_MODE=standard, to its advantage: botocore's first mode does"
    " not try again what Service Quotas refuses for its rate (botocore#2328), and its seventh"
    " request within a second ended the run.",
    "Known elsewhere, not measured here: each of Service Quotas' lists allows ten calls a second"
    " (Service Quotas user guide), so listing 8,442 quotas takes half a minute, whoever does;"
    " quota-monitor-for-aws 6.3.12, by its source, pauses a second after each page and asks two"
    " queries a quota, a hundred a call; Cloud Custodian's formula, by its source, is a call for"
    " a hundred services, two for a page of a service's quotas and one for each usage metric.",
)


@dataclass(frozen=True)
class Compared:
    """One catalogue, scanned by both. requested: what Cloud Custodian requested more of."""

    size: Size
    catalogue: Catalogue
    report: Scanned
    cold: Scanned
    warm: Scanned
    peer: Scanned
    requested: frozenset[Key]

    @property
    def peer_reads(self) -> int:
        """Cloud Custodian's calls without its requests for increases."""
        return self.peer.counted - self.peer.calls.get(REQUEST, 0)


def measure(say: Callable[[str], None]) -> Measurement:
    """Catalogues of three sizes, each in an account of its own."""
    compared = [_compare(size, say) for size in SIZES]
    small, whole = compared[0], compared[-1]
    more = whole.size.quotas - small.size.quotas
    return Measurement(
        figures=[
            Figure(f"Reads of a whole quota scan, {PEER}", whole.peer_reads),
            Figure("the same by this project's report", whole.report.counted),
            Figure("the same by its metrics, the catalogue known", whole.warm.counted),
            Figure(f"Whole quota scan, {PEER}", whole.peer.seconds, "s"),
            Figure("the same by this project's report, at work", whole.report.seconds, "s"),
            Figure(f"Quotas taken for hot that are not, {PEER}", whole.peer.false),
        ],
        parts=[
            *(part for each in compared for part in _parts(each)),
            Figure(
                f"{PEER}: reads for each further quota",
                (whole.peer_reads - small.peer_reads) / more,
            ),
            Figure(
                f"{PEER}: seconds for each further thousand quotas",
                1000 * (whole.peer.seconds - small.peer.seconds) / more,
                "s",
            ),
            Figure(
                "by report: calls for each further quota",
                (whole.report.counted - small.report.counted) / more,
            ),
        ],
        settings={
            "peer": f"c7n=={VERSION}, from PyPI",
            "policies": "benchmarks/peers/custodian-policies.yml",
            "environment": dict(RETRIES),
            "catalogues": [
                asdict(each.size) | {"pages": each.catalogue.pages, "seed": SEED}
                for each in compared
            ],
            "hot": len(HOT),
            "hot_percent": HOT_PERCENT,
            "history_minutes": HISTORY_MINUTES,
            "taken_for_hot": {"/".join(key): why for key, why in _taken(whole.peer.found).items()},
        },
        limits=LIMITS,
    )


def _compare(size: Size, say: Callable[[str], None]) -> Compared:
    catalogue = generate(size, SEED)
    with Pocket() as account:
        say(f"{size.quotas} quotas: this project")
        scene = QuotaScene(account, catalogue)
        report = scene.scan("REPORT", "by_report")
        cold = scene.scan("COLD", "by_metrics")
        warm = scene.scan("WARM", "by_metrics")
        say(f"{size.quotas} quotas: {PEER}")
        # What it requests stays pending until it was listed.
        account.control("PUT", "/durations", {"quota_decision": 3600})
        custodian = Custodian(account)
        started = time.perf_counter()
        matched = custodian.run("raise-hot-quotas", "CUSTODIAN")
        seconds = time.perf_counter() - started
        requested = frozenset(_requested(account.client("service-quotas")))
        if size == SIZES[0]:
            say(f"{size.quotas} quotas: {PEER}, its plain listings")
            _check_listings(custodian, catalogue, requested)
        peer = scene.scanned("CUSTODIAN", frozenset(map(_key, matched)), seconds=seconds)
    return Compared(size, catalogue, report, cold, warm, peer, requested)


def _requested(client: Any) -> Iterator[Key]:
    pages = client.get_paginator("list_requested_service_quota_change_history").paginate()
    for page in pages:
        yield from map(_key, page["RequestedQuotas"])


def _key(described: Mapping[str, Any]) -> Key:
    return described["ServiceCode"], described["QuotaCode"]


def _check_listings(custodian: Custodian, catalogue: Catalogue, requested: frozenset[Key]) -> None:
    """Its plain listings and filters say what the catalogue says; raises AssertionError."""
    quotas = dict(catalogue.quotas())
    fixed = {
        key
        for key, quota in quotas.items()
        if "metric" in quota and not quota.get("adjustable", True)
    }
    expected = {
        "all-quotas": set(quotas),
        "all-defaults": set(quotas),
        "fixed-and-measured": fixed,
        "requested": set(requested),
    }
    for policy, keys in expected.items():
        found = [_key(each) for each in custodian.run(policy, "LISTING")]
        if sorted(found) != sorted(keys):
            raise AssertionError(f"{PEER} lists for {policy}: {found}, and there is {keys}")
    services = [each["ServiceCode"] for each in custodian.run("all-services", "LISTING")]
    if sorted(services) != sorted({service for service, _ in quotas}):
        raise AssertionError(f"{PEER} lists the services {services}")


def _taken(found: frozenset[Key]) -> Mapping[Key, str]:
    """Why each quota that was wrongly taken for hot is in the catalogue."""
    hot = {each.key for each in HOT}
    why = {each.key: each.why for each in TRAPS}
    return {key: why.get(key, "none of the traps") for key in sorted(found - hot)}


def _parts(compared: Compared) -> Sequence[Figure]:
    peer, size = compared.peer, compared.size
    hot = {each.key for each in HOT}

    def of(what: str, value: float, unit: str = "") -> Figure:
        return Figure(f"{size.quotas} quotas, {what}", value, unit)

    ours = {
        "by report": compared.report,
        "by metrics, listing first": compared.cold,
        "by metrics, the catalogue known": compared.warm,
    }
    return [
        *(of(f"{way}: calls", each.counted) for way, each in ours.items()),
        *(of(f"{way}: at work", each.seconds, "s") for way, each in ours.items()),
        of("each of these: hot found", min(len(each.found & hot) for each in ours.values())),
        of("each of these: not hot", max(each.false for each in ours.values())),
        of(f"{PEER}: reads", compared.peer_reads),
        of(f"{PEER}: seconds", peer.seconds, "s"),
        of(f"{PEER}: hot found", len(peer.found & hot)),
        of(f"{PEER}: not hot", peer.false),
        of(f"{PEER}: requests for hot quotas", len(compared.requested & hot)),
        of(f"{PEER}: requests for others", len(compared.requested - hot)),
        of(f"{PEER}: calls refused for their rate", peer.refused),
    ]
