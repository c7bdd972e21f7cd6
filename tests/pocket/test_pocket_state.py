"""A pocket's state is its own, and a crashed one's is swept away by the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import pocket


@pytest.fixture(autouse=True)
def local_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pocket, "LOCAL", tmp_path)
    return tmp_path


def test_the_state_of_a_crash_is_removed(local_folder: Path) -> None:
    crashed, lock = pocket._own_state()
    (crashed / "big").write_text("left over")
    lock.close()
    state, held = pocket._own_state()
    with held:
        assert not crashed.exists()
        assert state.is_dir()


def test_the_state_of_a_living_pocket_is_left_alone(local_folder: Path) -> None:
    living, held = pocket._own_state()
    with held:
        other, lock = pocket._own_state()
        lock.close()
        assert living.is_dir()
        assert other != living
