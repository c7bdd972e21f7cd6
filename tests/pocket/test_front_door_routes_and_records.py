"""Every call goes to the backend of the service it is signed for, unchanged, and is remembered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from local.calls import CallLog, Identity
from local.front_door import Backends, FrontDoor

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

JSON = "application/x-amz-json-1.1"


def signed(service: str, key: str = "AKIAUSER", **headers: str) -> dict[str, str]:
    credential = f"{key}/20260101/us-east-1/{service}/aws4_request"
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }


@dataclass
class Backend:
    """Answers what it is told to, and keeps what it was asked."""

    name: str
    answer: Callable[[Mapping[str, Any]], web.Response] | None = None
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        self.bodies.append(await request.read())
        if self.answer is None:
            return web.json_response({"from": self.name})
        return self.answer(json.loads(self.bodies[-1] or b"{}"))


@dataclass
class House:
    """A front door before two backends."""

    url: str
    session: ClientSession
    cloud: Backend
    ministack: Backend
    backends: Backends
    calls: CallLog

    async def ask(self, service: str, body: object = None, **headers: str) -> Any:
        sent = signed(service, **headers)
        async with self.session.post(self.url, headers=sent, json=body or {}) as answer:
            return await answer.json(content_type=None)


def housed(scene: Callable[[House], Awaitable[None]]) -> None:
    async def play() -> None:
        cloud, ministack, calls = Backend("cloud"), Backend("ministack"), CallLog()
        servers = []
        for backend in (cloud, ministack):
            application = web.Application()
            application.router.add_route("*", "/{path:.*}", backend.handle)
            server = TestServer(application, skip_url_asserts=True)
            await server.start_server(auto_decompress=False)
            servers.append(server)
        urls = [str(server.make_url("")).rstrip("/") for server in servers]
        backends = Backends(urls[0], urls[1])
        door = TestServer(FrontDoor(backends, calls).application(), skip_url_asserts=True)
        await door.start_server(auto_decompress=False)
        async with ClientSession() as session:
            await scene(House(str(door.make_url("/")), session, cloud, ministack, backends, calls))
        for server in (door, *servers):
            await server.close()

    asyncio.run(play())


@pytest.mark.parametrize(
    ("service", "backend"),
    [
        ("sagemaker", "cloud"),
        ("monitoring", "cloud"),
        ("application-autoscaling", "cloud"),
        ("dynamodb", "ministack"),
        ("lambda", "ministack"),
        ("a-service-nobody-knows", "ministack"),
    ],
)
def test_the_signed_service_decides(service: str, backend: str) -> None:
    async def scene(house: House) -> None:
        assert await house.ask(service) == {"from": backend}

    housed(scene)


@pytest.mark.parametrize(
    ("operation", "backend"), [("LookupEvents", "cloud"), ("CreateTrail", "ministack")]
)
def test_of_cloudtrail_the_cloud_has_the_calls_and_ministack_the_trails(
    operation: str, backend: str
) -> None:
    target = f"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{operation}"

    async def scene(house: House) -> None:
        assert await house.ask("cloudtrail", X_Amz_Target=target) == {"from": backend}

    housed(scene)


def test_a_presigned_url_is_routed_by_its_query() -> None:
    async def scene(house: House) -> None:
        query = "X-Amz-Credential=AKIAUSER%2F20260101%2Fus-east-1%2Fsagemaker%2Faws4_request"
        async with house.session.get(f"{house.url}?{query}") as answer:
            assert await answer.json() == {"from": "cloud"}

    housed(scene)


def test_an_unsigned_request_reaches_ministack() -> None:
    async def scene(house: House) -> None:
        async with house.session.get(f"{house.url}bucket/key") as answer:
            assert await answer.json() == {"from": "ministack"}

    housed(scene)


def test_path_query_and_body_arrive_as_they_were_sent() -> None:
    async def scene(house: House) -> None:
        from yarl import URL

        target = URL(f"{house.url}bucket/a%2Fb%20c%2B?x-id=%2F&list-type=2", encoded=True)
        sent = b"\x1f\x8b\x08\x00not really gzip"
        headers = signed("s3", Content_Encoding="gzip", X_Amz_Meta="kept")
        async with house.session.put(target, data=sent, headers=headers) as answer:
            assert answer.status == 200
        (request,) = house.ministack.asked
        assert request.raw_path == "/bucket/a%2Fb%20c%2B?x-id=%2F&list-type=2"
        assert house.ministack.bodies == [sent]
        assert request.headers["X-Amz-Meta"] == "kept"
        assert request.headers["Host"] == house.url.split("/")[2]

    housed(scene)


def test_a_head_answer_keeps_its_length() -> None:
    async def scene(house: House) -> None:
        house.ministack.answer = lambda _: web.Response(body=b"x" * 1234)
        async with house.session.head(f"{house.url}bucket/key", headers=signed("s3")) as answer:
            assert answer.headers["Content-Length"] == "1234"

    housed(scene)


def test_a_call_is_recorded_with_operation_status_and_key() -> None:
    async def scene(house: House) -> None:
        await house.ask("sagemaker", X_Amz_Target="SageMaker.ListEndpoints")
        (call,) = house.calls.select()
        assert (call.service, call.operation, call.status) == ("sagemaker", "ListEndpoints", 200)
        assert (call.as_json()["caller"], call.error) == ("AKIAUSER", None)

    housed(scene)


def test_a_call_is_recorded_with_what_it_asked_for() -> None:
    async def scene(house: House) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded", **signed("autoscaling")}
        sent = "Action=DetachInstances&Version=2011-01-01&AutoScalingGroupName=workers"
        async with house.session.post(house.url, headers=form, data=sent):
            pass
        (call,) = house.calls.select()
        assert call.operation == "DetachInstances"
        assert call.as_json()["parameters"] == {"AutoScalingGroupName": "workers"}

    housed(scene)


def test_a_functions_call_is_recorded_under_its_name_and_role() -> None:
    async def scene(house: House) -> None:
        role = "arn:aws:iam::000000000000:role/Shifter"
        house.backends.identities["ASIAFUNCTION"] = Identity("shifter", role)
        await house.ask("dynamodb", key="ASIAFUNCTION", X_Amz_Target="DynamoDB_20120810.PutItem")
        await house.ask("dynamodb", X_Amz_Target="DynamoDB_20120810.PutItem")
        for caller in ("shifter", "Shifter", role, "ASIAFUNCTION"):
            (call,) = house.calls.select(caller=caller)
            assert call.as_json()["caller"] == "shifter"
            assert call.as_json()["role"] == role

    housed(scene)


def test_a_backend_that_is_gone_is_told_as_an_aws_error() -> None:
    async def scene(house: House) -> None:
        house.backends.ministack_url = "http://127.0.0.1:1"
        async with house.session.post(house.url, headers=signed("dynamodb")) as answer:
            told = await answer.json(content_type=JSON)
        assert (answer.status, told["__type"]) == (503, "ServiceUnavailable")
        (call,) = house.calls.select()
        assert call.error == "ServiceUnavailable"

    housed(scene)


def test_tag_look_ups_see_both_backends_as_one_account() -> None:
    async def scene(house: House) -> None:
        def tagged(*arns: str) -> Callable[[Mapping[str, Any]], web.Response]:
            mappings = [{"ResourceARN": arn, "Tags": []} for arn in arns]
            return lambda _: web.json_response({"ResourceTagMappingList": mappings})

        function = "arn:aws:lambda:us-east-1:000000000000:function:f"
        endpoint = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e"
        house.cloud.answer = tagged(endpoint, "arn:aws:sqs:us-east-1:000000000000:cloud-has-none")
        house.ministack.answer = tagged(function, "arn:aws:sagemaker:us-east-1:0:endpoint/none")
        target = "ResourceGroupsTaggingAPI_20170126.GetResources"
        found = await house.ask("tagging", X_Amz_Target=target)
        assert [m["ResourceARN"] for m in found["ResourceTagMappingList"]] == [function, endpoint]
        assert len(house.calls.select(service="tagging")) == 1

    housed(scene)
