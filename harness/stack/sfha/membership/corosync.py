"""The local Corosync. This module owns everything that is ever done to it: write its file, start it where it does
not run, have it read its file again, and stop it when the node leaves the cluster or shuts down.

The golden rule is in what is not here: nothing stops it and starts it again. ``start`` refuses while it runs, and
``stop`` leaves it stopped. A restart takes the node out of the cluster for seconds, and a cluster that restarts
Corosync everywhere at once has no quorum.
"""

import os
import signal
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic, sleep

from ...kit.durable import write_durably
from .logfile import LOG_FILE, can_log

DIRECTORY = Path("/etc/corosync")
PID_FILE = Path("/run/sfha/corosync.pid")
AUTHKEY_MODE, CONF_MODE = 0o400, 0o644
SYSTEMD = Path("/run/systemd/system")
OWN_NETWORK = Path("/proc/thread-self/ns/net")
TOOL_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0


class CorosyncError(Exception):
    """Corosync cannot be started; the message says what is missing."""


def write_conf(text: str, directory: Path = DIRECTORY) -> bool:
    """Write corosync.conf if it differs; True when it was written. Raises OSError."""
    path = directory / "corosync.conf"
    if path.exists() and path.read_text() == text:
        return False
    write_durably(path, text, CONF_MODE)
    return True


def running(pid_file: Path = PID_FILE) -> bool:
    """Whether Corosync runs on this node, whoever started it."""
    return process_id(pid_file) is not None


def process_id(pid_file: Path = PID_FILE) -> int | None:
    """Corosync's process id on this node, None when it does not run."""
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text())
        _collect(pid)
        if _is_corosync(pid):
            return pid
    return next((int(path.name) for path in Path("/proc").glob("[0-9]*") if _is_corosync(int(path.name))), None)


def _is_corosync(pid: int) -> bool:
    """Whether it is a Corosync of this node; those of containers on it are in networks of their own."""
    with suppress(OSError):
        process = Path(f"/proc/{pid}")
        return (process / "comm").read_text().strip() == "corosync" and (process / "ns/net").samefile(OWN_NETWORK)
    return False


def reload() -> None:
    """Have every Corosync of the cluster read its own file again (corosync-cfgtool(8): -R). Raises CorosyncError.

    All nodes must have written their files before. Nothing restarts; members stay members.
    """
    try:
        done = subprocess.run(
            ["corosync-cfgtool", "-R"], capture_output=True, text=True, check=False, timeout=TOOL_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CorosyncError(f"corosync-cfgtool -R: {error}") from error
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise CorosyncError(f"corosync-cfgtool -R: {words[-1] if words else f'exit code {done.returncode}'}")


def stop(pid_file: Path = PID_FILE) -> None:
    """Stop it for good, because this node leaves: the others see it go at once. Raises CorosyncError."""
    pid = process_id(pid_file)
    if pid is None:
        return
    if SYSTEMD.is_dir():
        # Asked first, so that it does not start it again. It may know nothing of it: the signal says the same.
        with suppress(OSError, subprocess.TimeoutExpired):
            command = ["systemctl", "stop", "corosync"]
            subprocess.run(command, check=False, capture_output=True, timeout=3 * STOP_TIMEOUT_S)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline_s = monotonic() + STOP_TIMEOUT_S
    while _is_corosync(pid):
        _collect(pid)
        if monotonic() > deadline_s:
            raise CorosyncError(f"corosync ({pid}) did not stop within {STOP_TIMEOUT_S:g} s")
        sleep(0.01)
    pid_file.unlink(missing_ok=True)


def _collect(pid: int) -> None:
    """Where it was our child and has died, let the kernel forget it; else it would look alive for ever."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def start(directory: Path = DIRECTORY, log_file: Path = LOG_FILE, pid_file: Path = PID_FILE) -> int:
    """Start `corosync -f` in a session of its own, so that it outlives this daemon. Returns its process id.

    Raises CorosyncError when it runs already, when the key is missing or the program cannot be executed.
    """
    if running(pid_file):
        raise CorosyncError("corosync runs already, and is never restarted")
    key = directory / "authkey"
    if not key.exists():
        raise CorosyncError(f"{key} is missing: it must hold the same 128 random bytes on every node")
    key.chmod(AUTHKEY_MODE)
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        log = opened.enter_context(log_file.open("ab")) if can_log(log_file) else None  # None: to our own console
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
