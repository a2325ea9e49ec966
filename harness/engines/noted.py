"""Process 1 of a node, as it is written down in the node's directory: how any process finds it."""

import json
from dataclasses import asdict
from pathlib import Path

from harness.rundir import ProcessName

_FILE = "process.json"


def note_process(directory: Path, pid: int) -> None:
    """Write down a node's process 1 in the node's directory. Raises HarnessError when it has ended already."""
    fresh = directory / "process.fresh"
    fresh.write_text(json.dumps(asdict(ProcessName.of(pid))))
    fresh.replace(directory / _FILE)


def noted_process(directory: Path) -> int | None:
    """The process id written down, or None when that process does not live (any more)."""
    try:
        process = ProcessName(**json.loads((directory / _FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return process.pid if process.lives() else None


def forget_process(directory: Path) -> None:
    """The node has no power any more."""
    (directory / _FILE).unlink(missing_ok=True)
