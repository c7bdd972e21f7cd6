"""Resource Groups Tagging API over both backends, as one account.

Each backend answers for its own services' resources only; pages are cut anew after merging
(https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

MERGED = frozenset({"GetResources", "GetTagKeys", "GetTagValues", "TagResources", "UntagResources"})
LISTED = {
    "GetResources": "ResourceTagMappingList",
    "GetTagKeys": "TagKeys",
    "GetTagValues": "TagValues",
}
DEFAULT_PAGE = 50
MOST_ARNS = 100
"""Resources that a caller may name (botocore service model, `ResourceARNList`). Its answer has no
pages: "You can't specify both this parameter and any of the pagination parameters"."""

Reply = tuple[int, dict[str, Any]]
Ask = Callable[[Mapping[str, object]], Awaitable[Reply]]


async def merge(
    operation: str,
    asked: dict[str, Any],
    *,
    cloud: Ask,
    ministack: Ask,
    in_cloud: Callable[[str], bool],
) -> Reply:
    """Status and body of the merged answer; the first refusal of a backend is the answer."""
    if operation in ("TagResources", "UntagResources"):
        return await _write(asked, cloud, ministack, in_cloud)
    listed = LISTED[operation]
    token = asked.pop("PaginationToken", "")
    size = asked.pop("ResourcesPerPage", None)
    named = bool(asked.get("ResourceARNList"))
    if named and (token or size is not None):
        return 400, {
            "__type": "InvalidParameterException",
            "Message": "ResourceARNList cannot be given together with pagination parameters.",
        }
    start = _offset(token)
    if start is None:
        return 400, {
            "__type": "PaginationTokenExpiredException",
            "Message": "A PaginationToken is valid for a maximum of 15 minutes.",
        }
    if size is not None and not 1 <= size <= 100:
        return 400, {
            "__type": "InvalidParameterException",
            "Message": "ResourcesPerPage must be between 1 and 100.",
        }
    found: list[Any] = []
    for ask, owns in ((cloud, True), (ministack, False)):
        status, members = await _all(ask, asked, listed)
        if status != 200:
            return status, members[0]
        if listed == "ResourceTagMappingList":
            members = [m for m in members if in_cloud(_service(m["ResourceARN"])) is owns]
        found += members
    if listed == "ResourceTagMappingList":
        found.sort(key=lambda mapping: mapping["ResourceARN"])
    else:
        found = sorted(set(found))
    end = start + (size or (MOST_ARNS if named else DEFAULT_PAGE))
    following = _token(end) if end < len(found) else ""
    return 200, {listed: found[start:end], "PaginationToken": following}


async def _all(ask: Ask, asked: Mapping[str, object], listed: str) -> tuple[int, list[Any]]:
    members: list[Any] = []
    page: dict[str, object] = dict(asked)
    while True:
        status, body = await ask(page)
        if status != 200:
            return status, [body]
        members += body.get(listed) or []
        if not body.get("PaginationToken"):
            return 200, members
        page = {**asked, "PaginationToken": body["PaginationToken"]}


async def _write(
    asked: dict[str, Any], cloud: Ask, ministack: Ask, in_cloud: Callable[[str], bool]
) -> Reply:
    failed: dict[str, Any] = {}
    arns = asked.get("ResourceARNList") or []
    for ask, owns in ((cloud, True), (ministack, False)):
        own = [arn for arn in arns if in_cloud(_service(arn)) is owns]
        if not own:
            continue
        status, body = await ask({**asked, "ResourceARNList": own})
        if status != 200:
            return status, body
        failed |= body.get("FailedResourcesMap") or {}
    return 200, {"FailedResourcesMap": failed}


def _service(arn: str) -> str:
    """The name a service's calls are signed for, from an ARN of it."""
    service = arn.split(":")[2]
    return "monitoring" if service == "cloudwatch" else service


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"from {offset}".encode()).decode()


def _offset(token: str) -> int | None:
    if not token:
        return 0
    try:
        word, _, offset = base64.urlsafe_b64decode(token).decode().partition(" ")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return int(offset) if word == "from" and offset.isdigit() else None
