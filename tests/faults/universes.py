"""Many ends of one beginning: each is played in a fork of this process, which sees none of it."""

from __future__ import annotations

import os
import pickle
import traceback
import warnings
from collections.abc import Callable, Iterable
from typing import TypeVar

Point = TypeVar("Point")


def each(points: Iterable[Point], play: Callable[[Point], bool | None]) -> None:
    """Play every point on its own copy of the world as it is now; fails with all that failed.

    play: asserts what must hold; False says that the points after this one are all like it.
    """
    failed = []
    for point in points:
        problem, last = _forked(play, point)
        if problem:
            failed.append(f"at {point}:\n{problem}")
        if last or len(failed) > 5:
            break
    assert not failed, "\n\n".join(failed)


def _forked(play: Callable[[Point], bool | None], point: Point) -> tuple[str, bool]:
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a test runner's threads stay behind
        child = os.fork()
    if child == 0:
        said: tuple[str, bool] = ("the fork ended early", True)
        try:
            said = ("", play(point) is False)
        except BaseException:
            said = (traceback.format_exc(), False)
        finally:
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(pickle.dumps(said))
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        heard = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(heard) if heard else ("the fork died", True)
