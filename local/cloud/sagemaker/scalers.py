"""Who scales the variants of an endpoint: asked before an update, told of a deletion."""

from __future__ import annotations

from typing import Protocol


class Scaler(Protocol):
    """Scales variants, as Application Auto Scaling does. Both methods run inside a turn."""

    def scaled(self, account_id: str, region: str, endpoint_name: str) -> set[str]:
        """The names of the endpoint's variants that are registered."""

    def gone(self, account_id: str, region: str, endpoint_name: str) -> None:
        """The endpoint is being deleted."""


scalers: list[Scaler] = []
