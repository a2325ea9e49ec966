"""`mfs-autonomy`: the command line."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from ...kit.command_line import FAILED, Parser, carried_out
from .. import VERSION
from ..unable import Unable

PROGRAM = "mfs-autonomy"
STATE, RUN = Path("/var/lib/mfs-autonomy"), Path("/run/mfs-autonomy")
COMMANDS = {
    "bundle": "bundle",
    "cluster": "cluster",
    "daemon": "daemon",
    "config-example": "daemon",
    "token": "daemon",
    "audit": "daemon",
    "devices": "devices",
    "hook": "hook",
    "incidents": "incidents",
    "map": "mapping",
    "unmap": "mapping",
    "migration": "migration",
    "move": "move",
    "preflight": "preflight",
    "pro": "pro",
    "snapshot": "snapshot",
    "status": "status",
    "tier": "tier",
    "tpm": "tpm",
}
"""A command -> the module that registers it, which alone is loaded for it; `--help` keeps the order."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed (said in one line), 2 wrong usage, 3 done in part."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser(given).parse_args(given)
    again = f"interrupted; a move goes on with `{PROGRAM} move --resume`"
    return carried_out(PROGRAM, lambda: options.function(options), {Unable: FAILED}, interrupted=again)


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """With the command that is asked for; with all of them for anything else (help, mistakes)."""
    parser = Parser(
        prog=PROGRAM,
        description="Volumes of MooseFS as block devices, and moves of volumes that lose nothing.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    parser.add_argument("--state", type=Path, default=STATE, help=f"what has to outlive a power cut (default {STATE})")
    parser.add_argument("--run", type=Path, default=RUN, help=f"locks, sockets and links (default {RUN})")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for module in _asked_for(given):
        importlib.import_module(f"{__package__}.{module}").register(commands)
    return parser


def _asked_for(given: Sequence[str]) -> Sequence[str]:
    words = iter(given)
    for word in words:
        if word in ("--state", "--run"):
            next(words, None)
        elif word in COMMANDS:
            return (COMMANDS[word],)
        elif word == "--version":
            return ()
        else:
            break
    return tuple(dict.fromkeys(COMMANDS.values()))


if __name__ == "__main__":
    sys.exit(main())
