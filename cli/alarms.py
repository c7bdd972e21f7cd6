"""The alarms worth having on an endpoint, as PutMetricAlarm takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def recommend(
    endpoint: Mapping[str, Any], function_arn: str, latency_ms: float | None
) -> list[dict[str, Any]]:
    """Parameters of PutMetricAlarm, for each variant one on its 5XX rate, and one on its latency.

    endpoint: an answer of DescribeEndpoint. latency_ms: the p90 that still is fine, or None for
    no alarm on latency. Where the endpoint publishes every 10 s the alarms look as often.
    """
    config = endpoint.get("MetricsConfig") or {}
    frequency = config.get("MetricPublishFrequencyInSeconds", 60)
    fast = config.get("EnableEnhancedMetrics") and frequency < 60
    period, periods = (frequency, 3) if fast else (60, 2)
    name = endpoint["EndpointName"]
    alarms = []
    for variant in endpoint["ProductionVariants"]:
        common = {
            "Namespace": "AWS/SageMaker",
            "Dimensions": [
                {"Name": "EndpointName", "Value": name},
                {"Name": "VariantName", "Value": variant["VariantName"]},
            ],
            "Period": period,
            "EvaluationPeriods": periods,
            "DatapointsToAlarm": periods,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [function_arn],
        }
        alarms.append(
            {
                "AlarmName": f"{name}-{variant['VariantName']}-5xx",
                "AlarmDescription": "More than 5 % of the variant's requests fail",
                "MetricName": "Invocation5XXErrors",
                "Statistic": "Average",
                "Threshold": 0.05,
                **common,
            }
        )
        if latency_ms is not None:
            alarms.append(
                {
                    "AlarmName": f"{name}-{variant['VariantName']}-latency",
                    "AlarmDescription": f"A tenth of the requests takes over {latency_ms:g} ms",
                    "MetricName": "ModelLatency",
                    "ExtendedStatistic": "p90",
                    "Threshold": latency_ms * 1000,
                    **common,
                }
            )
    return alarms
