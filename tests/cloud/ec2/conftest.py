"""EC2 of one test's account, at a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from flask.testing import FlaskClient

from local.cloud.control import create_app
from tests.cloud.conftest import Account

Control = Callable[..., Any]
CODES = {
    "P": "L-417A185B",
    "Standard": "L-1216C47A",
    "P Spot": "L-7212CCBC",
    "P5 Spot": "L-C4BD4855",
    "Standard Spot": "L-34B43A08",
}
P4D_VCPUS = 96


@cache
def _client() -> Any:
    """SDKs send a call again that met a 500; these tests look at each single one."""
    session: Any = boto3.Session(
        region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    return session.client("ec2", config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def ec2(account: Account) -> Any:
    return _client()


@pytest.fixture
def control(account: Account) -> Control:
    """Calls the control interface: method, path, body; gives the answer."""
    interface: FlaskClient = create_app().test_client()

    def call(method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = interface.open(path, method=method, json=body or {})
        assert answer.status_code == status, answer.get_json()
        return answer.get_json()

    return call


@pytest.fixture
def quota(control: Control) -> Callable[[str, float], None]:
    """Sets a quota on vCPUs."""

    def put(name: str, value: float) -> None:
        control("PUT", f"/servicequotas/quotas/ec2/{CODES[name]}/value", {"value": value})

    return put


@cache
def _image() -> str:
    """An image that every account has; looking for one takes longer than most tests."""
    found = _client().describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])
    identity: str = found["Images"][0]["ImageId"]
    return identity


@pytest.fixture
def image(ec2: Any) -> str:
    return _image()


@pytest.fixture
def run(ec2: Any, image: str) -> Callable[..., Any]:
    """Launches one instance, or as the arguments say; gives the instances."""

    def launch(instance_type: str = "m5.large", count: int = 1, **more: Any) -> Any:
        asked = {"MinCount": count, "MaxCount": count, "ImageId": image, **more}
        answer = ec2.run_instances(InstanceType=instance_type, **asked)
        return answer["Instances"]

    return launch


SPOT = {"InstanceMarketOptions": {"MarketType": "spot"}}


def zone(letter: str) -> dict[str, Any]:
    return {"Placement": {"AvailabilityZone": f"us-east-1{letter}"}}


def limit(control: Control, remaining: int | None, letter: str = "", **more: Any) -> Any:
    """Let AWS have so many more p4d.24xlarge, in one zone or in each."""
    where = {"availability_zone": f"us-east-1{letter}"} if letter else {}
    body = {"instance_type": "p4d.24xlarge", "remaining": remaining, **where, **more}
    return control("PUT", "/ec2/capacity", body)["pools"]


def states(ec2: Any) -> list[str]:
    return [
        instance["State"]["Name"]
        for reservation in ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
    ]


def vcpus(account: Account, name: str) -> float:
    """How much of a quota the utilization report says is in use."""
    quotas = account.client("service-quotas")
    report = quotas.start_quota_utilization_report()["ReportId"]
    account.wait(10)
    rows = quotas.get_quota_utilization_report(ReportId=report)["Quotas"]
    for row in rows:
        if row["QuotaCode"] == CODES[name]:
            return float(row["Utilization"]) * float(row["AppliedValue"]) / 100
    return 0.0
