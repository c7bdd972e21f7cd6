"""PutMetricAlarm and PutCompositeAlarm: what AWS takes as an alarm.

Rules without a source of their own come from API_PutMetricAlarm and API_PutCompositeAlarm.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD

from . import scaling
from .alarms import COMPARISONS, Condition, TreatMissingData, cadence
from .composite import Rule, RuleError, children, parse_rule
from .queries import MetricStat, Query, invalid, parse_queries, rehearse
from .records import Alarm, AlarmState, CompositeAlarm, MetricAlarm
from .store import Metric, is_extended
from .watch import Watch

_ALARM_SUB_MINUTE_PERIODS = frozenset({10, 20, 30})
_DAY, _WEEK = 86_400, 604_800
_IN_METRICS = (
    "Namespace", "MetricName", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic",
)  # fmt: skip


class PutAlarmOperations:
    """The two operations that create and update alarms."""

    watch: Watch
    tagger: Any

    @operation
    def put_metric_alarm(
        self,
        alarm_name: str,
        evaluation_periods: int | None = None,
        comparison_operator: str | None = None,
        threshold: float | None = None,
        alarm_description: str | None = None,
        actions_enabled: bool = True,
        ok_actions: Sequence[str] = (),
        alarm_actions: Sequence[str] = (),
        insufficient_data_actions: Sequence[str] = (),
        metric_name: str | None = None,
        namespace: str | None = None,
        statistic: str | None = None,
        extended_statistic: str | None = None,
        dimensions: Sequence[Mapping[str, str]] = (),
        period: int | None = None,
        unit: str | None = None,
        datapoints_to_alarm: int | None = None,
        treat_missing_data: str | None = None,
        evaluate_low_sample_count_percentile: str | None = None,
        metrics: Sequence[Mapping[str, Any]] = (),
        tags: Sequence[Mapping[str, str]] = (),
        evaluation_window: Mapping[str, Any] | None = None,
    ) -> None:
        settings = _given(
            AlarmDescription=alarm_description,
            OKActions=list(ok_actions),
            AlarmActions=list(alarm_actions),
            InsufficientDataActions=list(insufficient_data_actions),
            Namespace=namespace,
            MetricName=metric_name,
            Statistic=statistic,
            ExtendedStatistic=extended_statistic,
            Dimensions=list(dimensions) or None,
            Period=period,
            Unit=unit,
            EvaluationPeriods=evaluation_periods,
            DatapointsToAlarm=datapoints_to_alarm,
            Threshold=threshold,
            ComparisonOperator=comparison_operator,
            TreatMissingData=treat_missing_data,
            EvaluateLowSampleCountPercentile=evaluate_low_sample_count_percentile,
            Metrics=list(metrics) or None,
            EvaluationWindow=evaluation_window,
        )
        _refuse_unsimulated(settings)
        _check_actions(settings)
        queries = _queries(settings)
        watched = _watched(queries)
        condition = _condition(settings, watched)
        length = _period(queries, condition)
        before = self._replaced(alarm_name, MetricAlarm)
        alarm = MetricAlarm(
            **self._common(alarm_name, settings, actions_enabled, before),
            condition=condition,
            queries=queries,
            watched=watched,
            period=length,
            metric_id=str(uuid.uuid4()),
        )
        self._keep(alarm, before, tags)
        self.watch.keep_time(cadence(length))

    @operation
    def put_composite_alarm(
        self,
        alarm_name: str,
        alarm_rule: str,
        alarm_description: str | None = None,
        actions_enabled: bool = True,
        ok_actions: Sequence[str] = (),
        alarm_actions: Sequence[str] = (),
        insufficient_data_actions: Sequence[str] = (),
        actions_suppressor: str | None = None,
        actions_suppressor_wait_period: int | None = None,
        actions_suppressor_extension_period: int | None = None,
        tags: Sequence[Mapping[str, str]] = (),
    ) -> None:
        settings = _given(
            AlarmDescription=alarm_description,
            AlarmRule=alarm_rule,
            OKActions=list(ok_actions),
            AlarmActions=list(alarm_actions),
            InsufficientDataActions=list(insufficient_data_actions),
            ActionsSuppressor=actions_suppressor,
            ActionsSuppressorWaitPeriod=actions_suppressor_wait_period,
            ActionsSuppressorExtensionPeriod=actions_suppressor_extension_period,
        )
        _check_actions(settings)
        rule = self._rule(alarm_name, alarm_rule)
        self._check_suppressor(settings)
        before = self._replaced(alarm_name, CompositeAlarm)
        alarm = CompositeAlarm(
            **self._common(alarm_name, settings, actions_enabled, before),
            rule=rule,
            suppressor=actions_suppressor,
            wait=actions_suppressor_wait_period or 0,
            extension=actions_suppressor_extension_period or 0,
        )
        self._keep(alarm, before, tags)
        done = "updated" if before else "created"
        self.watch.evaluate_composite(
            alarm,
            lambda state: f"{alarm.arn} was {done} and its alarm rule evaluates to {state}",
            self.watch.children_of(alarm),
        )

    def _rule(self, alarm_name: str, text: str) -> Rule:
        """The rule's alarms must exist; the alarm itself cannot be one of them."""
        try:
            rule = parse_rule(text)
        except RuleError as error:
            raise invalid(f"AlarmRule must not contain syntax errors: {error}.") from None
        unknown = [name for name in children(rule) if self.watch.find(name) is None]
        if unknown:
            raise invalid(
                f"Could not save the composite alarm as alarms [{', '.join(unknown)}] in the alarm "
                "rule do not exist"
            )
        own = self.watch.alarms.get(alarm_name)
        if own and any(self.watch.find(name) is own for name in children(rule)):
            raise invalid("Could not save the composite alarm as its alarm rule refers to itself")
        return rule

    def _check_suppressor(self, settings: Mapping[str, Any]) -> None:
        suppressor = settings.get("ActionsSuppressor")
        periods = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
        for name in periods:
            if (name in settings) != (suppressor is not None):
                raise invalid(f"{name} is required with, and only with, ActionsSuppressor.")
        if suppressor is not None and self.watch.find(suppressor) is None:
            raise invalid(f"ActionsSuppressor {suppressor} does not exist.")

    def _replaced(self, name: str, kind: type[Alarm]) -> Alarm | None:
        before = self.watch.alarms.get(name)
        if before is not None and not isinstance(before, kind):
            raise invalid(f"An alarm of another type already has the name {name}.")
        return before

    def _common(
        self, name: str, settings: dict[str, Any], actions_enabled: bool, before: Alarm | None
    ) -> dict[str, Any]:
        """A new alarm starts with INSUFFICIENT_DATA; an update leaves the state unchanged. It
        ends a suppression, whose terms it may have changed."""
        now = WORLD.clock()
        initial = AlarmState(
            "INSUFFICIENT_DATA", "Unchecked: Initial alarm creation", None, now, now
        )
        region, account = self.watch.region, self.watch.account
        return {
            "name": name,
            "arn": f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
            "settings": settings,
            "updated": now,
            "actions_enabled": actions_enabled,
            "state": replace(before.state, suppressed_by=None) if before else initial,
            "withheld": before.withheld if before else None,
        }

    def _keep(self, alarm: Alarm, before: Alarm | None, tags: Sequence[Mapping[str, str]]) -> None:
        """Tags count only when the alarm is created; an update ignores them."""
        self.watch.alarms[alarm.name] = alarm
        done, kind = ("updated", "update") if before else ("created", "create")
        self.watch.remember(
            alarm, "ConfigurationUpdate", f'Alarm "{alarm.name}" {done}', {"type": kind.title()}
        )
        if before is None and tags:
            self.tagger.tag_resource(alarm.arn, list(tags))
        self.watch.release()


