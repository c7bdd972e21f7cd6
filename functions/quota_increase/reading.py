"""Reads a signal into what it says about quotas and capacity. Pure.

What it says is where to look, not what to do: what is needed is decided from what AWS says then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.core.alarms import Metric, metrics_of_event
from functions.core.decision import Refuse
from functions.core.signals import BadSignal, Kind, Place, Signal
from functions.quota_increase import calls, notices
from functions.quota_increase.readings import Reading, UsageAlarm


def read(signal: Signal) -> list[Reading] | Refuse:
    """What the signal says, each thing once; a Refuse for what needs no remedy.

    Raises BadSignal for what this remediation cannot read, or must not: `unknown-signal`,
    `unparsable-text`, `no-instance-type`, `unknown-family`, `foreign-account`, `other-region`.
    """
    match signal.kind:
        case Kind.ALARM:
            return _alarm(signal)
        case Kind.EVENT if signal.place is not None:
            said = _event(signal, signal.place)
        case _:
            raise BadSignal("unknown-signal", f"{signal.subject:.80} tells of no quota")
    return said if isinstance(said, Refuse) else list(dict.fromkeys(said))


def _event(signal: Signal, here: Place) -> list[Reading] | Refuse:
    detail = signal.detail
    match signal.source, signal.detail_type:
        case str(), "AWS API Call via CloudTrail":
            _check_place(detail, here, account="recipientAccountId", region="awsRegion")
            return calls.of_call(detail)
        case "aws.servicequotas", "AWS Service Event via CloudTrail":
            _check_place(detail, here, account="recipientAccountId", region="awsRegion")
            return notices.of_service_quotas(detail)
        case "aws.sagemaker", str(kind) if kind.startswith("SageMaker "):
            return notices.of_sagemaker(detail)
        case "aws.health", "AWS Health Event":
            _check_place(detail, here, account="affectedAccount", region="eventRegion")
            return notices.of_health(detail, signal.resources)
        case "aws.trustedadvisor", "Trusted Advisor Check Item Refresh Notification":
            return notices.of_trusted_advisor(detail, here.region)
        case "ml-capacity-remediation", _:
            return notices.of_remediation(detail)
        case _:
            raise BadSignal(
                "unknown-signal",
                f"{signal.source:.80} with detail-type {signal.detail_type!r:.80} tells of neither "
                "quotas nor capacity",
            )


EVERYWHERE = "global"
"""Region of what AWS Health tells of global services, in us-east-1 (AWS Health user guide, "About
AWS Region coverage")."""


def _check_place(detail: Mapping[str, Any], here: Place, account: str, region: str) -> None:
    """A record may tell of another account or Region than the event that brings it."""
    if detail.get(account) not in (None, here.account):
        raise BadSignal(
            "foreign-account",
            f"{account} is {detail[account]!r:.40}; this stack repairs {here.account} only",
        )
    if detail.get(region) not in (None, here.region, EVERYWHERE):
        raise BadSignal(
            "other-region",
            f"{region} is {detail[region]!r:.40}; this stack repairs {here.region} only",
        )


def usage_metrics(alarm: Signal) -> tuple[Metric, ...]:
    """The metrics of a quota's use among those that an alarm watches."""
    metrics = metrics_of_event(alarm.detail["configuration"], alarm.alarm_arn)
    return tuple(metric for metric in metrics if _is_usage(metric))


def _alarm(signal: Signal) -> list[Reading] | Refuse:
    name, usage = signal.subject, usage_metrics(signal)
    if not usage:
        return Refuse("not-a-usage-metric", f"{name:.200} watches no metric of a quota's use")
    if mute := signal.detail.get("muteDetail"):
        return Refuse("muted", f"{name:.200} is muted by {mute['mutedByArn']:.200}")
    return [UsageAlarm(usage)]


def _is_usage(metric: Metric) -> bool:
    """Whether it measures use of a quota of this account.

    Lambda's concurrency is the one that AWS keeps outside AWS/Usage; without dimensions it is the
    account's (CloudWatch user guide, "AWS usage metrics"; UsageMetric of quota L-B99A9384).
    """
    if metric.account:
        return False
    return metric.namespace == "AWS/Usage" or (
        metric.namespace == "AWS/Lambda"
        and metric.name == "ConcurrentExecutions"
        and not metric.dimensions
    )
