"""Filters, order and pages of the List operations."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from datetime import datetime

from local.cloud.sagemaker.resources import timestamp
from local.cloud.sagemaker.store import Named
from local.cloud.seam import Refusal


def within(
    resources: Iterable[Named], name: str, before: datetime | None, after: datetime | None
) -> list[Named]:
    """The resources that a list call's filters leave. Filter times are naive UTC; "after" is
    inclusive (botocore service model, `ListEndpoints.CreationTimeAfter`)."""
    return [
        each
        for each in resources
        if name in each.name
        and (before is None or timestamp(each.created).replace(tzinfo=None) < before)
        and (after is None or timestamp(each.created).replace(tzinfo=None) >= after)
    ]


def in_order(resources: Iterable[Named], sort_by: str, sort_order: str) -> list[Named]:
    """The resources by `Name`, `Status` or `CreationTime`; newest first unless told otherwise
    (botocore service model, `ListEndpoints`)."""
    attribute = {"Name": "name", "Status": "status", "CreationTime": "created"}[sort_by]
    return sorted(
        resources,
        key=lambda each: (getattr(each, attribute), each.name),
        reverse=sort_order == "Descending",
    )


def page(
    found: Sequence[Named], token: str | None, size: int
) -> tuple[Sequence[Named], dict[str, str]]:
    """One page of a list call, and the NextToken member when more is left."""
    start = 0
    if token is not None:
        try:
            start = int(base64.b64decode(token, validate=True))
        except (binascii.Error, ValueError):
            raise Refusal("ValidationException", "Invalid pagination token.") from None
    following = start + size
    more = {"NextToken": base64.b64encode(str(following).encode()).decode()}
    return found[start:following], more if following < len(found) else {}
