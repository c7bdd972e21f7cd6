"""One dashboard: what the remediations did, and whether their functions are well."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.foundation import METRICS_NAMESPACE
from infra.guarded_function import GuardedFunction

_PERIOD = Duration.minutes(5)


class Dashboard(Construct):
    """Outcomes on top, then money, functions and queues."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        functions: Sequence[GuardedFunction],
        queues: Sequence[sqs.IQueue],
    ) -> None:
        super().__init__(scope, id)
        lambdas = [each.function for each in functions]
        dead_letters = [each.dead_letters for each in functions]
        self.dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            widgets=[
                [_graph("Outcomes of remediations", [_outcomes()], width=24)],
                [
                    _graph(
                        "Money: hours of instances while an incident is open",
                        _counted("spot_fallback", "SpotHours", "OnDemandHours"),
                        width=12,
                    ),
                    _graph(
                        "Money: dollars while an incident is open",
                        _counted(
                            "spot_fallback",
                            "SpotDollars",
                            "OnDemandDollars",
                            "SavedDollars",
                            "FallbackDollars",
                        ),
                        width=12,
                    ),
                ],
                [
                    _graph(
                        "Provisioned concurrency: hours of environments while an incident is open",
                        _counted("provisioned_concurrency", "ProvisionedHours"),
                        width=12,
                    ),
                    _graph(
                        "Provisioned concurrency: dollars while an incident is open",
                        _counted("provisioned_concurrency", "ProvisionedDollars"),
                        width=12,
                    ),
                ],
                [
                    _graph("Errors", [f.metric_errors(period=_PERIOD) for f in lambdas]),
                    _graph(
                        "Throttles",
                        [f.metric_throttles(period=_PERIOD) for f in lambdas],
                    ),
                    _graph(
                        "Duration, p99",
                        [f.metric_duration(period=_PERIOD, statistic="p99") for f in lambdas],
                    ),
                ],
                [
                    _graph(
                        "Age of the oldest signal",
                        [
                            q.metric_approximate_age_of_oldest_message(period=_PERIOD)
                            for q in queues
                        ],
                        width=12,
                    ),
                    _graph(
                        "Dead letters",
                        [
                            q.metric_approximate_number_of_messages_visible(period=_PERIOD)
                            for q in dead_letters
                        ],
                        width=12,
                    ),
                ],
            ],
        )


def _outcomes() -> cloudwatch.IMetric:
    """Every metric the functions write: a search, so that a new outcome needs no redeploy."""
    return cloudwatch.MathExpression(
        expression=(
            f"SEARCH('{{{METRICS_NAMESPACE},outcome,remediation}}', 'Sum', {_PERIOD.to_seconds()})"
        ),
        using_metrics={},
        label="",
        period=_PERIOD,
    )


def _counted(remediation: str, *names: str) -> list[cloudwatch.IMetric]:
    """What a remediation counted, each by how much it grew."""
    return [
        cloudwatch.Metric(
            namespace=METRICS_NAMESPACE,
            metric_name=name,
            dimensions_map={"remediation": remediation},
            statistic="Sum",
            period=_PERIOD,
        )
        for name in names
    ]


def _graph(
    title: str, metrics: Sequence[cloudwatch.IMetric], width: int = 8
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=width)
