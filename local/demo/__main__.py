"""`python -m local.demo`: deploy the stack, break things, watch what it does about them."""

from __future__ import annotations

import os
import sys

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from local import install
from local.account import ROOT
from local.backend import DidNotStart
from local.demo.account import Hands
from local.demo.acts.spot_fallback import SETTINGS
from local.demo.play import play
from local.demo.report import write
from local.demo.scene import DemoFailed
from local.demo.view import View
from local.deployment import DeploymentFailed
from local.install import NotInstalled
from local.pocket import ControlRefused, Pocket

FAILURES = (
    DemoFailed,
    DeploymentFailed,
    DidNotStart,
    NotInstalled,
    ControlRefused,
    BotoCoreError,
    ClientError,
)
REPORT = ROOT / ".local" / "report.html"


def main() -> int:
    """0 when every scene passed, 1 when one did not or the demo could not be played."""
    console = Console(width=None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "150")))
    try:
        with View(console) as view:
            view.says("installing what the account needs (the first time only)")
            install.ministack()
            install.cdk()
            view.says("starting an AWS account on this machine")
            with Pocket() as pocket:
                view.says(f"it answers at {pocket.endpoint_url}; `cdk bootstrap`")
                pocket.bootstrap()
                view.says("`cdk deploy` of the stack")
                pocket.deploy(context={"settings": str(SETTINGS)})
                hands = Hands(pocket)
                hands.listen()
                acts = play(hands, view)
                write(REPORT, acts)
                scenes = [scene for act in acts for scene in act.scenes]
                view.ends(scenes)
                view.says(f"the run as a page: {REPORT.relative_to(ROOT)}; the account ends")
    except FAILURES as failure:
        console.print(f"[red]FAIL[/red] {escape(str(failure))}")
        return 1
    except KeyboardInterrupt:
        console.print("stopped; the account is gone")
        return 130
    return 0 if all(scene.passed for scene in scenes) else 1


if __name__ == "__main__":
    sys.exit(main())