def _given(**settings: Any) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _refuse_unsimulated(settings: Mapping[str, Any]) -> None:
    def unsimulated(what: str) -> Refusal:
        return Refusal(
            "UnsupportedByPocketAccount", f"The pocket account does not simulate {what}."
        )

    if "WallClockWindow" in settings.get("EvaluationWindow", {}):
        raise unsimulated("wall clock evaluation windows")
    if settings.get("EvaluateLowSampleCountPercentile", "evaluate") != "evaluate":
        raise unsimulated("EvaluateLowSampleCountPercentile=ignore")
    operator = settings.get("ComparisonOperator")
    if operator is not None and operator not in COMPARISONS:
        raise unsimulated(f"anomaly detection alarms ({operator})")


def _check_actions(settings: Mapping[str, Any]) -> None:
    """An action is an ARN; the service model allows five a state. Only Lambda functions, SNS topics
    and Application Auto Scaling's policies are simulated here."""
    for name in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        for action in settings[name]:
            parts = action.split(":")
            if parts[0] != "arn" or len(parts) < 6:
                raise invalid(f"Invalid arn syntax: {action}")
            if parts[2] not in ("lambda", "sns") and not scaling.is_policy(action):
                raise Refusal(
                    "UnsupportedByPocketAccount",
                    f"The pocket account simulates Lambda, SNS and Application Auto Scaling alarm "
                    f"actions, not {action}.",
                )


