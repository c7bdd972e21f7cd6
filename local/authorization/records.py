"""What the gate asks the account's own services, past the front door."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession
from yarl import URL

from local.authorization.requests import Request

JSON = "application/x-amz-json-1.1"


class AccountRecords:
    """Roles are ministack's, as functions are; endpoints and scalable targets the cloud's."""

    def __init__(self, session: ClientSession, cloud_url: str, ministack_url: str) -> None:
        self._session = session
        self._cloud_url = cloud_url
        self._ministack_url = ministack_url

    async def policies(self, role_name: str) -> Sequence[Mapping[str, Any]] | None:
        url = f"{self._ministack_url}/_pocket/policies"
        async with self._session.post(url, json={"role": role_name}) as answer:
            documents: list[Mapping[str, Any]] | None = (await answer.json())["documents"]
            return documents

    async def tags(self, arn: str) -> Mapping[str, str]:
        service, region = arn.split(":")[2:4]
        if service == "lambda":
            path = f"/2017-03-31/tags/{quote(arn, safe='')}"
            return await self._get(f"{self._ministack_url}{path}", service, region)
        if service == "sagemaker":
            told = await self._cloud(service, region, "SageMaker.ListTags", {"ResourceArn": arn})
            return {each["Key"]: each["Value"] for each in told.get("Tags", ())}
        target = "AnyScaleFrontendService.ListTagsForResource"
        told = await self._cloud(service, region, target, {"ResourceARN": arn})
        found: Mapping[str, str] = told.get("Tags", {})
        return found

    async def scalable_target(self, request: Request, members: Mapping[str, Any]) -> str | None:
        asked = {
            "ServiceNamespace": members.get("ServiceNamespace"),
            "ResourceIds": [members.get("ResourceId")],
            "ScalableDimension": members.get("ScalableDimension"),
        }
        operation = "AnyScaleFrontendService.DescribeScalableTargets"
        told = await self._cloud("application-autoscaling", request.region, operation, asked)
        for target in told.get("ScalableTargets", ()):
            return str(target["ScalableTargetARN"])
        return None

    async def _get(self, url: str, service: str, region: str) -> Mapping[str, str]:
        headers = _headers(service, region)
        async with self._session.get(URL(url, encoded=True), headers=headers) as answer:
            told = json.loads(await answer.read() or b"{}")
            found: Mapping[str, str] = told.get("Tags") or {}
            return found

    async def _cloud(
        self, service: str, region: str, operation: str, asked: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """A service's answer; a refusal has none of the members that are looked for."""
        headers = {**_headers(service, region), "X-Amz-Target": operation}
        async with self._session.post(
            self._cloud_url, headers=headers, data=json.dumps(asked).encode()
        ) as answer:
            told: Mapping[str, Any] = json.loads(await answer.read())
            return told


def _headers(service: str, region: str) -> dict[str, str]:
    scope = f"IAM/20260101/{region}/{service}/aws4_request"
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "Content-Type": JSON,
    }
