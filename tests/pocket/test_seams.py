"""A ministack whose private names changed stops the launcher, which says what is gone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from local.ministack.seams import SEAMS, Seam, SeamGone, verify

HERE = "a_patched_service"


@pytest.fixture(autouse=True)
def a_service() -> Iterator[None]:
    module = ModuleType(HERE)
    module.__dict__.update(dispatch=lambda event, view: None, TABLE={})
    sys.modules[HERE] = module
    yield
    del sys.modules[HERE]


def test_names_that_are_there_and_called_the_same_pass() -> None:
    verify([Seam(HERE, "dispatch", ("event", "view")), Seam(HERE, "TABLE")])


@pytest.mark.parametrize(
    "seam",
    [
        Seam(HERE, "deliver"),
        Seam(HERE, "dispatch", ("event",)),
        Seam("a_service_that_went", "dispatch"),
    ],
)
def test_a_seam_that_is_gone_is_named(seam: Seam) -> None:
    with pytest.raises(SeamGone) as gone:
        verify([seam])
    assert seam.module in str(gone.value)
    assert seam.name in str(gone.value) or "cannot be imported" in str(gone.value)


def test_every_seam_that_is_gone_is_named_at_once() -> None:
    with pytest.raises(SeamGone, match=r"first.*second"):
        verify([Seam(HERE, "first"), Seam(HERE, "second")])


def test_no_seam_is_listed_twice() -> None:
    assert len({(seam.module, seam.name) for seam in SEAMS}) == len(SEAMS)
