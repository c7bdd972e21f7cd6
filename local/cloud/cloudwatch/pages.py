"""Paging: how answers that are cut find their next part."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from local.cloud.seam import Refusal

Item = TypeVar("Item")


def page(
    items: Sequence[Item], token: str | None, size: int, error: str
) -> tuple[Sequence[Item], str | None]:
    """The items after `token`, at most `size`, and the token of the rest if there is one.

    A token that was not given out is refused with `error`.
    """
    try:
        first = int(base64.b64decode(token, validate=True)) if token else 0
    except (ValueError, binascii.Error):
        first = -1
    if not 0 <= first <= len(items):
        raise Refusal(error, "Request parameter NextToken is invalid")
    following = first + size
    rest = base64.b64encode(str(following).encode()).decode() if following < len(items) else None
    return items[first:following], rest
