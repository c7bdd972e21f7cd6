"""What came in, typed: an alarm, another event, the heartbeat, an operator's nudge.

It only says where to look.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

OWN_SOURCE = "ml-capacity-remediation"
ALARM_DETAIL_TYPE = "CloudWatch Alarm State Change"
TOLD = ("Remediation Refused", "Remediation Decided")
"""Detail types by which one remediation may tell another where to look, of those that `telling`
sends. Whoever may put events on the bus can write the same; so they too only say where to look."""


class Kind(Enum):
    ALARM = "alarm"
    EVENT = "event"
    HEARTBEAT = "heartbeat"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Place:
    """Where this function stands; a signal from elsewhere is refused."""

    partition: str
    region: str
    account: str

    @classmethod
    def of_arn(cls, arn: str) -> Place:
        """The place in any ARN that names account and Region."""
        _, partition, _, region, account, *_ = arn.split(":")
        return cls(partition, region, account)


@dataclass(frozen=True)
class Signal:
    """One thing to look at.

    detail: for an alarm, the same shape whether EventBridge or the alarm itself brought it
    (`alarmName`, `state`, `previousState`, `configuration`, perhaps `muteDetail`); for another
    event, of an AWS service or of this stack, as it came. direct: the alarm invoked the function as
    its own action. place: where it happened. source, detail_type, resources: of an event, as it came.
    """

    kind: Kind
    alarm_arn: str = ""
    time: datetime = datetime.min
    detail: Mapping[str, Any] = field(default_factory=dict)
    direct: bool = False
    place: Place | None = None
    source: str = ""
    detail_type: str = ""
    resources: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """What a person would call it: an alarm's name, else what kind of event it is."""
        name = self.detail.get("alarmName") if self.kind is Kind.ALARM else None
        return str(name or self.detail_type or self.kind.value)


class BadSignal(ValueError):
    """A signal that must not be acted on. `code` is a stable name; the text says what to change."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def read_body(body: object, here: Place | None) -> Signal:
    """The signal in the body of a queue message: a JSON text of an EventBridge envelope."""
    try:
        envelope = json.loads(body) if isinstance(body, (str, bytes)) else body
    except (ValueError, RecursionError) as error:
        raise BadSignal("not-json", f"the message is not JSON: {error}") from error
    return read(envelope, here)


def read(envelope: object, here: Place | None) -> Signal:
    """The signal in an EventBridge envelope, a direct alarm invocation or a heartbeat.

    here: None reads an event of any account and Region, as when explaining one offline.
    Raises BadSignal. Shapes: CloudWatch user guide, "Alarm events and EventBridge" and
    "Invoke a Lambda function from an alarm".
    """
    if not isinstance(envelope, Mapping):
        raise BadSignal("not-an-event", f"an event is a JSON object, not {type(envelope).__name__}")
    source, detail_type = envelope.get("source"), envelope.get("detail-type")
    match source, detail_type:
        case "ml-capacity-remediation", "Heartbeat":
            return Signal(Kind.HEARTBEAT)
        case "ml-capacity-remediation", "Operator Intent":
            detail = _object(envelope, "detail")
            parts = _text(detail, "target").split(":", 5)
            if len(parts) != 6 or parts[0] != "arn":
                raise BadSignal("not-an-event", f"target {detail['target']!r:.120} is not an ARN")
            _check_place(here, parts[4], parts[3])
            return Signal(Kind.OPERATOR, detail=detail)
        case "aws.cloudwatch", "CloudWatch Alarm State Change":
            _check_place(here, envelope.get("account"), envelope.get("region"))
            resources = envelope.get("resources")
            if not isinstance(resources, list) or len(resources) != 1:
                raise BadSignal("not-an-event", "resources must hold the alarm's ARN alone")
            arn = _alarm_arn(resources[0], here)
            alarm = _alarm(_object(envelope, "detail"))
            return Signal(Kind.ALARM, arn, _time(envelope), alarm, place=Place.of_arn(arn))
        case str(), str() if source.startswith("aws.") and source != "aws.cloudwatch":
            return _event(envelope, here)
        case "ml-capacity-remediation", str() if detail_type in TOLD:
            return _event(envelope, here)
        case "aws.cloudwatch", None if "alarmData" in envelope:
            _check_place(here, envelope.get("accountId"), envelope.get("region"))
            arn = _alarm_arn(envelope.get("alarmArn"), here)
            alarm = _alarm(_object(envelope, "alarmData"))
            return Signal(Kind.ALARM, arn, _time(envelope), alarm, True, Place.of_arn(arn))
        case _:
            raise BadSignal(
                "unknown-signal",
                f"source {source!r:.80} with detail-type {detail_type!r:.80} is nothing this stack "
                "asked for",
            )


def _event(envelope: Mapping[str, Any], here: Place | None) -> Signal:
    """An event of an AWS service, or of this stack. Shape: EventBridge user guide, "Events in Amazon
    EventBridge"."""
    _check_place(here, envelope.get("account"), envelope.get("region"))
    resources = envelope.get("resources", [])
    if not isinstance(resources, list) or not all(isinstance(each, str) for each in resources):
        raise BadSignal("not-an-event", f"resources must be a list of texts, not {resources!r:.80}")
    partition = here.partition if here else "aws"
    return Signal(
        Kind.EVENT,
        time=_time(envelope),
        detail=_object(envelope, "detail"),
        place=Place(partition, _text(envelope, "region"), _text(envelope, "account")),
        source=_text(envelope, "source"),
        detail_type=_text(envelope, "detail-type"),
        resources=tuple(resources),
    )


def _alarm_arn(arn: object, here: Place | None) -> str:
    parts = arn.split(":", 6) if isinstance(arn, str) else []
    if len(parts) != 7 or parts[2] != "cloudwatch" or parts[5] != "alarm":
        raise BadSignal("not-an-event", f"{arn!r:.120} is not the ARN of a CloudWatch alarm")
    _check_place(here, parts[4], parts[3])
    return str(arn)


def _alarm(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    _text(detail, "alarmName")
    _text(_object(detail, "state"), "value")
    _object(detail, "configuration")
    if detail.get("muteDetail") is not None:
        _text(_object(detail, "muteDetail"), "mutedByArn")
    return detail


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    if not isinstance(value, Mapping):
        raise BadSignal("not-an-event", f"{key} must be an object, not {value!r:.80}")
    return value


def _text(parent: Mapping[str, Any], key: str) -> str:
    value = parent.get(key)
    if not isinstance(value, str) or not value:
        raise BadSignal("not-an-event", f"{key} must be a text, not {value!r:.80}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise BadSignal("not-an-event", f"{key} is no Unicode text: {value!r:.80}")
    return value


def _time(envelope: Mapping[str, Any]) -> datetime:
    text = _text(envelope, "time")
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadSignal("not-an-event", f"time {text!r:.80} is not ISO 8601") from error
    if time.tzinfo is None:
        raise BadSignal("not-an-event", f"time {text!r:.80} names no time zone")
    return time


def _check_place(here: Place | None, account: object, region: object) -> None:
    if here is None:
        return
    if account != here.account:
        raise BadSignal(
            "foreign-account",
            f"the event is of account {account!r:.40}; this stack repairs {here.account} only",
        )
    if region != here.region:
        raise BadSignal(
            "other-region",
            f"the event is of Region {region!r:.40}; this stack repairs {here.region} only",
        )
