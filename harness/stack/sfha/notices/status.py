"""What a node tells of its notices when asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoticeStatus:
    """What the program was last told of a node (*fenced* or *returned*), how often, and what came of it."""

    word: str
    running: bool
    done: bool
    tries: int
    error: str
