"""Pages of the Describe operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from local.cloud.seam import Refusal


def page(
    member: str, found: Sequence[dict[str, Any]], most: int, size: int | None, token: str | None
) -> dict[str, Any]:
    """One page of at most `size` of `most` (the default), with the NextToken when more is left.
    1 to `most` are allowed (botocore service model, `MaxResults` of each operation)."""
    if size is not None and not 1 <= size <= most:
        raise Refusal(
            "ValidationException", f"MaxResults must be between 1 and {most}, not {size}."
        )
    start = 0
    if token is not None:
        if not token.isdecimal():
            raise Refusal("InvalidNextTokenException", f"The token '{token}' is invalid")
        start = int(token)
    end = start + (size or most)
    more = {"NextToken": str(end)} if end < len(found) else {}
    return {member: list(found[start:end]), **more}
