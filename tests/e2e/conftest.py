"""A pocket account with the project's stack for each file of end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.demo.acts.spot_fallback import SETTINGS
from local.pocket import Pocket
from tests.e2e.probe import eventually, probe


@pytest.fixture(scope="module")
def pocket() -> Iterator[Pocket]:
    """A running account with the stack deployed as the demo does; gone with the file's last test."""
    with Pocket() as account:
        account.bootstrap()
        account.deploy(context={"settings": str(SETTINGS)})
        yield account


@pytest.fixture(scope="module")
def outputs(pocket: Pocket) -> dict[str, str]:
    """The stack's outputs, by name."""
    (stack,) = pocket.client("cloudformation").describe_stacks(StackName="MlCapacityRemediation")[
        "Stacks"
    ]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


__all__ = ["eventually", "outputs", "pocket", "probe"]
