"""An empty ledger for the tests that need one."""

from __future__ import annotations

from tests.faults.conftest import environment, hall

__all__ = ["environment", "hall"]
