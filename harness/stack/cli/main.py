"""`sfha`: the command line."""

import argparse
import sys
from collections.abc import Sequence

from . import check, run, standby, status
from .errors import CommandFailed

COMMANDS = (run, status, standby, check)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 it failed (said in one line), 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="sfha", description="High availability for virtual addresses.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.register(subparsers)
    options = parser.parse_args(arguments)
    try:
        options.function(options)
    except CommandFailed as error:
        sys.stderr.write(f"sfha: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
