"""The stage of the functional tests, on which things now go wrong."""

from __future__ import annotations

from tests.functional.conftest import environment, stage

__all__ = ["environment", "stage"]
