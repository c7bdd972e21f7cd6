"""`python -m local`: the pocket account from the command line."""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="serve in the foreground")
    serving.add_argument("state", type=Path)
    serving.add_argument("--until-stdin-ends", action="store_true")
    arguments = parser.parse_args()
    match arguments.command:
        case "serve":
            from local.serve import main as serve

            serve(arguments.state, until_stdin_ends=arguments.until_stdin_ends)


if __name__ == "__main__":
    main()
