"""Client tokens: a request that is sent again is done once."""

from __future__ import annotations

import json
from typing import Any

from local.cloud.seam import Refusal


class Tokens:
    """What was asked under each token of one account and Region, and what it gave.

    A token belongs to the first request that bears it, even if that was refused: another request
    under it is a mismatch (github.com/ubicloud/ubicloud/pull/5898,
    github.com/runs-on/runs-on/issues/251). Asked again as it was, a refused request is tried
    again.
    """

    def __init__(self) -> None:
        self._asked: dict[str, str] = {}
        self._given: dict[str, Any] = {}

    def earlier(self, key: str | None, parameters: Any) -> Any:
        """What the same request gave when it succeeded; None when it is to be done. A request
        without a token (key None) is always done."""
        if key is None:
            return None
        asked = json.dumps(parameters, sort_keys=True, default=str)
        if self._asked.setdefault(key, asked) != asked:
            raise Refusal(
                "IdempotentParameterMismatch",
                "Arguments on this idempotent request are inconsistent with arguments used in "
                "previous request(s).",
            )
        return self._given.get(key)

    def keep(self, key: str | None, result: Any) -> None:
        """The request under this token succeeded."""
        if key is not None:
            self._given[key] = result
