"""Which quota counts an instance type, and which codes are known offline."""

from __future__ import annotations

import re

import pytest

from functions.quota_increase.quota_names import CODES, ON_DEMAND, SPOT, code_of, vcpu_quota
from functions.quota_increase.readings import same_name


@pytest.mark.parametrize(
    ("instance_type", "on_demand", "spot"),
    [
        ("p2.xlarge", "L-417A185B", "L-7212CCBC"),
        ("p4d.24xlarge", "L-417A185B", "L-7212CCBC"),
        ("p5.48xlarge", "L-417A185B", "L-C4BD4855"),
        ("p5en.48xlarge", "L-417A185B", "L-C4BD4855"),
        ("p6-b200.48xlarge", "L-417A185B", "L-C4BD4855"),
        ("g5.xlarge", "L-DB2E81BA", "L-3819A6DF"),
        ("gr6.4xlarge", "L-DB2E81BA", "L-3819A6DF"),
        ("vt1.3xlarge", "L-DB2E81BA", "L-3819A6DF"),
        ("inf2.xlarge", "L-1945791B", "L-B5D1601B"),
        ("trn1n.32xlarge", "L-2C3B7624", "L-6B0D517C"),
        ("dl2q.24xlarge", "L-6E869C2A", "L-85EED4F7"),
        ("f2.48xlarge", "L-74FC7D96", "L-88CF9481"),
        ("x2iedn.32xlarge", "L-7295265B", "L-E3A00192"),
        ("u-6tb1.56xlarge", "L-43DA4232", None),
        ("u7i-12tb.224xlarge", "L-43DA4232", None),
        ("hpc7g.16xlarge", "L-F7808C92", None),
        ("m7i-flex.8xlarge", "L-1216C47A", "L-34B43A08"),
        ("im4gn.16xlarge", "L-1216C47A", "L-34B43A08"),
        ("m5.metal", "L-1216C47A", "L-34B43A08"),
    ],
)
def test_each_family_counts_against_a_quota_of_its_market(
    instance_type: str, on_demand: str, spot: str | None
) -> None:
    """EC2 user guide, "On-Demand Instance quotas" and "Spot Instance quotas"."""

    def code(market_is_spot: bool) -> str | None:
        name = vcpu_quota(instance_type, market_is_spot)
        return code_of("ec2", name) if name else None

    assert (code(False), code(True)) == (on_demand, spot)


@pytest.mark.parametrize("strange", ["mac2.metal", "q9.large", "p", "", "m5", "ml.p4d.24xlarge"])
def test_what_no_list_names_is_not_guessed(strange: str) -> None:
    assert vcpu_quota(strange, False) is None


def test_spot_of_a_p_generation_to_come_is_not_guessed() -> None:
    assert vcpu_quota("p7.48xlarge", True) is None
    assert vcpu_quota("p7.48xlarge", False) == "Running On-Demand P instances"


def test_every_quota_of_ec2_has_a_code_and_each_code_one_name() -> None:
    assert {*ON_DEMAND.values(), *SPOT.values()} == set(CODES["ec2"])
    codes = [code for known in CODES.values() for code in known.values()]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch("L-[0-9A-F]{8}", code) for code in codes)


def test_a_name_is_known_whatever_its_case_and_blanks() -> None:
    assert code_of("sagemaker", "ML.p4d.24xlarge  for Training job usage") == "L-09B4A649"
    assert same_name("All  P5 spot Instance Requests", "all p5 Spot instance requests ")


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("sagemaker", "ml.p4de.24xlarge for training job usage"),
        ("sagemaker", "ml.p4d.24xlarge for training job"),
        ("sagemaker", "Running On-Demand P instances"),
        ("dynamodb", "Concurrent executions"),
        ("ec2", ""),
    ],
)
def test_a_name_that_is_nearly_known_has_no_code(service: str, name: str) -> None:
    assert code_of(service, name) is None
