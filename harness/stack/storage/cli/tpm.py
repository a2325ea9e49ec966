"""`mfs-autonomy tpm`: a folder that swtpm can start on."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.command_line import DONE
from ..tpm.core import steps, wrong
from ..tpm.folder import look, perform, prove
from .errors import CommandFailed
from .frame import say

if TYPE_CHECKING:
    from .frame import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "tpm",
        help="make a folder for the state of a TPM: private, writable, by its absolute name",
        epilog='swtpm socket --tpm2 --tpmstate dir="$(mfs-autonomy tpm FOLDER)" ... The state is of whoever reads it.',
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="its name has tpm-state or swtpm in it")
    parser.add_argument("--dry-run", action="store_true", help="look whether it can be, and say what would be done")
    parser.set_defaults(function=tpm)


def tpm(options: argparse.Namespace) -> int:
    """Prints the absolute name; it can be used then."""
    seen = look(options.folder)
    reasons = list(wrong(seen))
    if reasons:
        raise CommandFailed(f"{seen.path}: {'; '.join(reasons)}")
    for step in steps(seen):
        if options.dry_run:
            sys.stderr.write(f"it would be {'made, private' if step == 'make' else 'made private'}\n")
        else:
            perform(step, Path(seen.path))
    if not options.dry_run:
        prove(Path(seen.path))
    say(seen.path)
    return DONE
