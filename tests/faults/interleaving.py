"""Every order in which several threads can pass their gates, one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

Gate = Callable[[str], None]
Body = Callable[[Gate], None]


def orders(build: Callable[[], Sequence[Body]], most: int = 5000) -> Iterator[list[str]]:
    """Run freshly built bodies once in every order of their gates; yields each order's trace.

    A body calls its gate before every step that others may see. The caller checks between runs.
    """
    choices: list[int] = []
    for _ in range(most):
        run = _Run(choices)
        run.play(build())
        yield run.trace
        while run.taken and run.taken[-1][0] + 1 == run.taken[-1][1]:
            run.taken.pop()
        if not run.taken:
            return
        last, _ = run.taken.pop()
        choices = [choice for choice, _ in run.taken] + [last + 1]
    raise AssertionError(f"more than {most} orders")


class _Run:
    """taken: at each moment which of the waiting threads went on, and of how many."""

    def __init__(self, choices: Sequence[int]) -> None:
        self.choices = list(choices)
        self.taken: list[tuple[int, int]] = []
        self.trace: list[str] = []
        self._changed = threading.Condition()
        self._waiting: dict[int, str] = {}
        self._running: set[int] = set()
        self._failed: list[BaseException] = []

    def play(self, bodies: Sequence[Body]) -> None:
        self._running = set(range(len(bodies)))
        threads = [
            threading.Thread(target=self._body, args=(me, body), daemon=True)
            for me, body in enumerate(bodies)
        ]
        for thread in threads:
            thread.start()
        while self._step():
            pass
        for thread in threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def _step(self) -> bool:
        with self._changed:
            assert self._changed.wait_for(lambda: not self._running, timeout=20), "a gate hangs"
            if not self._waiting:
                return False
            options = sorted(self._waiting)
            moment = len(self.taken)
            choice = self.choices[moment] if moment < len(self.choices) else 0
            self.taken.append((choice, len(options)))
            chosen = options[choice]
            self.trace.append(f"{chosen}:{self._waiting.pop(chosen)}")
            self._running.add(chosen)
            self._changed.notify_all()
            return True

    def _body(self, me: int, body: Body) -> None:
        def gate(step: str) -> None:
            with self._changed:
                self._waiting[me] = step
                self._running.discard(me)
                self._changed.notify_all()
                self._changed.wait_for(lambda: me in self._running)

        try:
            body(gate)
        except BaseException as error:
            self._failed.append(error)
        finally:
            with self._changed:
                self._running.discard(me)
                self._changed.notify_all()
