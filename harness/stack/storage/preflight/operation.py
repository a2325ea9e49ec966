"""What is about to be done."""

import os
from dataclasses import dataclass
from pathlib import Path

from ..places import Places


@dataclass(frozen=True, slots=True)
class Operation:
    """A move; both names absolute."""

    source: Path
    target: Path
    places: Places
    keep_source: bool = False


def exists(path: Path) -> bool:
    """Whether there is anything of this name, a broken link included."""
    return os.path.lexists(path)
