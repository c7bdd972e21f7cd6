"""A pocket account with a catalogue of quotas, and scans of it by the project's own code."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import boto3
from botocore.exceptions import ClientError

from benchmarks.catalogue import Catalogue
from benchmarks.planted import HOT, Key
from functions.core.clients import CONFIG
from functions.core.decision import Wait
from functions.core.memory import Memory
from functions.quota_increase import catalogue as known
from functions.quota_increase.aws import Quotas
from functions.quota_increase.scan import Hot, Scan
from functions.quota_increase.settings import QuotaRule
from local.pocket import Account

HEARTBEAT = 3.0
"""Seconds between two looks. In the stack they are a minute apart; after either time the buckets of
Service Quotas' rates are full again."""
MOST_LOOKS = 30
HOT_PERCENT = 80
EVERYTHING = QuotaRule(service="*", quota="*", max=10**9, max_growth=10**9)
TABLE = "ledger"
COUNTED = ("servicequotas", "monitoring")
"""Services whose calls are a scan's, by the name that calls are signed for."""


@dataclass(frozen=True)
class Scanned:
    """What a scan came to. seconds: at work, without the pauses between looks; answering: of these,
    until the account had answered. calls: every call, by service and operation. refused: those of
    them that Service Quotas refused for their rate."""

    found: frozenset[Key]
    calls: Mapping[str, int]
    refused: int
    looks: int
    seconds: float
    answering: float

    @property
    def missed(self) -> int:
        """Hot quotas that were not found."""
        return len({each.key for each in HOT} - self.found)

    @property
    def false(self) -> int:
        """Quotas that were taken for hot and are not."""
        return len(self.found - {each.key for each in HOT})

    @property
    def counted(self) -> int:
        """Calls of Service Quotas and CloudWatch, refused ones included."""
        return sum(n for name, n in self.calls.items() if name.startswith(COUNTED))


class QuotaScene:
    """The account's quotas are those of the catalogue, nothing has happened to them, and this
    project remembers nothing of them."""

    def __init__(self, account: Account, catalogue: Catalogue) -> None:
        self.account = account
        account.control("PUT", "/servicequotas/catalogue", catalogue.body)
        keys = {"pk": "HASH", "sk": "RANGE"}
        account.client("dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys],
            KeySchema=[{"AttributeName": k, "KeyType": kind} for k, kind in keys.items()],
        )

    def scan(self, name: str, way: Literal["by_report", "by_metrics"]) -> Scanned:
        """One scan under an access key of its own, look by look as the heartbeat makes them, and
        the history that the looks at what it found would read."""
        client = self._clients(name)
        seconds = 0.0
        for looks in range(1, MOST_LOOKS + 1):
            quotas, scan = self._look(client)
            started = time.perf_counter()
            found = _unless_refused(getattr(scan, way))
            if found is not None:
                quotas.history()
            seconds += time.perf_counter() - started
            if found is not None:
                hot = frozenset((each.service, each.code) for each in found)
                return self.scanned(name, hot, looks, seconds)
            time.sleep(HEARTBEAT)
        raise AssertionError(f"a scan {way} was not done after {MOST_LOOKS} looks")

    def scanned(
        self, name: str, found: frozenset[Key], looks: int = 1, seconds: float = 0.0
    ) -> Scanned:
        """A scan that was made under an access key: its calls, as the front door recorded them."""
        made = self.account.calls(caller=name)
        return Scanned(
            found,
            Counter(f"{call['service']} {call['operation']}" for call in made),
            sum(call["error"] == "TooManyRequestsException" for call in made),
            looks,
            seconds,
            sum(call["milliseconds"] for call in made) / 1000,
        )

    def _clients(self, name: str) -> Callable[[str], Any]:
        """Clients as the function has them, kept from look to look, signing with the name."""
        session: Any = boto3.Session(
            aws_access_key_id=name,
            aws_secret_access_key="unused",
            region_name=self.account.env["AWS_REGION"],
        )
        made: dict[str, Any] = {}

        def client(service: str) -> Any:
            if service not in made:
                url = self.account.endpoint_url
                made[service] = session.client(service, endpoint_url=url, config=CONFIG)
            return made[service]

        return client

    @staticmethod
    def _look(client: Callable[[str], Any]) -> tuple[Quotas, Scan]:
        """What one invocation of the function has for its scan."""
        service_quotas = client("service-quotas")
        memory = Memory(client("dynamodb"), TABLE, "quota_increase")
        quotas = Quotas(client)
        catalogue = known.Catalogue(service_quotas, memory, lambda: datetime.now(UTC))
        scan = Scan(service_quotas, quotas, catalogue, memory, [EVERYTHING], HOT_PERCENT)
        return quotas, scan


def _unless_refused(look: Callable[[datetime], Iterable[Hot] | Wait]) -> Iterable[Hot] | None:
    """What a look found, or None where the next heartbeat's goes on: it is not done yet, or Service
    Quotas refused it for its rate."""
    try:
        found = look(datetime.now(UTC))
    except ClientError as error:
        if error.response["Error"]["Code"] != "TooManyRequestsException":
            raise
        return None
    return None if isinstance(found, Wait) else found
