"""A move whose journal cannot be read any more is given up, where nothing can be lost by that.

That is where the source is there as it was when the move began, and no target is: whatever the journal said, all of the
volume is under its own name. Where the target is there as well, only a person can say which of both is in use.
"""

from ..unable import Unable
from .core import Move
from .journal import agreed
from .ports import Disk


def give_up(disk: Disk, journal: str, move: Move) -> None:
    """Take away what is ours of the move, and keep the journal under another name. Raises Unable, OSError.

    Whoever calls has the locks of both volumes.
    """
    if move.before is None or disk.fingerprint(move.source) != move.before:
        raise Unable(f"{move.source} is not there as it was when the move began: compare it with {move.target}")
    if disk.fingerprint(move.target) is not None:
        raise Unable(f"{move.source} and {move.target} are both there: only a person knows which one is used")
    for path in (move.part, move.snapshot):
        if disk.fingerprint(path) is not None:
            disk.unlink(path)
            disk.sync_folder(path)
    disk.link(journal, f"{journal}.damaged")
    disk.unlink(journal)
    disk.sync_folder(journal)


def move_of(content: bytes) -> Move:
    """Which move a damaged journal is of. Raises Unable where no whole record says so, or two say different things."""
    move = agreed(content)
    if move is None:
        raise Unable("its records do not say which move it was: look at it")
    return move
