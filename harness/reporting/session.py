"""What a session of scenarios leaves for a person: a summary in the terminal, and pages to open."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def write_session_report(run_directories: Sequence[Path], session: Path, terminal: Any) -> None:
    """Write the session's pages and print its summary."""
    terminal.write_line(f"runs: {session}")
