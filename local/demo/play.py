"""Plays the acts of all remediations on one deployed stack."""

from __future__ import annotations

import time
from collections.abc import Iterable

from local.demo.account import Hands
from local.demo.acts import ACTS
from local.demo.scene import Act, Script, together
from local.demo.view import View


def play(hands: Hands, view: View) -> list[Act]:
    """Play everything at once; a scene that cannot be played out failed, and says why.

    Raises DemoFailed when a stage cannot be set.
    """
    started = time.time()
    acts: list[Act] = [act(hands, view.says) for act in ACTS]

    def run(scripts: Iterable[Script]) -> None:
        for _ in together(scripts):
            hands.hear()
            view.draw(acts)

    hands.remediation("mode", "act")
    run(script for act in acts for script in act.scripts())
    view.says("the account's mode goes off")
    hands.remediation("mode", "off")
    run(script for act in acts for script in act.scripts_while_off())
    for act in acts:
        act.finish(started)
    return acts
