"""Which quotas there are: names to codes and to usage metrics, listed once and remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from functions.core.alarms import Metric
from functions.core.memory import Memento, Memory
from functions.quota_increase.observation import UsageMetric
from functions.quota_increase.quota_names import CODES
from functions.quota_increase.readings import same_name
from functions.quota_increase.usage import metric_of

logger = Logger(child=True)

PAGE = 100
AGED = timedelta(days=7)
UNKNOWN_AFTER = timedelta(hours=1)
"""A name that the list lacks makes it be listed again, though not more often than this."""
PREFIX = "catalogue#"
SERVICES = "services"


@dataclass(frozen=True)
class Known:
    """A quota of the catalogue. value: as it was when it was listed."""

    service: str
    code: str
    name: str
    value: float | None
    metric: UsageMetric | None


class Catalogue:
    """quotas: a boto3 client of Service Quotas. now: the time of this invocation."""

    def __init__(self, quotas: Any, memory: Memory, now: Callable[[], datetime]) -> None:
        self._quotas = quotas
        self._memory = memory
        self._now = now
        self._read: dict[str, tuple[datetime, list[Known]]] = {}

    def code(self, service: str, name: str) -> str | None:
        """The code of the quota of that name; None when Service Quotas lists no such name."""
        found = self._named(service, name)
        if found is None and self._now() - self._of(service)[0] > UNKNOWN_AFTER:
            self.refresh(service)
            found = self._named(service, name)
        return found

    def name(self, service: str, code: str) -> str | None:
        """The name of a quota, if it is known offline or was listed before; lists nothing."""
        for name, known_code in CODES.get(service, {}).items():
            if known_code == code:
                return name
        remembered = self._recalled(service)
        known = remembered[1] if remembered else []
        return next((each.name for each in known if each.code == code), None)

    def measured_by(self, services: Iterable[str], metrics: Iterable[Metric]) -> list[Known]:
        """Quotas of the services whose usage metric is one of an alarm's metrics."""
        wanted = [(m.namespace, m.name, dict(m.dimensions)) for m in metrics]
        return [
            each
            for service in services
            for each in self._of(service)[1]
            if each.metric
            and (each.metric.namespace, each.metric.name, dict(each.metric.dimensions)) in wanted
        ]

    def all(self) -> dict[str, tuple[datetime, list[Known]]]:
        """Every remembered service: when it was listed, and its quotas."""
        for memento in self._memory.recall_all(PREFIX):
            service = memento.name.removeprefix(PREFIX)
            self._read.setdefault(service, (memento.at, _known(service, memento)))
        return self._read

    def services(self) -> list[str]:
        """Codes of all services that Service Quotas knows, listed anew once they have aged."""
        known = self._memory.recall(SERVICES)
        if known is not None and self._now() - known.at < AGED:
            return [str(code) for code in known.document]
        found = self._pages(self._quotas.list_services, "Services")
        codes = [str(each["ServiceCode"]) for each in found]
        self._memory.remember(SERVICES, codes, self._now())
        return codes

    def refresh(self, service: str) -> int:
        """List a service's quotas and remember them; answers how many calls it took.

        Both lists are needed: some quotas have a default only (API reference, ListServiceQuotas).
        """
        rows: dict[str, Mapping[str, Any]] = {}
        calls = 0
        for listing in (
            self._quotas.list_aws_default_service_quotas,
            self._quotas.list_service_quotas,
        ):
            try:
                found = self._pages(listing, "Quotas", ServiceCode=service)
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchResourceException":
                    raise
                logger.warning("a rule names a service that Service Quotas lacks", service=service)
                found = []
            rows |= {each["QuotaCode"]: each for each in found}
            calls += -(-len(found) // PAGE) or 1
        packed = [_packed(each) for each in rows.values()]
        self._memory.remember(f"{PREFIX}{service}", packed, self._now())
        self._read[service] = (self._now(), [_unpacked(service, each) for each in packed])
        return calls

    def _named(self, service: str, name: str) -> str | None:
        known = self._of(service)[1]
        return next((each.code for each in known if same_name(each.name, name)), None)

    def _of(self, service: str) -> tuple[datetime, Sequence[Known]]:
        if self._recalled(service) is None:
            self.refresh(service)
        return self._read[service]

    def _recalled(self, service: str) -> tuple[datetime, Sequence[Known]] | None:
        if service not in self._read:
            memento = self._memory.recall(f"{PREFIX}{service}")
            if memento is None:
                return None
            self._read[service] = (memento.at, _known(service, memento))
        return self._read[service]

    @staticmethod
    def _pages(listing: Callable[..., Any], member: str, **given: str) -> list[Mapping[str, Any]]:
        """All pages; some services hand out tokens for pages that were already seen."""
        found: list[Mapping[str, Any]] = []
        seen: set[str] = set()
        more: dict[str, str] = {}
        while True:
            page = listing(MaxResults=PAGE, **given, **more)
            fresh = [each for each in page[member] if _code(each) not in seen]
            seen |= {_code(each) for each in fresh}
            found += fresh
            if not page.get("NextToken") or not fresh:
                return found
            more = {"NextToken": page["NextToken"]}


def _code(described: Mapping[str, Any]) -> str:
    return str(described.get("QuotaCode") or described["ServiceCode"])


def _packed(described: Mapping[str, Any]) -> list[Any]:
    """A row of the remembered document: code, name, value and usage metric, as short as can be."""
    metric = metric_of(described)
    shown = metric and [
        metric.namespace,
        metric.name,
        dict(metric.dimensions),
        metric.statistic,
        metric.seconds,
    ]
    return [described["QuotaCode"], described.get("QuotaName", ""), described.get("Value"), shown]


def _unpacked(service: str, row: Sequence[Any]) -> Known:
    code, name, value, metric = row
    return Known(service, code, name, value, UsageMetric(*metric) if metric else None)


def _known(service: str, memento: Memento) -> list[Known]:
    return [_unpacked(service, row) for row in memento.document]
