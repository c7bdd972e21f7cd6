"""The alarms worth having on an endpoint or an alias, as PutMetricAlarm takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def of_alias(function: str, alias: str, action: str) -> list[dict[str, Any]]:
    """One alarm on the spillover of a Lambda alias. action: ARN of the function that answers it.

    Metric, dimensions and statistic: Lambda developer guide, "Types of metrics for Lambda functions".
    """
    dimensions = {"FunctionName": function, "Resource": f"{function}:{alias}"}
    return [
        _spillover(
            f"{function}-{alias}",
            {
                "Namespace": "AWS/Lambda",
                "MetricName": "ProvisionedConcurrencySpilloverInvocations",
                "Statistic": "Sum",
            },
            dimensions,
            action,
        )
    ]


def of_endpoint(
    endpoint: Mapping[str, Any], traffic_shift: str, concurrency: str, latency_ms: float | None
) -> list[dict[str, Any]]:
    """For each variant with instances one alarm on its 5XX rate, and one on its latency; for a
    serverless one, whose traffic cannot be moved, one on its spillover.

    endpoint: an answer of DescribeEndpoint. traffic_shift, concurrency: ARNs of the functions that
    answer. latency_ms: as of `of_variants`.

    SageMaker names Average, Min and Max alone as statistics of a serverless variant's spillover
    (developer guide, "Alarms and logs for tracking metrics from serverless endpoints"); whichever way
    it counts, the maximum is above 0 when anything spilled over.
    """
    serverless = [v for v in endpoint["ProductionVariants"] if "CurrentServerlessConfig" in v]
    others = [v for v in endpoint["ProductionVariants"] if v not in serverless]
    name = endpoint["EndpointName"]
    metric = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "ServerlessProvisionedConcurrencySpilloverInvocations",
        "Statistic": "Maximum",
    }
    return [
        *of_variants({**endpoint, "ProductionVariants": others}, traffic_shift, latency_ms),
        *(
            _spillover(
                f"{name}-{variant['VariantName']}",
                metric,
                {"EndpointName": name, "VariantName": variant["VariantName"]},
                concurrency,
            )
            for variant in serverless
        ),
    ]


def _spillover(
    name: str, metric: Mapping[str, Any], dimensions: Mapping[str, str], action: str
) -> dict[str, Any]:
    """That anything spilled over in a minute. How much of it matters is the function's to say, by its
    settings; no datum is no traffic."""
    return {
        "AlarmName": f"{name}-spillover",
        "AlarmDescription": "Invocations found no provisioned concurrency free",
        **metric,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Period": 60,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [action],
    }


def of_variants(
    endpoint: Mapping[str, Any], function_arn: str, latency_ms: float | None
) -> list[dict[str, Any]]:
    """For each variant one alarm on its 5XX rate, and one on its latency.

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
