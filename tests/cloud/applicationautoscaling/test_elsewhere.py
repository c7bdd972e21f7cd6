"""Lambda in another process: asked through its API, never while a turn lasts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.core.base_backend import BackendDict

from local.cloud import WORLD
from local.cloud.applicationautoscaling import dials
from local.cloud.server import serve
from tests.cloud.applicationautoscaling.conftest import FUNCTION, register
from tests.cloud.hosting import refused

Found = TypeVar("Found")

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(60)]


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{code}, as told"}}, "Operation")


class Functions:
    """A Lambda that asks the account before each answer, as the account's own does for its quota."""

    def __init__(self) -> None:
        self.provisioned = 0
        self.status = "READY"
        self.refusing: Exception | None = None

    def get_provisioned_concurrency_config(self, **place: str) -> dict[str, Any]:
        self._ask_the_account()
        if place != {"FunctionName": "shop", "Qualifier": "live"}:
            raise refusal("ResourceNotFoundException")
        if not self.provisioned:
            raise refusal("ProvisionedConcurrencyConfigNotFoundException")
        return {
            "RequestedProvisionedConcurrentExecutions": self.provisioned,
            "Status": self.status,
            "StatusReason": "FUNCTION_ERROR_INIT_FAILURE",
        }

    def put_provisioned_concurrency_config(self, **asked: Any) -> None:
        self._ask_the_account()
        if self.refusing:
            raise self.refusing
        self.provisioned = asked["ProvisionedConcurrentExecutions"]

    def delete_provisioned_concurrency_config(self, **place: str) -> None:
        self.provisioned = 0

    @staticmethod
    def _ask_the_account() -> None:
        def ask() -> None:
            with WORLD.turn():
                pass

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(5)
        assert not asking.is_alive(), "Lambda is asked while a turn lasts"


@pytest.fixture
def functions() -> Functions:
    return Functions()


@pytest.fixture
def scaling(credentials: None, functions: Functions) -> Iterator[Any]:
    BackendDict.reset()
    WORLD.durations.scaling_reaction = 0.05
    with serve(functions=lambda region: functions) as address:
        yield boto3.client("application-autoscaling", endpoint_url=address.url)
    BackendDict.reset()


def activity(scaling: Any) -> dict[str, Any]:
    """The newest one, once it is over."""

    def over() -> dict[str, Any] | None:
        told = scaling.describe_scaling_activities(ServiceNamespace="lambda")["ScalingActivities"]
        return told[0] if told and told[0]["StatusCode"] != "InProgress" else None

    return soon(over)


def soon(look: Callable[[], Found | None]) -> Found:
    """What `look` finds as soon as it finds something."""
    deadline = time.monotonic() + 10
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_an_alias_is_raised_and_followed_until_it_is_ready(
    scaling: Any, functions: Functions
) -> None:
    functions.provisioned = 1
    register(scaling, 3, 9, **FUNCTION)
    assert activity(scaling)["StatusCode"] == "Successful"
    assert functions.provisioned == 3


def test_down_to_none_it_is_deleted(scaling: Any, functions: Functions) -> None:
    functions.provisioned = 4
    register(scaling, 0, 0, **FUNCTION)
    assert activity(scaling)["StatusCode"] == "Successful"
    assert functions.provisioned == 0


@pytest.mark.parametrize(
    "refusing",
    [
        refusal("InvalidParameterValueException"),
        EndpointConnectionError(endpoint_url="http://lambda"),
    ],
)
def test_what_lambda_refuses_or_does_not_answer_fails(
    scaling: Any, functions: Functions, refusing: Exception
) -> None:
    functions.refusing = refusing
    register(scaling, 3, 9, **FUNCTION)
    told = activity(scaling)
    assert told["StatusCode"] == "Failed"
    assert told["StatusMessage"].startswith("Failed to set desired concurrency to 3. Reason: ")


def test_an_initialisation_that_fails_is_told(scaling: Any, functions: Functions) -> None:
    functions.status = "FAILED"
    register(scaling, 3, 9, **FUNCTION)
    assert activity(scaling)["StatusMessage"].endswith("Reason: FUNCTION_ERROR_INIT_FAILURE")


def test_what_is_deregistered_while_lambda_is_asked_is_left_alone(
    scaling: Any, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer, read = threading.Event(), threading.Event(), threading.Event()
    ask = functions.get_provisioned_concurrency_config

    def slow(**place: str) -> dict[str, Any]:
        if threading.current_thread().name == "scaled-functions":
            asked.set()
            assert answer.wait(10)
        return ask(**place)

    monkeypatch.setattr(functions, "get_provisioned_concurrency_config", slow)
    register(scaling, 3, 9, **FUNCTION)
    assert asked.wait(10)
    scaling.deregister_scalable_target(**FUNCTION)
    answer.set()
    # What the answer sets off is sent before the first of these errands, and so done at the second.
    way = dials._distances[FUNCTION["ScalableDimension"]]
    way.send(lambda: way.send(read.set))
    assert read.wait(10)
    assert functions.provisioned == 0


@pytest.mark.parametrize("resource", ["function:shop:dead", "function:none:live"])
def test_what_lambda_does_not_know_is_not_registered(scaling: Any, resource: str) -> None:
    place = FUNCTION | {"ResourceId": resource}
    assert refused(register, scaling=scaling, low=1, high=2, **place)[0] == "ValidationException"


def test_without_a_lambda_none_is_registered(credentials: None) -> None:
    with serve() as address:
        scaling = boto3.client("application-autoscaling", endpoint_url=address.url)
        code, _ = refused(register, scaling=scaling, low=1, high=2, **FUNCTION)
    assert code == "UnsupportedByPocketAccount"
