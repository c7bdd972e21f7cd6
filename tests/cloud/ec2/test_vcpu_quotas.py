"""What quotas on vCPUs allow to be launched.

Sources: EC2 user guide, "On-Demand Instance quotas" and "Spot Instance quotas"; EC2 API reference,
"Error codes for the Amazon EC2 API".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.cloud import WORLD
from local.cloud.ec2.catalogue import quota_name, vcpus
from tests.cloud.conftest import Account
from tests.cloud.ec2.conftest import P4D_VCPUS, SPOT, Control, states
from tests.cloud.ec2.conftest import vcpus as in_use
from tests.cloud.hosting import refused

Quota = Callable[[str, float], None]
Run = Callable[..., Any]


def beyond(limit: int) -> tuple[str, str]:
    return (
        "VcpuLimitExceeded",
        f"You have requested more vCPU capacity than your current vCPU limit of {limit} allows "
        "for the instance bucket that the specified instance type belongs to. Please visit "
        "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
    )


SPOT_BEYOND = ("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")


def test_a_launch_beyond_the_quota_is_refused_and_launches_nothing(
    ec2: Any, quota: Quota, run: Run
) -> None:
    quota("P", P4D_VCPUS)
    assert refused(run, instance_type="p4d.24xlarge", count=2) == beyond(P4D_VCPUS)
    assert states(ec2) == []


def test_a_quota_of_zero_allows_nothing(run: Run) -> None:
    assert refused(run, instance_type="p5.48xlarge") == beyond(0)


def test_what_runs_counts_until_it_stops_or_ends(
    account: Account, ec2: Any, quota: Quota, run: Run
) -> None:
    quota("P", P4D_VCPUS)
    [first] = run("p4d.24xlarge")
    assert refused(run, instance_type="p4d.24xlarge") == beyond(P4D_VCPUS)
    account.wait(WORLD.durations.instance_boot)
    assert refused(run, instance_type="p4d.24xlarge") == beyond(P4D_VCPUS)
    ec2.terminate_instances(InstanceIds=[first["InstanceId"]])
    assert run("p4d.24xlarge")


def test_types_of_one_group_share_a_quota_and_other_groups_do_not(quota: Quota, run: Run) -> None:
    quota("P", P4D_VCPUS)
    run("p5.4xlarge")
    assert refused(run, instance_type="p4d.24xlarge") == beyond(P4D_VCPUS)
    assert run("m5.large")


def test_a_raised_quota_holds_at_once(quota: Quota, run: Run) -> None:
    quota("P", P4D_VCPUS - 1)
    refused(run, instance_type="p4d.24xlarge")
    quota("P", P4D_VCPUS)
    assert run("p4d.24xlarge")


def test_as_many_are_launched_as_the_quota_allows_from_the_minimum_on(
    quota: Quota, run: Run
) -> None:
    """botocore service model, `RunInstances`: MaxCount launches "the largest possible number"."""
    quota("P", 2 * P4D_VCPUS)
    assert len(run("p4d.24xlarge", MinCount=1, MaxCount=8)) == 2


def test_spot_has_quotas_of_its_own(quota: Quota, run: Run) -> None:
    quota("P", 1000)
    assert refused(run, instance_type="p4d.24xlarge", **SPOT) == SPOT_BEYOND
    quota("P Spot", P4D_VCPUS)
    assert run("p4d.24xlarge", **SPOT)
    assert refused(run, instance_type="p4d.24xlarge", **SPOT) == SPOT_BEYOND


def test_p5_spot_is_not_in_the_quota_of_p4(quota: Quota, run: Run) -> None:
    quota("P Spot", 1000)
    assert refused(run, instance_type="p5.48xlarge", **SPOT) == SPOT_BEYOND
    quota("P5 Spot", 192)
    assert run("p5.48xlarge", **SPOT)


def test_open_spot_requests_count(ec2: Any, quota: Quota, image: str, run: Run) -> None:
    quota("Standard Spot", 2)
    ask = {"LaunchSpecification": {"ImageId": image, "InstanceType": "m5.large"}}
    ec2.request_spot_instances(**ask)
    assert refused(run, **SPOT) == SPOT_BEYOND
    assert refused(ec2.request_spot_instances, **ask) == SPOT_BEYOND


def test_service_quotas_sees_what_is_in_use(account: Account, quota: Quota, run: Run) -> None:
    quota("P", 4 * P4D_VCPUS)
    run("p4d.24xlarge", 2)
    run("m5.large")
    assert in_use(account, "P") == pytest.approx(2 * P4D_VCPUS)
    assert in_use(account, "Standard") == pytest.approx(2)


def test_a_quota_the_account_was_given_no_value_of_limits_nothing(
    control: Control, run: Run
) -> None:
    control(
        "PUT",
        "/servicequotas/catalogue",
        {"services": [{"code": "ec2", "name": "EC2", "quotas": []}]},
    )
    assert run("p4d.24xlarge")


@pytest.mark.parametrize(
    ("instance_type", "on_demand", "spot"),
    [
        (
            "p4d.24xlarge",
            "Running On-Demand P instances",
            "All P4, P3 and P2 Spot Instance Requests",
        ),
        ("p5en.48xlarge", "Running On-Demand P instances", "All P5 Spot Instance Requests"),
        ("p6-b200.48xlarge", "Running On-Demand P instances", "All P5 Spot Instance Requests"),
        (
            "g6e.48xlarge",
            "Running On-Demand G and VT instances",
            "All G and VT Spot Instance Requests",
        ),
        (
            "gr6.4xlarge",
            "Running On-Demand G and VT instances",
            "All G and VT Spot Instance Requests",
        ),
        (
            "vt1.3xlarge",
            "Running On-Demand G and VT instances",
            "All G and VT Spot Instance Requests",
        ),
        ("inf2.48xlarge", "Running On-Demand Inf instances", "All Inf Spot Instance Requests"),
        ("trn1.32xlarge", "Running On-Demand Trn instances", "All Trn Spot Instance Requests"),
        ("dl2q.24xlarge", "Running On-Demand DL instances", "All DL Spot Instance Requests"),
        ("f2.12xlarge", "Running On-Demand F instances", "All F Spot Instance Requests"),
        ("x2gd.metal", "Running On-Demand X instances", "All X Spot Instance Requests"),
        ("u7i-12tb.224xlarge", "Running On-Demand High Memory instances", None),
        ("u-3tb1.56xlarge", "Running On-Demand High Memory instances", None),
        ("hpc7g.16xlarge", "Running On-Demand HPC instances", None),
        ("im4gn.large", *("Running On-Demand {} instances", "All {} Spot Instance Requests")),
        ("i3en.metal", *("Running On-Demand {} instances", "All {} Spot Instance Requests")),
        ("t4g.nano", *("Running On-Demand {} instances", "All {} Spot Instance Requests")),
        ("mac2.metal", None, None),
        ("mac-m4.metal", None, None),
    ],
)
def test_each_series_counts_against_its_group(
    instance_type: str, on_demand: str | None, spot: str | None
) -> None:
    standard = "Standard (A, C, D, H, I, M, R, T, Z)"
    expected = [name and name.format(standard) for name in (on_demand, spot)]
    assert [quota_name(instance_type, "on-demand"), quota_name(instance_type, "spot")] == expected


def test_every_bucket_is_a_quota_that_service_quotas_knows(account: Account) -> None:
    pages = account.client("service-quotas").get_paginator("list_service_quotas")
    known = {
        each["QuotaName"] for page in pages.paginate(ServiceCode="ec2") for each in page["Quotas"]
    }
    types = (
        "p4d.24xlarge",
        "p5.48xlarge",
        "g5.xlarge",
        "inf2.xlarge",
        "trn1.32xlarge",
        "dl2q.24xlarge",
    )
    more = ("f2.12xlarge", "x2gd.metal", "u-3tb1.56xlarge", "hpc7g.16xlarge", "m5.large")
    named = {quota_name(each, "on-demand") for each in types + more}
    named |= {quota_name(each, "spot") for each in types + more}
    assert named - {None} <= known


def test_a_type_counts_with_its_default_vcpus() -> None:
    assert (vcpus("p4d.24xlarge"), vcpus("p5.48xlarge"), vcpus("m5.large")) == (96, 192, 2)
