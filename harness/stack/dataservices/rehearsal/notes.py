"""What clients of a failover test were promised: a line a write, its number and when it was acknowledged.

Usage: notes.py FOLDER COUNT NAME...    whether so many were acknowledged to each client (after FOLDER/since)
"""

import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path


def secret_in(text: str, name: str) -> str:
    """A password, in a file of credentials."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)[name]


def acknowledged_in(text: str) -> dict[int, float]:
    """When each write of these notes was acknowledged; a last line that is not whole counts for nothing."""
    return {int(number): float(at_s) for number, at_s in (line.split() for line in text.split("\n")[:-1])}


def longest_pause_s(times_s: Sequence[float]) -> float:
    """The longest time between two acknowledgements that follow each other."""
    return max((after - before for before, after in pairwise(times_s)), default=0.0)


def enough(folder: Path, count: int, name: str) -> bool:
    """Whether so many were acknowledged to this client, since the file ``since`` is there."""
    since, notes = folder / "since", folder / name
    since_s = time.monotonic() - (time.time() - since.stat().st_mtime) if since.exists() else 0.0
    noted = acknowledged_in(notes.read_text(encoding="ascii")) if notes.exists() else {}
    return len([at_s for at_s in noted.values() if at_s > since_s]) >= count


def main(words: Sequence[str]) -> int:
    """The exit code."""
    match words:
        case [folder, count, *names] if names:
            return 0 if all(enough(Path(folder), int(count), name) for name in names) else 1
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
