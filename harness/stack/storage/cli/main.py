"""`mfs-autonomy`: the command line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ...kit.command_line import FAILED, Parser, carried_out
from .. import VERSION
from ..daemon.tokens import TokenError
from ..mapping.ports import PortFailed
from ..moves.guarded import InUse
from ..moves.journal import JournalDamaged
from . import bundle, cluster, daemon, devices, hook, incidents, mapping, migration, move, preflight, status
from .errors import CommandFailed

PROGRAM = "mfs-autonomy"
STATE, RUN = Path("/var/lib/mfs-autonomy"), Path("/run/mfs-autonomy")


_ERRORS: dict[type[Exception], int] = dict.fromkeys(
    (CommandFailed, PortFailed, InUse, JournalDamaged, TokenError), FAILED
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed (said in one line), 2 wrong usage, 3 done in part."""
    options = _parser().parse_args(arguments)
    again = f"interrupted; a move goes on with `{PROGRAM} move --resume`"
    return carried_out(PROGRAM, lambda: options.function(options), _ERRORS, interrupted=again)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=PROGRAM,
        description="Volumes of MooseFS as block devices, and moves of volumes that lose nothing.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    parser.add_argument("--state", type=Path, default=STATE, help=f"what has to outlive a power cut (default {STATE})")
    parser.add_argument("--run", type=Path, default=RUN, help=f"locks, sockets and links (default {RUN})")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for module in (bundle, cluster, daemon, devices, hook, incidents, mapping, migration, move, preflight, status):
        module.register(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
