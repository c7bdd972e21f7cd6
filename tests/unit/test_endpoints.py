"""The one call that moves traffic, and the look right before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.core.environment import Environment
from functions.core.remediation import Busy, Changed, Gone
from functions.core.settings import Settings
from functions.traffic_shift.aws import Endpoints
from functions.traffic_shift.handler import TrafficShift

SEEN = {"blue": {"weight": 9.0, "count": 1}, "green": {"weight": 1.0, "count": 4}}
SHIFTED = {"blue": {"weight": 10.0, "count": 1}, "green": {"weight": 0.0, "count": 4}}
GROWN = {"blue": {"weight": 9.0, "count": 3}, "green": {"weight": 1.0, "count": 4}}


def error(message: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": "ValidationException", "Message": message}}, "UpdateEndpoint"
    )


class SageMaker:
    """One endpoint as it stands; keeps the changes asked of it."""

    def __init__(
        self, stands: Mapping[str, Any], status: str = "InService", fails: Exception | None = None
    ) -> None:
        self.stands, self.status, self.fails = stands, status, fails
        self.changes: list[Sequence[Mapping[str, Any]]] = []

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        variants = [
            {
                "VariantName": name,
                "CurrentWeight": value["weight"],
                "DesiredWeight": value["weight"],
                "CurrentInstanceCount": value["count"],
                "DesiredInstanceCount": value["count"],
            }
            for name, value in self.stands.items()
        ]
        return {"EndpointStatus": self.status, "ProductionVariants": variants}

    def update_endpoint_weights_and_capacities(
        self, EndpointName: str, DesiredWeightsAndCapacities: Sequence[Mapping[str, Any]]
    ) -> None:
        if self.fails:
            raise self.fails
        self.changes.append(DesiredWeightsAndCapacities)


def write(sagemaker: SageMaker, wanted: Mapping[str, Any]) -> None:
    Endpoints(sagemaker, None, None, "function").write("shop", SEEN, wanted)


def test_weights_are_written_whole_and_nothing_else() -> None:
    sagemaker = SageMaker(SEEN)
    write(sagemaker, SHIFTED)

    assert sagemaker.changes == [
        [
            {"VariantName": "blue", "DesiredWeight": 10.0},
            {"VariantName": "green", "DesiredWeight": 0.0},
        ]
    ]


def test_a_count_is_written_alone() -> None:
    sagemaker = SageMaker(SEEN)
    write(sagemaker, GROWN)

    assert sagemaker.changes == [[{"VariantName": "blue", "DesiredInstanceCount": 3}]]


def test_a_count_that_autoscaling_moved_meanwhile_is_not_written_over() -> None:
    sagemaker = SageMaker(SEEN | {"blue": {"weight": 9.0, "count": 5}})

    with pytest.raises(Busy, match="blue"):
        write(sagemaker, GROWN)
    assert sagemaker.changes == []


def test_weights_move_though_autoscaling_moved_a_count() -> None:
    sagemaker = SageMaker(SEEN | {"blue": {"weight": 9.0, "count": 5}})
    write(sagemaker, SHIFTED)

    assert len(sagemaker.changes) == 1


@pytest.mark.parametrize(
    "stands",
    [
        SEEN | {"blue": {"weight": 5.0, "count": 1}},
        SEEN | {"red": {"weight": 1.0, "count": 1}},
        {"blue": SEEN["blue"]},
    ],
    ids=["another weight", "another variant", "a variant fewer"],
)
def test_what_somebody_changed_is_not_written_over(stands: Mapping[str, Any]) -> None:
    sagemaker = SageMaker(stands)

    with pytest.raises(Changed) as changed:
        write(sagemaker, SHIFTED)
    assert changed.value.now_stands == stands
    assert sagemaker.changes == []


@pytest.mark.parametrize("status", ["Updating", "RollingBack", "Failed"])
def test_an_endpoint_not_in_service_is_not_written(status: str) -> None:
    sagemaker = SageMaker(SEEN, status)

    with pytest.raises(Busy, match=status):
        write(sagemaker, SHIFTED)
    assert sagemaker.changes == []


def test_a_refusal_for_another_update_means_busy_and_any_other_is_an_error() -> None:
    with pytest.raises(Busy):
        write(SageMaker(SEEN, fails=error('Cannot update in-progress endpoint "shop".')), SHIFTED)
    with pytest.raises(ClientError):
        write(SageMaker(SEEN, fails=error("The variant is unknown.")), SHIFTED)


@pytest.mark.parametrize(
    "target",
    [
        "arn:aws:sagemaker:us-east-1:123456789012:endpoint",
        "arn:aws:sagemaker:us-east-1:123456789012:model/shop",
        "arn:aws:s3:us-east-1:123456789012:endpoint/shop",
        "arn:aws:sagemaker:us-east-1:123456789012:endpoint/sh op",
        "arn:aws:sagemaker:us-east-1:123456789012:endpoint/shop/x",
        "arn:aws:sagemaker:us-east-1:123456789012:endpoint/" + "x" * 64,
    ],
)
def test_what_is_no_endpoint_is_gone_before_aws_is_asked(
    environment: pytest.MonkeyPatch, target: str
) -> None:
    lever = TrafficShift(Environment("ledger", "topic", "/mode", Settings(), {}, 900), "function")

    with pytest.raises(Gone, match="not the ARN of a SageMaker endpoint"):
        lever.opt_in(target)
