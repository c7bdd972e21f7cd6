"""An AWS service reaches a function or a queue only where the resource's policy lets it."""

from __future__ import annotations

from typing import Any

import pytest

from local.ministack.resource_policy import ServiceCall, UnknownCondition, allows

ACCOUNT = "000000000000"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:shifter"
ALARM = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:canary-errors"
CALL = ServiceCall(
    "lambda.alarms.cloudwatch.amazonaws.com", "lambda:InvokeFunction", FUNCTION, ALARM, ACCOUNT
)


def policy(**changes: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.alarms.cloudwatch.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION,
        **changes,
    }
    return {"Statement": [{key: value for key, value in statement.items() if value is not None}]}


def test_the_service_that_is_named_may_call() -> None:
    assert allows(policy(), CALL)


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": {"Service": "events.amazonaws.com"}},
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
        {"Action": "lambda:GetFunction"},
        {"Resource": f"{FUNCTION}:live"},
        {"Condition": {"StringEquals": {"AWS:SourceAccount": "111111111111"}}},
        {"Condition": {"ArnLike": {"AWS:SourceArn": ALARM + "-other"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
    ],
)
def test_anything_else_is_refused(changes: dict[str, Any]) -> None:
    assert not allows(policy(**changes), CALL)


def test_no_policy_allows_nothing() -> None:
    assert not allows({}, CALL)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"AWS:SourceAccount": ACCOUNT}},
        {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:*"}},
        {"ArnEquals": {"aws:SourceArn": [ALARM, "arn:aws:x"]}},
        {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}},
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"Null": {"aws:PrincipalOrgID": "true"}},
    ],
)
def test_a_condition_that_holds_lets_the_call_pass(condition: dict[str, Any]) -> None:
    assert allows(policy(Condition=condition), CALL)


def test_a_denial_wins() -> None:
    both = policy()["Statement"] + policy(Effect="Deny", Principal="*")["Statement"]
    assert not allows({"Statement": both}, CALL)


def test_a_denial_of_plain_http_does_not_stop_a_service() -> None:
    denial = policy(
        Effect="Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}
    )
    assert allows({"Statement": policy()["Statement"] + denial["Statement"]}, CALL)


def test_actions_are_compared_without_case_and_with_wildcards() -> None:
    assert allows(policy(Action=["LAMBDA:invoke*"]), CALL)


def test_an_unknown_operator_is_not_guessed() -> None:
    with pytest.raises(UnknownCondition, match="DateLessThan"):
        allows(policy(Condition={"DateLessThan": {"aws:SourceAccount": "2020"}}), CALL)
