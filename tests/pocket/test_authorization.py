"""What a deployed function may call: its role's policies, held against each of its calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.authorization.gate import Gate
from local.authorization.requests import Request, Right, rights
from local.authorization.statements import Ask, NotSimulated, decision, parsed
from local.calls import Identity

ROLE = "arn:aws:iam::000000000000:role/fn-role"
FUNCTION = Identity("fn", ROLE)
ALIAS = "arn:aws:lambda:us-east-1:000000000000:function:shop:live"
WHOLE = ALIAS.removesuffix(":live")
ENDPOINT = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/shop"
OPTED_IN = {"StringEquals": {"aws:ResourceTag/team": ["search"]}}
PUT = "lambda:PutProvisionedConcurrencyConfig"


def allowing(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def decided(ask: Ask, *statements: Mapping[str, Any]) -> str:
    return decision(parsed([{"Statement": list(statements)}]), ask)


class TestPolicies:
    def test_what_no_statement_allows_is_not_allowed(self) -> None:
        assert decided(Ask(PUT, ALIAS), allowing("lambda:Get*")) == "none"

    @pytest.mark.parametrize("action", [PUT, "lambda:Put*", "LAMBDA:PutProvisioned*", "*"])
    def test_actions_are_patterns_in_any_case(self, action: str) -> None:
        assert decided(Ask(PUT, ALIAS), allowing(action)) == "allow"

    @pytest.mark.parametrize(
        ("resource", "decision"),
        [(ALIAS, "allow"), (f"{WHOLE}:*", "allow"), (WHOLE, "none"), (ALIAS.upper(), "none")],
    )
    def test_resources_are_patterns_of_the_whole_arn(self, resource: str, decision: str) -> None:
        assert decided(Ask(PUT, ALIAS), allowing(PUT, resource=resource)) == decision

    def test_a_denial_wins(self) -> None:
        denial = allowing(PUT) | {"Effect": "Deny"}
        assert decided(Ask(PUT, ALIAS), allowing("*"), denial) == "deny"

    @pytest.mark.parametrize(
        ("condition", "decision"),
        [
            ({"StringEquals": {"aws:ResourceTag/team": ["ads", "search"]}}, "allow"),
            ({"StringEquals": {"aws:resourcetag/Team": "search"}}, "allow"),
            ({"StringEquals": {"aws:ResourceTag/team": "Search"}}, "none"),
            ({"StringEqualsIgnoreCase": {"aws:ResourceTag/team": "Search"}}, "allow"),
            ({"StringEquals": {"aws:ResourceTag/other": "search"}}, "none"),
            ({"StringNotEquals": {"aws:ResourceTag/other": "search"}}, "allow"),
            ({"StringNotEquals": {"aws:ResourceTag/team": ["ads", "search"]}}, "none"),
            ({"StringLike": {"aws:ResourceTag/team": "sea*"}}, "allow"),
            ({"Null": {"aws:ResourceTag/other": "true"}}, "allow"),
            ({"Null": {"aws:ResourceTag/team": "true"}}, "none"),
            ({"Bool": {"aws:ViaAWSService": "true"}}, "none"),
            ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "x"]}}, "allow"),
            ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "x"]}}, "none"),
            ({"ForAllValues:StringEquals": {"aws:none": ["a"]}}, "allow"),
            (
                {
                    "StringEquals": {"aws:ResourceTag/team": "search"},
                    "Bool": {"aws:ViaAWSService": "true"},
                },
                "none",
            ),
        ],
    )
    def test_every_condition_must_hold(self, condition: Any, decision: str) -> None:
        context = {
            "aws:resourcetag/team": "search",
            "aws:viaawsservice": "false",
            "aws:tagkeys": ["a", "b"],
        }
        assert decided(Ask(PUT, ALIAS, context), allowing(PUT, Condition=condition)) == decision

    def test_where_the_resource_is_not_worked_out_the_action_decides(self) -> None:
        narrow = allowing("ec2:RunInstances", resource="arn:aws:ec2:*", Condition=OPTED_IN)
        assert decided(Ask("ec2:RunInstances"), narrow) == "allow"
        assert decided(Ask("ec2:StopInstances"), narrow) == "none"
        assert decided(Ask("ec2:RunInstances"), narrow, narrow | {"Effect": "Deny"}) == "allow"

    @pytest.mark.parametrize(
        "more", [{"NotAction": "x"}, {"Condition": {"DateLessThan": {"aws:CurrentTime": "x"}}}]
    )
    def test_what_is_not_judged_is_said_to_be_so(self, more: dict[str, Any]) -> None:
        with pytest.raises(NotSimulated, match="does not judge"):
            parsed([{"Statement": [allowing(PUT) | more]}])


def request(service: str, operation: str, path: str = "/", query: str = "", **body: Any) -> Request:
    told = json.dumps(body).encode()
    return Request(service, operation, "us-east-1", "000000000000", path, query, told)


PROVISIONED = "/2019-09-30/functions/{}/provisioned-concurrency"


class TestRights:
    @pytest.mark.parametrize(
        ("name", "query"),
        [
            ("shop", "Qualifier=live"),
            ("shop:live", ""),
            (ALIAS, ""),
            (WHOLE.replace(":", "%3A"), "Qualifier=live"),
        ],
    )
    def test_provisioned_concurrency_is_an_aliass_with_its_functions_tags(
        self, name: str, query: str
    ) -> None:
        operation = "PutProvisionedConcurrencyConfig"
        (right,) = rights(request("lambda", operation, PROVISIONED.format(name), query))
        assert right == Right(PUT, ALIAS, WHOLE)

    def test_an_alias_is_its_functions(self) -> None:
        path = "/2015-03-31/functions/shop/aliases/live"
        (right,) = rights(request("lambda", "GetAlias", path))
        assert right == Right("lambda:GetAlias", WHOLE, WHOLE)

    def test_an_endpoint_is_named_in_lower_case(self) -> None:
        (right,) = rights(request("sagemaker", "DescribeEndpoint", EndpointName="Shop"))
        assert right == Right("sagemaker:DescribeEndpoint", ENDPOINT, ENDPOINT)

    @pytest.mark.parametrize(
        ("service", "operation", "action"),
        [
            ("monitoring", "GetMetricData", "cloudwatch:GetMetricData"),
            ("tagging", "GetResources", "tag:GetResources"),
            ("lambda", "Invoke", "lambda:InvokeFunction"),
        ],
    )
    def test_actions_have_iams_names(self, service: str, operation: str, action: str) -> None:
        assert [each.action for each in rights(request(service, operation))] == [action]

    def test_a_transaction_needs_the_rights_of_its_items(self) -> None:
        items: list[Any] = [{"Put": {}}, {"ConditionCheck": {}}, {"Put": {}}]
        asked = request("dynamodb", "TransactWriteItems", TransactItems=items)
        assert [each.action for each in rights(asked)] == [
            "dynamodb:ConditionCheckItem",
            "dynamodb:PutItem",
        ]

    def test_who_one_is_may_always_be_asked(self) -> None:
        assert rights(request("sts", "GetCallerIdentity")) == ()


@dataclass
class Books:
    """What the account knows."""

    statements: Sequence[Mapping[str, Any]]
    tagged: dict[str, Mapping[str, str]] = field(default_factory=dict)
    target: str | None = None
    asked: list[str] = field(default_factory=list)

    async def policies(self, role_name: str) -> Sequence[Mapping[str, Any]] | None:
        self.asked.append(role_name)
        return [{"Statement": self.statements}] if role_name == "fn-role" else None

    async def tags(self, arn: str) -> Mapping[str, str]:
        self.asked.append(arn)
        return self.tagged.get(arn, {})

    async def scalable_target(self, request: Request, members: Mapping[str, Any]) -> str | None:
        return self.target


def refused(
    books: Books, asked: Request, identity: Identity = FUNCTION, made_up: bool = False
) -> tuple[int, str]:
    """The status and the body of the refusal; (0, "") when the call may be made."""

    async def ask() -> tuple[int, str]:
        denial = await Gate(books, lambda: made_up).refuse(identity, asked)
        return (denial[0], denial[2].decode()) if denial else (0, "")

    return asyncio.run(ask())


PROVISION = request(
    "lambda", "PutProvisionedConcurrencyConfig", PROVISIONED.format("shop"), "Qualifier=live"
)


class TestGate:
    def test_a_functions_tags_open_its_aliases(self) -> None:
        books = Books([allowing(PUT, Condition=OPTED_IN)], {WHOLE: {"team": "search"}})
        assert refused(books, PROVISION) == (0, "")
        books.tagged[WHOLE] = {"team": "ads"}
        assert refused(books, PROVISION)[0] == 403

    def test_a_denial_says_who_may_not_do_what(self) -> None:
        status, told = refused(Books([allowing("lambda:Get*")]), PROVISION)
        assert (status, json.loads(told)) == (
            403,
            {
                "__type": "AccessDeniedException",
                "message": "User: arn:aws:sts::000000000000:assumed-role/fn-role/fn is not "
                f"authorized to perform: {PUT} on resource: {ALIAS} because no identity-based "
                f"policy allows the {PUT} action",
            },
        )

    @pytest.mark.parametrize(
        ("service", "status", "code"),
        [
            ("sagemaker", 400, "AccessDeniedException"),
            ("monitoring", 400, "AccessDeniedException"),
            ("autoscaling", 403, "<ErrorResponse><Error><Code>AccessDenied</Code>"),
            ("ec2", 403, "<Response><Errors><Error><Code>UnauthorizedOperation</Code>"),
        ],
    )
    def test_each_service_denies_in_its_own_way(self, service: str, status: int, code: str) -> None:
        found, told = refused(Books([]), request(service, "Something"))
        assert (found, code in told) == (status, True)

    def test_tags_are_looked_up_only_where_a_policy_asks_for_them(self) -> None:
        books = Books([allowing(PUT)])
        refused(books, PROVISION)
        assert books.asked == ["fn-role"]

    def test_a_role_is_read_once_for_many_calls(self) -> None:
        books = Books([allowing(PUT)])

        async def ask() -> None:
            gate = Gate(books, lambda: False)
            for _ in range(3):
                assert await gate.refuse(FUNCTION, PROVISION) is None

        asyncio.run(ask())
        assert books.asked == ["fn-role"]

    @pytest.mark.parametrize(
        "identity",
        [Identity("cloudformation.amazonaws.com"), Identity("fn", f"{ROLE}-that-is-not-there")],
    )
    def test_who_has_no_role_here_is_not_judged(self, identity: Identity) -> None:
        assert refused(Books([]), PROVISION, identity) == (0, "")

    def test_a_policy_that_cannot_be_judged_opens_nothing(self) -> None:
        books = Books([allowing("*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})])
        status, told = refused(books, PROVISION)
        assert (status, "UnsupportedByPocketAccount" in told) == (400, True)


NAMESPACE = "application-autoscaling:service-namespace"
DIMENSION = "application-autoscaling:scalable-dimension"
REGISTER = "application-autoscaling:RegisterScalableTarget"
OF_LAMBDA = {
    "StringEquals": {NAMESPACE: ["lambda"], DIMENSION: ["lambda:function:ProvisionedConcurrency"]}
}
WATCH = ("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms")
TURN = (PUT, PUT.replace("Put", "Get"), PUT.replace("Put", "Delete"))
ON_LAMBDA = request(
    "application-autoscaling",
    "RegisterScalableTarget",
    ServiceNamespace="lambda",
    ResourceId="function:shop:live",
    ScalableDimension="lambda:function:ProvisionedConcurrency",
    MinCapacity=1,
)
ON_SAGEMAKER = request(
    "application-autoscaling",
    "RegisterScalableTarget",
    ServiceNamespace="sagemaker",
    ResourceId="endpoint/Shop/variant/blue",
    ScalableDimension="sagemaker:variant:DesiredProvisionedConcurrency",
)
OF_ENDPOINTS = ("sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities")


class TestRegisteringATarget:
    """User guide of Application Auto Scaling, "Permissions validation" and "Identity-based policy
    examples"; Service Authorization Reference, "Actions defined by Application Auto Scaling"."""

    def test_its_namespace_and_dimension_are_conditions(self) -> None:
        books = Books([allowing(REGISTER, Condition=OF_LAMBDA), allowing(*TURN, *WATCH)])
        assert refused(books, ON_LAMBDA) == (0, "")
        status, told = refused(books, ON_SAGEMAKER)
        assert (status, json.loads(told)["__type"]) == (400, "AccessDeniedException")

    def test_its_own_tags_count_not_those_of_what_it_scales(self) -> None:
        target = "arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/0a1b"
        books = Books(
            [allowing(REGISTER, Condition=OPTED_IN), allowing(*TURN, *WATCH)],
            {WHOLE: {"team": "search"}},
            target,
        )
        assert refused(books, ON_LAMBDA)[0] == 400
        books.tagged = {target: {"team": "search"}}
        assert refused(books, ON_LAMBDA) == (0, "")

    @pytest.mark.parametrize("missing", [*TURN, *WATCH])
    def test_it_takes_the_rights_of_lambda_and_cloudwatch(self, missing: str) -> None:
        given = [each for each in (*TURN, *WATCH) if each != missing]
        status, told = refused(Books([allowing(REGISTER, *given)]), ON_LAMBDA)
        assert (status, json.loads(told)) == (
            400,
            {
                "__type": "ValidationException",
                "message": f"User is missing the following permissions: {missing}",
            },
        )

    def test_those_may_depend_on_the_functions_tags(self) -> None:
        statements = [allowing(REGISTER, *WATCH), allowing(*TURN, Condition=OPTED_IN)]
        books = Books(statements, {WHOLE: {"team": "search"}})
        assert refused(books, ON_LAMBDA) == (0, "")
        assert PUT in refused(books, ON_LAMBDA, made_up=True)[1]
        by_service = {"Bool": {"aws:ViaAWSService": "true"}}
        books.statements = [*statements, allowing(*TURN, Condition=by_service)]
        assert refused(books, ON_LAMBDA, made_up=True) == (0, "")
        assert refused(Books([allowing(PUT, Condition=by_service)]), PROVISION)[0] == 403

    def test_it_takes_the_rights_of_sagemaker_one_of_them_on_no_name_of_ones_own(self) -> None:
        books = Books([allowing(REGISTER, *WATCH), allowing(*OF_ENDPOINTS, resource=ENDPOINT)])
        assert "permissions: sagemaker:DescribeEndpointConfig" in refused(books, ON_SAGEMAKER)[1]
        books.statements = [*books.statements, allowing("sagemaker:DescribeEndpointConfig")]
        assert refused(books, ON_SAGEMAKER) == (0, "")
