"""Requests, answers and errors against botocore's service model; our operations inside moto."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import botocore.session
import pytest
from moto.core.botocore_stubber import BotocoreStubber

from local.cloud.sagemaker import SageMaker
from local.cloud.seam import Refusal, SeamMissing, extend, guard, operation, require
from local.cloud.shapes import misfits, violations
from tests.cloud.conftest import Account
from tests.cloud.hosting import refused, stand_up

MODELS = botocore.session.get_session()
MODEL = MODELS.get_service_model("sagemaker")


@pytest.mark.parametrize(
    ("operation_name", "request_", "constraint"),
    [
        (
            "DeleteEndpoint",
            {},
            "Value null at 'endpointName' failed to satisfy constraint: Member must not be null",
        ),
        ("DeleteEndpoint", {"EndpointName": "a" * 64}, "length less than or equal to 63"),
        ("DeleteEndpoint", {"EndpointName": "a_b"}, "satisfy regular expression pattern"),
        ("DeleteEndpoint", {"EndpointName": 7}, "be of type string"),
        ("ListEndpoints", {"MaxResults": 0}, "value greater than or equal to 1"),
        ("ListEndpoints", {"MaxResults": 101}, "value less than or equal to 100"),
        ("ListEndpoints", {"SortBy": "Size"}, "enum value set: [Name, CreationTime, Status]"),
        (
            "UpdateEndpointWeightsAndCapacities",
            {
                "EndpointName": "e",
                "DesiredWeightsAndCapacities": [{"VariantName": "v", "DesiredWeight": -0.1}],
            },
            "'desiredWeightsAndCapacities.1.member.desiredWeight'",
        ),
        (
            "UpdateEndpointWeightsAndCapacities",
            {"EndpointName": "e", "DesiredWeightsAndCapacities": []},
            "length greater than or equal to 1",
        ),
    ],
)
def test_a_request_is_held_to_the_constraints_of_the_model(
    operation_name: str, request_: dict[str, Any], constraint: str
) -> None:
    found = next(violations(MODEL.operation_model(operation_name).input_shape, request_))
    assert constraint in found


@pytest.mark.parametrize("value", ["Überwachung 5", "a:b/c=d+e-f@g_h.i", ""])
def test_java_unicode_classes_in_patterns_are_understood(value: str) -> None:
    assert not list(violations(MODEL.shape_for("TagValue"), value))


@pytest.mark.parametrize(("value", "fits"), [("scale out: 50 %", True), ("Überwachung", False)])
def test_javas_class_of_printable_ascii_is_understood(value: str, fits: bool) -> None:
    shape = MODELS.get_service_model("application-autoscaling").shape_for("PolicyName")
    assert (not list(violations(shape, value))) is fits


def test_a_broken_constraint_reaches_the_client_as_aws_words_it(account: Account) -> None:
    code, message = refused(
        account.client("sagemaker").describe_endpoint, EndpointName="not_a_name"
    )
    assert code == "ValidationException"
    assert message.startswith(
        "1 validation error detected: Value 'not_a_name' at 'endpointName' failed to satisfy"
    )


@pytest.mark.parametrize(
    ("answer", "misfit"),
    [
        ({"EndpointArn": "arn:x", "EndpointARN": "arn:x"}, "EndpointARN: not in"),
        ({}, "EndpointArn: missing"),
        ({"EndpointArn": 5}, "string expected"),
    ],
)
def test_an_answer_is_held_to_the_model(answer: dict[str, Any], misfit: str) -> None:
    [found] = misfits(MODEL.operation_model("CreateEndpoint").output_shape, answer)
    assert misfit in found


def test_a_wrong_answer_fails_loudly(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SageMaker, "list_endpoints", lambda self, **_: {"Endpoint": []})
    with pytest.raises(TypeError, match="Endpoint"):
        account.client("sagemaker").list_endpoints()


def test_an_error_code_unknown_to_the_model_fails_loudly(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, **_: Any) -> None:
        raise Refusal("NoSuchThing", "")

    monkeypatch.setattr(SageMaker, "list_endpoints", refuse)
    with pytest.raises(TypeError, match="NoSuchThing"):
        account.client("sagemaker").list_endpoints()


def test_an_operation_nobody_built_is_refused_and_not_left_to_moto(account: Account) -> None:
    code, message = refused(account.client("sagemaker").list_training_plans)
    assert code == "UnknownOperationException"
    assert "ListTrainingPlans" in message


def test_a_parameter_nobody_simulates_is_refused_under_a_code_of_our_own(
    account: Account,
) -> None:
    sagemaker = stand_up(account)
    code, message = refused(
        sagemaker.update_endpoint,
        EndpointName="shop",
        EndpointConfigName="config",
        RetainDeploymentConfig=True,
    )
    assert code == "UnsupportedByPocketAccount"
    assert "RetainDeploymentConfig" in message


def test_a_missing_seam_is_named_with_what_to_do() -> None:
    with pytest.raises(SeamMissing, match=r"no 'vanished' any more.*install that one"):
        require(BotocoreStubber, "vanished")


def test_installing_refuses_when_moto_lost_the_place_of_the_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(BotocoreStubber, "process_request")
    with pytest.raises(SeamMissing, match="process_request"):
        guard()


def test_a_method_that_is_no_operation_of_the_model_is_refused_at_once() -> None:
    class Misspelt(SageMaker):
        @operation
        def describe_endpiont(self) -> None: ...

    with pytest.raises(SeamMissing, match="describe_endpiont"):
        extend("sagemaker", Misspelt)


def test_a_parameter_that_is_not_in_the_model_is_refused_at_once() -> None:
    class Misspelt(SageMaker):
        @operation
        def describe_endpoint(self, endpoint_nmae: str) -> dict[str, Any]:
            return {}

    with pytest.raises(SeamMissing, match="endpoint_nmae"):
        extend("sagemaker", Misspelt)


def test_conditional_writes_have_one_winner_whatever_the_threads_do(account: Account) -> None:
    """DynamoDB: a conditional put is atomic. moto's is not, unless calls are turns."""
    dynamodb = account.client("dynamodb")
    dynamodb.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def claim(key: str) -> bool:
        try:
            dynamodb.put_item(
                TableName="t",
                Item={"k": {"S": key}},
                ConditionExpression="attribute_not_exists(k)",
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as threads:
            winners = [sum(threads.map(claim, [str(race)] * 8)) for race in range(20)]
    finally:
        sys.setswitchinterval(interval)
    assert winners == [1] * 20
