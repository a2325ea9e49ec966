"""The local Corosync: its files, and starting it where it does not run. It is never restarted."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

DIRECTORY = Path("/etc/corosync")
LOG_FILE = Path("/var/log/corosync/corosync.log")
PID_FILE = Path("/run/sfha/corosync.pid")
AUTHKEY_MODE = 0o400


class CorosyncError(Exception):
    """Corosync cannot be started; the message says what is missing."""


def write_conf(text: str, directory: Path = DIRECTORY) -> bool:
    """Write corosync.conf if it differs; True when it was written."""
    path = directory / "corosync.conf"
    if path.exists() and path.read_text() == text:
        return False
    directory.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)
    return True


def running(pid_file: Path = PID_FILE) -> bool:
    """Whether the Corosync that was started earlier is still alive."""
    try:
        pid = int(pid_file.read_text())
        _collect(pid)
        return Path(f"/proc/{pid}/comm").read_text().strip() == "corosync"
    except (OSError, ValueError):
        return False


def _collect(pid: int) -> None:
    """Where it was our child and has died, let the kernel forget it; else it would look alive for ever."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def start(directory: Path = DIRECTORY, log_file: Path = LOG_FILE, pid_file: Path = PID_FILE) -> int:
    """Start `corosync -f` in a session of its own, so that it outlives this daemon. Returns its process id.

    Raises CorosyncError when the key is missing or the program cannot be executed.
    """
    key = directory / "authkey"
    if not key.exists():
        raise CorosyncError(f"{key} is missing: it must hold the same 128 random bytes on every node")
    key.chmod(AUTHKEY_MODE)
    log_file.parent.mkdir(parents=True, exist_ok=True)
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as log:
        try:
            process = subprocess.Popen(
                ["corosync", "-f", "-c", str(directory / "corosync.conf")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env={"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")},
            )
        except OSError as error:
            raise CorosyncError(f"corosync cannot be executed: {error}") from error
    pid_file.write_text(str(process.pid))
    process.returncode = 0  # not ours to wait for: silences Popen's warning about a process still running
    return process.pid
