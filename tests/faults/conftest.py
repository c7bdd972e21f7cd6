"""The stage of the functional tests, on which things now go wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.faults.dimmer import Dimmer, Hall, build_ledger
from tests.functional.conftest import environment, stage

__all__ = ["environment", "stage"]


@pytest.fixture
def hall(environment: pytest.MonkeyPatch) -> Iterator[Hall]:
    with mock_aws():
        yield Hall(Dimmer(), build_ledger())
