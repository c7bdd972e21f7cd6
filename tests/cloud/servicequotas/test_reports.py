"""Service Quotas: utilization reports. Rules: botocore model, Start- and
GetQuotaUtilizationReport."""

from __future__ import annotations

from typing import Any

from local.cloud import WORLD
from tests.cloud.conftest import NOON, Account
from tests.cloud.hosting import refused
from tests.cloud.servicequotas.conftest import Control

STANDARD = "quotas/ec2/L-1216C47A"


def made(quotas: Any, account: Account) -> dict[str, Any]:
    """The first page of a fresh report."""
    account.wait(WORLD.durations.quota_report_recent)
    report = quotas.start_quota_utilization_report()["ReportId"]
    account.wait(WORLD.durations.quota_report)
    answer: dict[str, Any] = quotas.get_quota_utilization_report(ReportId=report)
    return answer


def rows(quotas: Any, account: Account) -> list[tuple[str, float]]:
    return [(row["QuotaCode"], row["Utilization"]) for row in made(quotas, account)["Quotas"]]


def test_a_report_takes_its_time(quotas: Any, account: Account) -> None:
    started = quotas.start_quota_utilization_report()
    assert (started["Status"], "Message" in started) == ("PENDING", False)

    def shown() -> dict[str, Any]:
        answer = quotas.get_quota_utilization_report(ReportId=started["ReportId"])
        return {key: each for key, each in answer.items() if key != "ResponseMetadata"}

    assert shown() == {"ReportId": started["ReportId"], "Status": "PENDING"}
    account.wait(WORLD.durations.quota_report / 2)
    assert shown() == {"ReportId": started["ReportId"], "Status": "IN_PROGRESS"}
    account.wait(WORLD.durations.quota_report / 2)
    done = shown()
    assert (done["Status"], done["TotalCount"], done["Quotas"]) == ("COMPLETED", 0, [])
    assert done["GeneratedAt"].timestamp() == NOON.timestamp() + WORLD.durations.quota_report


def test_a_row_tells_utilization_but_not_use(
    quotas: Any, account: Account, control: Control
) -> None:
    control("PUT", f"{STANDARD}/use", {"used": 4000})
    assert made(quotas, account)["Quotas"] == [
        {
            "QuotaCode": "L-1216C47A",
            "ServiceCode": "ec2",
            "QuotaName": "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
            "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
            "Namespace": "AWS/Usage",
            "Utilization": 80.0,
            "DefaultValue": 5.0,
            "AppliedValue": 5000.0,
            "Adjustable": True,
        }
    ]


def test_the_hottest_come_first(quotas: Any, account: Account, control: Control) -> None:
    control("PUT", "quotas/lambda/L-B99A9384/use", {"used": 950})
    control("PUT", f"{STANDARD}/use", {"used": 100})
    control("PUT", "quotas/emr-serverless/L-D05C8A75/use", {"used": 24})
    assert rows(quotas, account) == [
        ("L-D05C8A75", 150.0),
        ("L-B99A9384", 95.0),
        ("L-1216C47A", 2.0),
    ]


def test_the_applied_value_is_what_counts(quotas: Any, account: Account, control: Control) -> None:
    control("PUT", "quotas/lambda/L-B99A9384/use", {"used": 500})
    control("PUT", "quotas/lambda/L-B99A9384/value", {"value": 2000})
    assert rows(quotas, account) == [("L-B99A9384", 25.0)]


def test_what_has_no_metric_or_no_value_has_no_row(
    quotas: Any, account: Account, control: Control
) -> None:
    """A quota of 0 has no utilization; one without a usage metric has no Namespace."""
    control("PUT", "quotas/ec2/L-417A185B/use", {"used": 96})
    control("PUT", "quotas/bedrock/L-DC7FF66C/use", {"used": 10})
    assert rows(quotas, account) == []


