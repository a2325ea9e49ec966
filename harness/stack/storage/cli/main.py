"""`mfs-autonomy`: the command line."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from .. import VERSION
from ..mapping.ports import PortFailed
from ..moves.guarded import InUse
from ..moves.journal import JournalDamaged
from . import devices, mapping, move, preflight, status
from .errors import FAILED, INTERRUPTED, USAGE, CommandFailed

PROGRAM = "mfs-autonomy"
STATE, RUN = Path("/var/lib/mfs-autonomy"), Path("/run/mfs-autonomy")


class Parser(argparse.ArgumentParser):
    """Says usage errors in one line, with where to read on."""

    def error(self, message: str) -> NoReturn:
        """Say it and exit with 2."""
        sys.stderr.write(f"{PROGRAM}: {message}\n(more: {self.prog} --help)\n")
        self.exit(USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed (said in one line), 2 wrong usage, 3 done in part."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.function(options))
    except CommandFailed as error:
        return _say(str(error), error.code)
    except (PortFailed, InUse, JournalDamaged) as error:
        return _say(str(error), FAILED)
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # whoever read has left; Python must not try to write the rest
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror or error}", FAILED)
    except KeyboardInterrupt:
        return _say(f"interrupted; a move goes on with `{PROGRAM} move --resume`", INTERRUPTED)


def _say(why: str, code: int) -> int:
    sys.stderr.write(f"{PROGRAM}: {why}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=PROGRAM,
        description="Volumes of MooseFS as block devices, and moves of volumes that lose nothing.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    parser.add_argument("--state", type=Path, default=STATE, help=f"what has to outlive a power cut (default {STATE})")
    parser.add_argument("--run", type=Path, default=RUN, help=f"locks, sockets and links (default {RUN})")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for module in (devices, mapping, move, preflight, status):
        module.register(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
