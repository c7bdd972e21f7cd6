"""What AWS says of a SageMaker endpoint under an alarm, and the one call that moves its traffic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from functions.core.alarms import MetricAlarm, metric_alarms, queries
from functions.core.composites import children, describe
from functions.core.decision import Dial
from functions.core.endpoint_tags import endpoint_tags
from functions.core.remediation import Busy, Changed, Gone
from functions.traffic_shift.decision import endpoints_in
from functions.traffic_shift.observation import PERIODS, Load, Observation, Variant, Watch
from functions.traffic_shift.steps import stands

DAY = timedelta(hours=24)
FRESH = timedelta(minutes=2)


@dataclass(frozen=True)
class Cause:
    """An alarm as a signal brought it. muted_by, seen_at: its word on mutes, and when; or None."""

    alarm: str
    muted_by: str | None = None
    seen_at: datetime | None = None


class Endpoints:
    """sagemaker, cloudwatch, tagging: boto3 clients. function: ARN of this function."""

    def __init__(self, sagemaker: Any, cloudwatch: Any, tagging: Any, function: str) -> None:
        self._sagemaker = sagemaker
        self._cloudwatch = cloudwatch
        self._tagging = tagging
        self._function = function

    def tags(self, arn: str) -> Mapping[str, str]:
        """The endpoint's tags. arn: with the name in its own case."""
        return endpoint_tags(self._sagemaker, arn)

    def describe(self, name: str) -> tuple[str, tuple[Variant, ...]]:
        """The endpoint's status and variants. Raises Gone."""
        try:
            endpoint = self._sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            if _says(error, "could not find"):
                raise Gone(f"endpoint {name} does not exist any more") from error
            raise
        variants = tuple(
            Variant(
                name=v["VariantName"],
                weight=v.get("CurrentWeight", 0.0),
                desired_weight=v.get("DesiredWeight", v.get("CurrentWeight", 0.0)),
                count=v.get("CurrentInstanceCount"),
                desired_count=v.get("DesiredInstanceCount", v.get("CurrentInstanceCount")),
            )
            for v in endpoint.get("ProductionVariants", ())
        )
        return endpoint["EndpointStatus"], variants

    def observe(self, name: str, causes: Iterable[Cause], now: datetime) -> Observation:
        """Alarms, weights, states, and the recent metrics of every variant, as they are now."""
        watches = self._watch(name, tuple(causes), now)
        status, variants = self.describe(name)
        if len(variants) < 2 or status != "InService":  # nothing can be moved, so none is measured
            return Observation(name, status, variants, watches, {})
        judged = [w for w in watches if w.alarm.state == "ALARM" and w.alarm.threshold is not None]
        return self._measure(name, status, variants, watches, judged, now)

    def write(self, name: str, seen: Dial, write: Dial) -> None:
        """One call: the weights that differ, or else the one instance count that does.

        SageMaker has no lock on an endpoint: the dial is read once more right before the call.
        Raises Changed, Busy, Gone and what the API raises.
        """
        status, variants = self.describe(name)
        stood = {v.name: {"weight": v.desired_weight, "count": v.desired_count} for v in variants}
        if not stands(stood, seen):
            raise Changed(stood)
        if status != "InService":
            raise Busy(f"{name} is {status}, which allows no change")
        changes: list[dict[str, Any]]
        if not stands(stood, write):
            changes = [{"VariantName": n, "DesiredWeight": v["weight"]} for n, v in write.items()]
        else:
            scaled = [n for n, v in write.items() if v["count"] != seen[n]["count"]]
            if moved := [n for n in scaled if stood[n]["count"] != seen[n]["count"]]:
                raise Busy(f"the instance count of {moved[0]} is moving, perhaps by autoscaling")
            changes = [
                {"VariantName": n, "DesiredInstanceCount": write[n]["count"]} for n in scaled
            ]
        try:
            self._sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=name, DesiredWeightsAndCapacities=changes
            )
        except ClientError as error:
            if _says(error, "in-progress", "cannot update"):
                raise Busy(str(error)) from error
            raise

    def tagged(self, key: str, values: Sequence[str]) -> list[str]:
        """ARNs of the endpoints whose tag has one of the values."""
        pages = self._tagging.get_paginator("get_resources").paginate(
            ResourceTypeFilters=["sagemaker:endpoint"], TagFilters=[{"Key": key, "Values": values}]
        )
        return [r["ResourceARN"] for page in pages for r in page["ResourceTagMappingList"]]

    def alarms_in_alarm(self) -> tuple[list[MetricAlarm], list[tuple[str, str]]]:
        """All metric alarms now in ALARM, and names and ARNs of the composite ones."""
        pages = self._cloudwatch.get_paginator("describe_alarms").paginate(
            StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        metric: list[MetricAlarm] = []
        composite: list[tuple[str, str]] = []
        for page in pages:
            metric += metric_alarms(page)
            composite += [(c["AlarmName"], c["AlarmArn"]) for c in page.get("CompositeAlarms", ())]
        return metric, composite

    def children(self, composite: str) -> list[MetricAlarm]:
        """The metric alarms under a composite alarm, at any depth, with all they watch."""
        return children(self._cloudwatch, composite)

    def _watch(self, name: str, causes: Sequence[Cause], now: datetime) -> tuple[Watch, ...]:
        by_name = {cause.alarm: cause for cause in causes}
        metric, composite = describe(self._cloudwatch, by_name)
        watches = [
            self._as_watch(name, alarm, alarm.actions, self._muted(by_name[alarm.name], alarm, now))
            for alarm in metric
            if name in endpoints_in(alarm.metrics)  # it may have been made anew for another
        ]
        for parent in composite:
            if parent["StateValue"] != "ALARM":
                continue
            muted = parent.get("ActionsSuppressedBy") and (
                f"{parent.get('ActionsSuppressor', 'a suppressor')} ({parent['ActionsSuppressedBy']})"
            )
            muted = muted or self._rule_muting(parent["AlarmName"], by_name, now)
            actions = frozenset(parent.get("AlarmActions", ()))
            watches += [
                self._as_watch(name, child, actions, muted)
                for child in self.children(parent["AlarmName"])
                if child.state == "ALARM" and name in endpoints_in(child.metrics)
            ]
        return tuple(watches)

    def _as_watch(
        self, name: str, alarm: MetricAlarm, actions: frozenset[str], muted: str | None
    ) -> Watch:
        named = frozenset(
            m.dimensions["VariantName"]
            for m in alarm.metrics
            if name in endpoints_in([m]) and "VariantName" in m.dimensions
        )
        return Watch(alarm, named, self._function in actions, muted, {})

    def _muted(self, cause: Cause, alarm: MetricAlarm, now: datetime) -> str | None:
        if alarm.state != "ALARM":
            return None
        return self._rule_muting(alarm.name, {cause.alarm: cause}, now)

    def _rule_muting(self, alarm: str, causes: Mapping[str, Cause], now: datetime) -> str | None:
        """The mute rule that is active on the alarm; a fresh signal has brought AWS's word along."""
        cause = causes[alarm]
        if cause.seen_at is not None and abs(now - cause.seen_at) < FRESH:
            return cause.muted_by
        rules = self._cloudwatch.list_alarm_mute_rules(AlarmName=alarm, Statuses=["ACTIVE"])
        return next((r["AlarmMuteRuleArn"] for r in rules["AlarmMuteRuleSummaries"]), None)

    def _measure(
        self,
        name: str,
        status: str,
        variants: tuple[Variant, ...],
        watches: tuple[Watch, ...],
        judged: Sequence[Watch],
        now: datetime,
    ) -> Observation:
        """All metrics in one GetMetricData call.

        Its window is a day, for the busiest minute. Periods under a minute are kept 3 hours, and
        what a longer window does to them is not certain (API reference, MetricStat): when they
        come back empty they are asked for again by themselves.
        """
        period = min((w.alarm.period for w in judged), default=60)
        asked: list[dict[str, Any]] = []
        for i, watch in enumerate(judged):
            for j, variant in enumerate(variants):
                replaced = {"VariantName": variant.name}
                asked += queries(watch.alarm, f"a{i}v{j}_", replaced)[0]
        for j, variant in enumerate(variants):
            asked.append(_sum(f"requests{j}", "Invocations", name, variant.name, period))
            asked.append(_sum(f"busy{j}", "InvocationsPerInstance", name, variant.name, 60))
        end = _closed(now, max(60, period))
        series = self._get(asked, end - DAY, _closed(now, period))
        if period < 60 and not any(series.get(f"requests{j}") for j in range(len(variants))):
            short = [q for q in asked if not q["Id"].startswith("busy")]
            closed = _closed(now, period)
            series |= self._get(short, closed - PERIODS * timedelta(seconds=period), closed)

        def recent(id: str, period: int) -> dict[datetime, float]:
            start = _closed(now, period) - PERIODS * timedelta(seconds=period)
            points = sorted(series.get(id, {}).items())
            return {at: value for at, value in points if start <= at < _closed(now, period)}

        measured = {
            w.alarm.name: {
                v.name: list(recent(f"a{i}v{j}_{w.alarm.returned}", w.alarm.period).values())
                for j, v in enumerate(variants)
            }
            for i, w in enumerate(judged)
        }
        served = {v.name: recent(f"requests{j}", period) for j, v in enumerate(variants)}
        # A period that is not published yet has no data of any variant, a variant that served
        # nothing in it has none of its own: only the former is no time in which it served.
        minutes = len(set().union(*served.values())) * period / 60
        loads = {}
        for j, variant in enumerate(variants):
            requests = sum(served[variant.name].values())
            busy = series.get(f"busy{j}", {}).values()
            loads[variant.name] = Load(
                requests=requests,
                per_minute=requests / minutes if minutes else 0.0,
                busiest=max(busy) if any(busy) else None,
            )
        watches = tuple(
            Watch(w.alarm, w.named, w.direct, w.muted_by, measured.get(w.alarm.name, {}))
            for w in watches
        )
        return Observation(name, status, variants, watches, loads)

    def _get(
        self, asked: Sequence[Mapping[str, Any]], start: datetime, end: datetime
    ) -> dict[str, dict[datetime, float]]:
        pages = self._cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked, StartTime=start, EndTime=end, ScanBy="TimestampAscending"
        )
        series: dict[str, dict[datetime, float]] = {}
        for page in pages:
            for result in page["MetricDataResults"]:
                points = zip(result["Timestamps"], result["Values"], strict=True)
                series.setdefault(result["Id"], {}).update(points)
        return series


def _sum(id: str, metric: str, endpoint: str, variant: str, period: int) -> dict[str, Any]:
    dimensions = {"EndpointName": endpoint, "VariantName": variant}
    return {
        "Id": id,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/SageMaker",
                "MetricName": metric,
                "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
            },
            "Period": period,
            "Stat": "Sum",
        },
    }


def _closed(now: datetime, period: int) -> datetime:
    """The end of the last closed period."""
    return datetime.fromtimestamp(now.timestamp() // period * period, UTC)


def _says(error: ClientError, *texts: str) -> bool:
    message = error.response["Error"].get("Message", "").lower()
    return any(text in message for text in texts)
