"""One URL for every AWS call: authorised, routed by the service it is signed for, and recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

from local import tag_search
from local.authorization.gate import Gate
from local.authorization.requests import Request
from local.calls import Call, CallLog, Identity
from local.operations import Signature, error_code, operation, parameters, signature

# Services the simulated cloud answers; ministack answers every other.
CLOUD_SERVICES = frozenset(
    {
        "application-autoscaling",
        "autoscaling",
        "ec2",
        "elasticloadbalancing",
        "monitoring",
        "sagemaker",
        "servicequotas",
    }
)

# Of the other services' operations, those that are about its calls: trails are ministack's.
CLOUD_OPERATIONS = frozenset({("cloudtrail", "LookupEvents")})

_HOP_BY_HOP = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "transfer-encoding"}
)
_LARGEST_BODY = 300 * 2**20


@dataclass(frozen=True)
class Answer:
    """A service's whole answer."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


@dataclass
class Backends:
    """Where calls go: the simulated cloud and ministack, and who holds which access key."""

    cloud_url: str
    ministack_url: str
    identities: dict[str, Identity] = field(default_factory=dict)

    def url(self, service: str, name: str) -> str:
        """The backend of a service, by the name requests are signed for, and its operation."""
        in_cloud = service in CLOUD_SERVICES or (service, name) in CLOUD_OPERATIONS
        return self.cloud_url if in_cloud else self.ministack_url


class FrontDoor:
    """The application behind the account's URL."""

    def __init__(
        self,
        backends: Backends,
        calls: CallLog,
        gate: Callable[[ClientSession], Gate] | None = None,
    ) -> None:
        self._backends = backends
        self._calls = calls
        self._make_gate = gate
        self._session: ClientSession | None = None
        self._gate: Gate | None = None

    def application(self) -> web.Application:
        """The web application; serve it with auto_decompress off, bodies pass as they came."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.cleanup_ctx.append(self._connect)
        application.router.add_route("*", "/{path:.*}", self._handle)
        return application

    async def _connect(self, _: web.Application):  # type: ignore[no-untyped-def]
        async with ClientSession(
            connector=TCPConnector(limit=0),
            auto_decompress=False,
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=None),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as self._session:
            self._gate = self._make_gate(self._session) if self._make_gate else None
            yield

    async def _handle(self, request: web.Request) -> web.Response:
        arrived = time.time()
        body = await request.read()
        path, _, query = request.raw_path.partition("?")
        signed = signature(request.headers, query)
        service = signed.service if signed else "unsigned"
        name = operation(service, request.method, path, query, request.headers, body)
        try:
            denied = await self._denied(signed, name, path, query, body) if signed else None
            if denied is not None:
                answer = denied
            elif service == "tagging" and name in tag_search.MERGED:
                answer = await self._search_tags(name, request, body)
            else:
                answer = await self._forward(self._backends.url(service, name), request, body)
        except ClientError as error:
            answer = _unavailable(service, error)
        access_key = signed.access_key if signed else ""
        self._calls.add(
            Call(
                time=arrived,
                access_key=access_key,
                identity=self._backends.identities.get(access_key),
                service=service,
                operation=name,
                status=answer.status,
                error=error_code(answer.headers, answer.body) if answer.status >= 400 else None,
                milliseconds=(time.time() - arrived) * 1000,
                trace=request.headers.get("X-Amzn-Trace-Id"),
                parameters=parameters(request.headers, body),
            )
        )
        return _response(answer, request.method)

    async def _denied(
        self, signed: Signature, name: str, path: str, query: str, body: bytes
    ) -> Answer | None:
        identity = self._backends.identities.get(signed.access_key)
        if self._gate is None or identity is None or identity.role_arn is None:
            return None
        account = identity.role_arn.split(":")[4]
        asked = Request(signed.service, name, signed.region, account, path, query, body)
        denied = await self._gate.refuse(identity, asked)
        if denied is None:
            return None
        status, headers, told = denied
        return Answer(status, CIMultiDict(headers), told)

    async def _forward(self, base: str, request: web.Request, body: bytes) -> Answer:
        assert self._session is not None
        headers = CIMultiDict(
            (key, value) for key, value in request.headers.items() if key.lower() not in _HOP_BY_HOP
        )
        url = URL(base + request.raw_path, encoded=True)
        async with self._session.request(
            request.method, url, headers=headers, data=body, allow_redirects=False
        ) as got:
            return Answer(got.status, CIMultiDict(got.headers), await got.read())

    async def _search_tags(self, name: str, request: web.Request, body: bytes) -> Answer:
        async def ask(base: str, asked: Mapping[str, object]) -> tuple[int, dict[str, object]]:
            answer = await self._forward(base, request, json.dumps(asked).encode())
            return answer.status, json.loads(answer.body)

        status, found = await tag_search.merge(
            name,
            json.loads(body or b"{}"),
            cloud=lambda asked: ask(self._backends.cloud_url, asked),
            ministack=lambda asked: ask(self._backends.ministack_url, asked),
            in_cloud=CLOUD_SERVICES.__contains__,
        )
        headers = CIMultiDict({"Content-Type": "application/x-amz-json-1.1"})
        return Answer(status, headers, json.dumps(found).encode())


def _unavailable(service: str, error: ClientError) -> Answer:
    """What an AWS endpoint answers when the service behind it is gone; SDKs retry it."""
    text = f"The pocket account's {service} does not answer ({error}). See its log, or restart it."
    body = json.dumps({"__type": "ServiceUnavailable", "message": text}).encode()
    return Answer(503, CIMultiDict({"Content-Type": "application/x-amz-json-1.1"}), body)


def _response(answer: Answer, method: str) -> web.Response:
    dropped = _HOP_BY_HOP - {"content-length"} if method == "HEAD" else _HOP_BY_HOP
    headers = CIMultiDict(
        (key, value) for key, value in answer.headers.items() if key.lower() not in dropped
    )
    return web.Response(status=answer.status, headers=headers, body=answer.body)
