"""CloudTrail's one operation that is served here: LookupEvents. Trails are not simulated.

`install_cloudtrail()` puts it in moto's place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from local.cloud.cloudtrail.history import EventHistory, mark
from local.cloud.seam import Refusal, extend, operation
from local.cloud.world import WORLD

ATTRIBUTES = frozenset(
    {"AccessKeyId", "EventId", "EventName", "EventSource", "ReadOnly", "Username"}
)
"""Those of the model's that are simulated: which resources CloudTrail finds in a call is not
documented."""
PAGE = 50


class CloudTrail(EventHistory):
    """One account's CloudTrail in one Region, as it is served."""

    @operation
    def lookup_events(
        self,
        lookup_attributes: Sequence[Mapping[str, str]] = (),
        start_time: datetime | float | None = None,
        end_time: datetime | float | None = None,
        max_results: int = PAGE,
        next_token: str | None = None,
    ) -> dict[str, Any]:
        """Events of the last 90 days, the newest first; one attribute at most.

        Sources: CloudTrail API reference, LookupEvents (rate, order, one attribute, a token is for
        the same parameters alone) and CommonErrors (ThrottlingException); its service model, the
        exceptions' texts of when they occur. The text of a throttled call is the SDKs' usual one.
        """
        if WORLD.switches.event_lookup_rate and not self.serves():
            raise Refusal("ThrottlingException", "Rate exceeded")
        wanted = _wanted(lookup_attributes)
        start, end = _epoch(start_time, -math.inf), _epoch(end_time, math.inf)
        if start > end:
            raise Refusal("InvalidTimeRangeException", "The start time occurs after the end time.")
        asked = mark(sorted(wanted.items()), start_time, end_time, max_results)
        events, more = self.found(start, end, wanted, _below(next_token, asked), max_results)
        token = {"NextToken": f"{asked}-{events[-1].number}"} if more else {}
        return {"Events": [each.described() for each in events], **token}


def install_cloudtrail() -> None:
    """Put our CloudTrail in moto's place, wholly. Run it before the first call of any service."""
    extend("cloudtrail", CloudTrail)


def _wanted(attributes: Sequence[Mapping[str, str]]) -> dict[str, str]:
    if len(attributes) > 1:
        raise Refusal(
            "InvalidLookupAttributesException",
            "You can only specify one attribute in the lookup attributes list.",
        )
    wanted = {each["AttributeKey"]: each["AttributeValue"] for each in attributes}
    for name in wanted.keys() - ATTRIBUTES:
        raise Refusal(
            "UnsupportedByPocketAccount", f"The pocket account does not look events up by {name}."
        )
    return wanted


def _below(token: str | None, asked: str) -> int | None:
    if token is None:
        return None
    marked, _, number = token.partition("-")
    if marked != asked or not number.isdecimal():
        raise Refusal(
            "InvalidNextTokenException",
            "The token is not valid, or belongs to a request with other parameters.",
        )
    return int(number)


def _epoch(moment: datetime | float | None, otherwise: float) -> float:
    if moment is None:
        return otherwise
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)
