"""`mfs-autonomy move`."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.command_line import DONE, FAILED, USAGE
from ..moves.core import GRACE_S, Move, Phase
from ..moves.journal import JournalDamaged
from ..moves.progress import Progress
from ..moves.running import begin, resume, target_of, unfinished
from ..places import Places
from ..preflight.checks import EVERY
from ..preflight.core import blocked_by
from ..preflight.operation import Operation
from ..preflight.run import run
from .errors import PARTIAL, CommandFailed
from .frame import places_of, say

if TYPE_CHECKING:
    from .frame import Commands

EVERY_S = 0.5
CODES = {Phase.DONE: DONE, Phase.LEFT_OVER: PARTIAL}


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "move",
        help="move a volume to another storage: copied, verified, and only then deleted",
        epilog="TARGET is a file, or a folder that gets a file of the same name. After an interruption: --resume.",
    )
    parser.add_argument("source", nargs="?", type=Path, metavar="SOURCE")
    parser.add_argument("target", nargs="?", type=Path, metavar="TARGET")
    parser.add_argument("--resume", action="store_true", help="go on with all moves that were interrupted")
    parser.add_argument("--keep-source", action="store_true", help="a copy: the source is not deleted")
    grace = f"seconds between the commit and the deletion of the source (default {GRACE_S:g})"
    parser.add_argument("--grace", type=float, default=GRACE_S, metavar="S", help=grace)
    parser.add_argument("--verify-cached", action="store_true", help="verify out of the page cache where it must be")
    parser.add_argument("--approve", action="store_true", help="a person agrees to what preflight calls high risk")
    parser.add_argument("--dry-run", action="store_true", help="preflight, and what would be done")
    parser.set_defaults(function=move)


def move(options: argparse.Namespace) -> int:
    """One move, or all that are unfinished."""
    places = places_of(options)
    if options.resume:
        if options.source is not None:
            raise CommandFailed("--resume goes on with what is unfinished: without SOURCE and TARGET", USAGE)
        return _resume(places, options.dry_run)
    if options.source is None or options.target is None:
        raise CommandFailed("move what where? SOURCE and TARGET are needed, or --resume", USAGE)
    if not 0 <= options.grace <= 86400:
        raise CommandFailed("--grace must be from 0 to 86400 seconds", USAGE)
    source = options.source.absolute()
    target = target_of(source, options.target.absolute())
    result = run(EVERY, Operation(source, target, places, options.keep_source))
    for finding in result.warnings:
        sys.stderr.write(f"warning: {finding.check}: {finding.seen} ({finding.remedy})\n")
    why = blocked_by(result, approved=options.approve)
    say(f"preflight: {result.passed} of {result.total} checks passed, risk {result.risk.value}")
    if why:
        raise CommandFailed(why)
    return _move(places, source, target, options)


def _move(places: Places, source: Path, target: Path, options: argparse.Namespace) -> int:
    then = "kept" if options.keep_source else f"deleted {options.grace:g} s after the target is verified"
    if options.dry_run:
        say(f"{source} would be copied to {target} and verified; the source would be {then}")
        return DONE
    how = {"keep_source": options.keep_source, "verify_cached": options.verify_cached}
    return _told(begin(places, source, target, Shown(), grace_s=options.grace, **how))


def _resume(places: Places, dry_run: bool) -> int:
    code = DONE
    for one in unfinished(places):
        if one.move is None:
            raise JournalDamaged(f"{one.journal}: {one.damaged}")
        say(f"{one.move.source} to {one.move.target}: interrupted in '{one.move.phase.value}'")
        if not dry_run:
            ended = resume(places, one, Shown())
            code = max(code, _told(ended) if ended else FAILED)
    return code


def _told(ended: Move) -> int:
    code = CODES.get(ended.phase, FAILED)
    if code == FAILED:
        raise CommandFailed(f"{ended.source}: {ended.outcome()}")
    say(f"{ended.target}: {ended.outcome()}")
    return code


class Shown:
    """Shows progress: a line that changes on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._last_s, self._what = time.monotonic(), ""

    def __call__(self, progress: Progress) -> None:
        """One report; most are not shown."""
        done = progress.done_bytes == progress.total_bytes
        terminal, now_s = sys.stderr.isatty(), time.monotonic()
        if now_s - self._last_s < (EVERY_S if terminal else 10 * EVERY_S) and not done:
            return
        self._last_s = now_s
        begin, end = ("\r", "\n" if done else "") if terminal else ("", "\n")
        sys.stderr.write(f"{begin}{progress.said()}{end}")
        sys.stderr.flush()