def test_a_report_is_of_its_region(quotas: Any, account: Account, control: Control) -> None:
    control("PUT", f"{STANDARD}/use?region=eu-west-1", {"used": 4000})
    assert rows(quotas, account) == []
    assert rows(account.client("service-quotas", "eu-west-1"), account) == [("L-1216C47A", 80.0)]


def test_unused_quotas_may_be_listed_too(quotas: Any, account: Account, control: Control) -> None:
    """Not documented; the other reading."""
    WORLD.switches.report_lists_unused_quotas = True
    control("PUT", f"{STANDARD}/use", {"used": 4000})
    listed = rows(quotas, account)
    assert listed[0] == ("L-1216C47A", 80.0)
    assert ("L-B99A9384", 0.0) in listed
    assert "L-DC7FF66C" not in dict(listed)


def test_a_recent_report_is_used_again(quotas: Any, account: Account) -> None:
    first = quotas.start_quota_utilization_report()
    again = quotas.start_quota_utilization_report()
    assert again["ReportId"] == first["ReportId"]
    assert again["Message"]
    account.wait(WORLD.durations.quota_report_recent)
    assert quotas.start_quota_utilization_report()["ReportId"] != first["ReportId"]


def test_reports_are_deleted_after_fifteen_minutes(quotas: Any, account: Account) -> None:
    report = quotas.start_quota_utilization_report()["ReportId"]
    account.wait(899)
    assert quotas.get_quota_utilization_report(ReportId=report)["Status"] == "COMPLETED"
    account.wait(1)
    code, _ = refused(quotas.get_quota_utilization_report, ReportId=report)
    assert code == "NoSuchResourceException"


def test_a_report_may_fail(quotas: Any, account: Account, control: Control) -> None:
    """FAILED comes with ErrorCode and ErrorMessage, and is not used again."""
    control("PUT", "next-report", {"code": "Broken", "message": "no data"})
    report = quotas.start_quota_utilization_report()["ReportId"]
    account.wait(WORLD.durations.quota_report)
    failed = quotas.get_quota_utilization_report(ReportId=report)
    assert (failed["Status"], failed["ErrorCode"]) == ("FAILED", "Broken")
    assert failed["ErrorMessage"] == "no data"
    assert "Quotas" not in failed
    again = quotas.start_quota_utilization_report()["ReportId"]
    assert again != report
    account.wait(WORLD.durations.quota_report)
    assert quotas.get_quota_utilization_report(ReportId=again)["Status"] == "COMPLETED"


def test_pages_hold_a_thousand_rows(quotas: Any, account: Account, control: Control) -> None:
    metric = {"name": "ResourceCount", "dimensions": {"Service": "Many"}}
    many = [
        {"name": f"q{n}", "default": 2000, "used": n + 1, "metric": metric} for n in range(1200)
    ]
    services = [{"code": "many", "name": "Many", "quotas": many}]
    control("PUT", "catalogue", {"services": services})
    first = made(quotas, account)
    assert (len(first["Quotas"]), first["TotalCount"]) == (1000, 1200)
    arguments = {"ReportId": first["ReportId"], "NextToken": first["NextToken"]}
    second = quotas.get_quota_utilization_report(**arguments)
    assert "NextToken" not in second
    hot = [row["Utilization"] for page in (first, second) for row in page["Quotas"]]
    assert hot == sorted(hot, reverse=True)
    assert len(hot) == 1200
    few = quotas.get_quota_utilization_report(ReportId=first["ReportId"], MaxResults=10)
    assert few["Quotas"] == first["Quotas"][:10]
    code, _ = refused(
        quotas.get_quota_utilization_report, ReportId=first["ReportId"], MaxResults=1001
    )
    assert code == "IllegalArgumentException"
    code, _ = refused(
        quotas.get_quota_utilization_report, ReportId=first["ReportId"], NextToken="abcd"
    )
    assert code == "InvalidPaginationTokenException"
