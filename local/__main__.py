"""`python -m local`: the pocket account from the command line."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from local.backend import DidNotStart
from local.deployment import DeploymentFailed
from local.install import NotInstalled


def main() -> None:
    """Runs one command; what went wrong is told in words, not a traceback."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start it, deploy the stack, write .local/env, leave it running")
    commands.add_parser("down", help="end it")
    commands.add_parser("install", help="install ministack and the CDK command line only")
    running = commands.add_parser("run", help="run a command as a client of the running account")
    running.add_argument("line", nargs=argparse.REMAINDER, metavar="-- COMMAND ...")
    serving = commands.add_parser("serve", help="what `up` starts: serve, without a stack")
    serving.add_argument("state", type=Path)
    serving.add_argument("--until-stdin-ends", action="store_true")
    arguments = parser.parse_args()
    try:
        _run(arguments)
    except (NotInstalled, DidNotStart, DeploymentFailed) as error:
        sys.exit(f"pocket account: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _run(arguments: argparse.Namespace) -> None:
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"pocket account: {line} ({time.monotonic() - started:.1f} s)", flush=True)

    match arguments.command:
        case "up":
            from local import daemon

            daemon.up(say)
        case "down":
            from local import daemon

            daemon.down(say)
        case "install":
            from local import install

            say("ministack " + ("installed" if install.ministack() else "was there"))
            say("CDK command line " + ("installed" if install.cdk() else "was there"))
        case "run":
            from local import daemon
            from local.account import scrubbed

            account = daemon.running()
            if account is None:
                sys.exit("pocket account: it is not running; start it with `make up`")
            line = arguments.line[1:] if arguments.line[:1] == ["--"] else arguments.line
            if not line:
                sys.exit("pocket account: run needs a command, as in: run -- aws s3 ls")
            os.execvpe(line[0], line, {**scrubbed(os.environ), **account.env})
        case "serve":
            from local.serve import main as serve

            serve(arguments.state, until_stdin_ends=arguments.until_stdin_ends)


if __name__ == "__main__":
    main()
