"""Telling: an event on the default bus, a metric, and for what a person wants to know a message."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.incident import Incident
from functions.core.signals import OWN_SOURCE

logger = Logger(child=True)

NAMESPACE = "MlCapacityRemediation"
EVENT_ENTRIES_PER_CALL = 10
NEXT_STEPS = {
    "Approval Requested": (
        "`remediation approve {id}` to have it done",
        "`remediation reject {id}` to leave it",
    ),
    "Remediation Acted": ("`remediation revert {id}` puts back what was changed",),
    "Remediation Verified": ("`remediation revert {id}` puts back what was changed",),
}
UNDONE_BY_REVERT = frozenset({"Remediation Acted", "Remediation Verified"})


def message(
    incident: Incident,
    detail_type: str,
    code: str,
    *,
    notify: bool,
    next_steps: Sequence[str] = (),
    undo: bool = True,
) -> dict[str, Any]:
    """One thing to tell, as plain data that the ledger can keep until it is told.

    detail_type: one of the stack's own event types. code: the outcome, e.g. a refusal's name.
    notify: whether people are told too, beside the event and the metric. next_steps: what a
    person could do, a sentence each. undo: whether what was done can be put back.
    """
    usual = NEXT_STEPS.get(detail_type, ()) if undo or detail_type not in UNDONE_BY_REVERT else ()
    steps = [*next_steps, *(step.format(id=incident.id) for step in usual)]
    return {
        "detail_type": detail_type,
        "code": code,
        "notify": notify,
        "detail": {
            "incidentId": incident.id,
            "remediation": incident.remediation,
            "target": incident.target,
            "mode": incident.mode,
            "decision": incident.action,
            "code": code,
            "reason": incident.reason,
            "evidence": dict(incident.evidence),
            "before": incident.before,
            "after": incident.written or incident.writing or incident.goal,
            **({"tally": _rounded(incident.tally)} if incident.tally else {}),
            **({"nextSteps": steps} if steps else {}),
        },
    }


class Teller:
    """events, sns: boto3 clients. topic: ARN of the notification topic."""

    def __init__(self, events: Any, sns: Any, topic: str) -> None:
        self._events = events
        self._sns = sns
        self._topic = topic

    def tell(self, messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Send all; returns those that could not be sent, to be kept and told again.

        Telling never raises: what was done stays done, told or not.
        """
        try:
            self._put_events(messages)
        except (BotoCoreError, ClientError, EventsRefused) as error:
            logger.error("events not sent, kept for the next look", error=str(error))
            return list(messages)
        left: list[Mapping[str, Any]] = []
        for each in messages:
            if not each.get("on_bus"):
                count(each["detail"]["remediation"], each["code"])
            if each["notify"]:
                try:
                    self._sns.publish(TopicArn=self._topic, Message=json.dumps(chat(each)))
                except (BotoCoreError, ClientError) as error:
                    logger.error("message not sent, kept for the next look", error=str(error))
                    left.append({**each, "on_bus": True})
        return left

    def _put_events(self, messages: Sequence[Mapping[str, Any]]) -> None:
        entries = [
            {
                "Source": OWN_SOURCE,
                "DetailType": each["detail_type"],
                "Resources": [each["detail"]["target"]],
                "Detail": json.dumps(each["detail"]),
            }
            for each in messages
            if not each.get("on_bus")
        ]
        for start in range(0, len(entries), EVENT_ENTRIES_PER_CALL):
            answer = self._events.put_events(
                Entries=entries[start : start + EVENT_ENTRIES_PER_CALL]
            )
            if answer["FailedEntryCount"]:
                raise EventsRefused(str(answer["Entries"]))


class EventsRefused(RuntimeError):
    """PutEvents answered 200 but refused entries."""


def chat(each: Mapping[str, Any]) -> dict[str, Any]:
    """The message in the schema of Amazon Q Developer's custom notifications, a thread an incident.

    Schema: Amazon Q Developer in chat applications administrator guide, "Custom notifications".
    """
    detail, detail_type = each["detail"], each["detail_type"]
    name = plain(detail["target"].rsplit("/", 1)[-1])
    what = detail_type.removeprefix("Remediation ")
    reason = plain(detail["reason"])
    lines = [reason]
    for word in ("before", "after"):
        if detail[word] is not None:
            lines.append(f"{word}: `{json.dumps(detail[word]).replace('`', chr(39))}`")
    steps = detail.get("nextSteps", [])
    return {
        "version": "1.0",
        "source": "custom",
        "id": f"{detail['incidentId']}-{each['code']}",
        "content": {
            "textType": "client-markdown",
            "title": f"{what}: {detail['remediation'].replace('_', ' ')} on {name}",
            "description": "\n".join(lines),
            **({"nextSteps": steps} if steps else {}),
            "keywords": [detail["remediation"], each["code"]],
        },
        "metadata": {
            "threadId": detail["incidentId"],
            "summary": f"{name}: {reason}",
            "eventType": detail_type,
            "relatedResources": [detail["target"]],
        },
    }


def plain(text: str) -> str:
    """Text of others, such as an alarm's name, without what a chat makes links or mentions of."""
    return re.sub(r"[<>@`*\[\]|]", " ", text).replace("://", ": //")


def _rounded(tally: Mapping[str, float]) -> dict[str, float]:
    """The part of a tally that is for people."""
    return {name: round(value, 4) for name, value in tally.items() if not name.startswith("_")}


def measure(remediation: str, grown: Mapping[str, float]) -> None:
    """By how much a remediation's totals grew, each an embedded metric of its own name."""
    if not any(grown.values()):
        return
    metrics = EphemeralMetrics(namespace=NAMESPACE, service="")
    metrics.add_dimension("remediation", remediation)
    for name, value in grown.items():
        metrics.add_metric(name[0].upper() + name[1:], MetricUnit.NoUnit, value)
    metrics.flush_metrics()


def count(remediation: str, outcome: str) -> None:
    """One outcome, as an embedded-metric line in the log, by remediation and outcome alone."""
    metrics = EphemeralMetrics(namespace=NAMESPACE, service="")  # else it adds a third dimension
    metrics.add_dimension("remediation", remediation)
    metrics.add_dimension("outcome", outcome)
    metrics.add_metric("Outcomes", MetricUnit.Count, 1)
    metrics.flush_metrics()
