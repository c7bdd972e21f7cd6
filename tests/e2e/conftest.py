"""One pocket account with the project's stack, for every end-to-end test of a session."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from local.pocket import Pocket

Found = TypeVar("Found")

PATIENCE = 30.0


@pytest.fixture(scope="session")
def pocket() -> Iterator[Pocket]:
    """A running account with the stack deployed; gone with the session."""
    with Pocket() as account:
        account.bootstrap()
        account.deploy()
        yield account


@pytest.fixture(scope="session")
def outputs(pocket: Pocket) -> dict[str, str]:
    """The stack's outputs, by name."""
    (stack,) = pocket.client("cloudformation").describe_stacks(StackName="MlCapacityRemediation")[
        "Stacks"
    ]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def eventually(look: Callable[[], Found], patience: float = PATIENCE) -> Found:
    """What `look` finds as soon as it finds something; what happens elsewhere takes its time."""
    deadline = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"nothing came within {patience} s"
        time.sleep(0.05)