def _queries(settings: Mapping[str, Any]) -> list[Query]:
    """MetricName or Metrics, never both."""
    if "Metrics" in settings:
        if mixed := [name for name in _IN_METRICS if name in settings]:
            raise invalid(f"The parameters {mixed[0]} and Metrics are mutually exclusive.")
        return parse_queries(settings["Metrics"], "Metrics")
    for name in ("MetricName", "Namespace", "Period"):
        if name not in settings:
            raise invalid(f"The parameter {name} is required for an alarm on a single metric.")
    if ("Statistic" in settings) == ("ExtendedStatistic" in settings):
        raise invalid("Exactly one of Statistic and ExtendedStatistic must be specified.")
    statistic = settings.get("Statistic") or settings["ExtendedStatistic"]
    if "ExtendedStatistic" in settings and not is_extended(statistic):
        raise invalid(f"The value {statistic} for parameter ExtendedStatistic is not supported.")
    dimensions = {one["Name"]: one["Value"] for one in settings.get("Dimensions", ())}
    metric = Metric.of(settings["Namespace"], settings["MetricName"], dimensions)
    source = MetricStat(metric, statistic, settings["Period"], settings.get("Unit"))
    return [Query("m1", source, settings["MetricName"], True)]


def _watched(queries: Sequence[Query]) -> Query:
    returned = [query for query in queries if query.return_data]
    if len(returned) != 1:
        raise invalid(
            "Exactly one element of the metrics list should return data: set ReturnData to true "
            f"for it and to false for the others, {len(returned)} do."
        )
    if len(rehearse(queries)[returned[0].id]) != 1:
        raise invalid(f"The expression {returned[0].id} must result in a single time series.")
    if sum(isinstance(query.source, MetricStat) for query in queries) > 10:
        raise invalid("An alarm on a metric math expression can include at most 10 metrics.")
    return returned[0]


def _condition(settings: Mapping[str, Any], watched: Query) -> Condition:
    for name in ("EvaluationPeriods", "ComparisonOperator", "Threshold"):
        if name not in settings:
            raise invalid(f"The parameter {name} is required for an alarm on a static threshold.")
    n = settings["EvaluationPeriods"]
    m = settings.get("DatapointsToAlarm", n)
    if m > n:
        raise invalid(
            f"DatapointsToAlarm ({m}) must be less than or equal to EvaluationPeriods ({n})."
        )
    treat = settings.get("TreatMissingData", "missing")
    if treat not in get_args(TreatMissingData):
        raise invalid(
            f"Option {treat} for parameter TreatMissingData is not supported: "
            "breaching, notBreaching, ignore or missing."
        )
    # "Alarms that evaluate metrics in the AWS/DynamoDB namespace always ignore missing data".
    source = watched.source
    if isinstance(source, MetricStat) and source.metric.namespace == "AWS/DynamoDB":
        treat = "ignore"
    return Condition(settings["ComparisonOperator"], float(settings["Threshold"]), n, m, treat)


def _period(queries: Sequence[Query], condition: Condition) -> int:
    """One period for all metrics; 10, 20, 30 or a multiple of 60; a day, or a week for periods
    of an hour and longer, is the longest span."""
    periods = {query.source.period for query in queries if isinstance(query.source, MetricStat)}
    if len(periods) != 1:
        raise invalid("The metrics of an alarm must all have the same period, and one is needed.")
    period = periods.pop()
    if period not in _ALARM_SUB_MINUTE_PERIODS and (period <= 0 or period % 60):
        raise invalid(f"Period must be 10, 20, 30 or a multiple of 60, not {period}.")
    longest = _DAY if period < 3600 else _WEEK
    if period * condition.evaluation_periods > longest:
        raise invalid(
            f"Metrics cannot be checked across more than {longest // _DAY} day(s) "
            f"(EvaluationPeriods * Period must be <= {longest})."
        )
    return period
