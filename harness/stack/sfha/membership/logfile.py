"""Corosync's log file."""

from pathlib import Path

LOG_FILE = Path("/var/log/corosync/corosync.log")


def can_log(log_file: Path = LOG_FILE) -> bool:
    """Whether Corosync could write it; told of a log file that it cannot open, it would not start."""
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with log_file.open("ab"):
            return True
    except OSError:
        return False
