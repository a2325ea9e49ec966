"""Starting the daemon from a command, and the gates it has to pass before the command says that it is done."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...kit.messages import Message, message
from ..control.client import DaemonUnreachable, ask
from ..logs.event_log import LOG_PATH
from ..membership import corosync, logfile
from ..membership.complaints import reason_in
from ..mesh import reach, wireguard
from .files import OPEN

SYSTEMD = Path("/run/systemd/system")
CONSOLE = Path("/var/log/sfha-console.log")
EXECUTABLE = "/usr/bin/sfha"
INTERFACE_WITHIN_S, HANDSHAKE_WITHIN_S, QUORUM_WITHIN_S = 10.0, 15.0, 30.0
LOOK_EVERY_S = 0.02
STOP_WITHIN_S = 5.0
CERTAIN_AFTER_S = 0.5
"""A process that is being executed has not got its name yet, and looks as if it had ended."""
PID_FILE = Path("/run/sfha/sfha.pid")
LONGEST_TAIL_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Started:
    """A daemon that was told to start: its process where we know it, and how long the logs were before."""

    process_id: int | None
    console_bytes: int
    corosync_bytes: int
    log_bytes: int
    at_s: float
    """By the clock of files."""


class StartFailed(Exception):
    """A gate was not passed in time; the message says which one and what to look at."""

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why


def start_daemon() -> Started:
    """Start the daemon: by systemd where that runs, else in a session of its own. Raises StartFailed."""
    began = began_now()
    if SYSTEMD.is_dir():
        done = subprocess.run(
            ["systemctl", "enable", "--now", "sfha"], capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            raise StartFailed(message("start.failed", reason=(done.stderr.strip().splitlines() or ["systemctl"])[-1]))
        return began
    flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
    try:
        descriptor = os.open(CONSOLE, flags | os.O_CREAT, OPEN)
    except OSError:  # nobody can read it there; the daemon says in its status that logs cannot be written
        descriptor = os.open(os.devnull, flags)
    try:
        process = subprocess.Popen(
            [EXECUTABLE, "run"],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            cwd="/",
        )
    except OSError as error:
        raise StartFailed(message("start.failed", reason=str(error))) from error
    finally:
        os.close(descriptor)
    process.returncode = 0  # it goes on when this command has ended: silences Popen's warning
    return replace(began, process_id=process.pid)


def stop_daemon() -> None:
    """Stop the daemon of this node, if there is one; it is given a moment to go by itself."""
    if SYSTEMD.is_dir():
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(["systemctl", "stop", "sfha"], capture_output=True, check=False, timeout=3 * STOP_WITHIN_S)
    for number in (signal.SIGTERM, signal.SIGKILL):
        process_id = daemon_process()
        if process_id is None:
            return
        with suppress(ProcessLookupError):
            os.kill(process_id, number)
        deadline_s = time.monotonic() + STOP_WITHIN_S
        while daemon_process() is not None and time.monotonic() < deadline_s:
            with suppress(ChildProcessError):
                os.waitpid(process_id, os.WNOHANG)
            time.sleep(LOOK_EVERY_S)


def daemon_process(pid_file: Path = PID_FILE) -> int | None:
    """The daemon's process id, None where none runs. Its lock is not tried: that could keep one from starting."""
    with suppress(OSError, ValueError):
        process_id = int(pid_file.read_text())
        if b"sfha" in Path(f"/proc/{process_id}/cmdline").read_bytes():  # empty for one that has ended
            return process_id
    return None


def wait_until_up(
    interface: str, address: str, peers: int, said: Callable[[str], None], began: Started
) -> dict[str, Any]:
    """Wait for interface, handshake and quorum, in this order; the daemon's status afterwards. Raises StartFailed."""

    ended_since_s: float | None = None

    def until(condition: Callable[[], bool], within_s: float, what: Message) -> None:
        nonlocal ended_since_s
        deadline_s = time.monotonic() + within_s
        while not condition():
            now_s = time.monotonic()
            why = _ended(began)
            ended_since_s = None if why is None else ended_since_s or now_s
            if why is not None and ended_since_s is not None and now_s - ended_since_s > CERTAIN_AFTER_S:
                raise StartFailed(why)
            if now_s > deadline_s:
                raise StartFailed(message("gate.timeout", what=what, seconds=within_s, said=_last_words(began)))
            time.sleep(LOOK_EVERY_S)

    serves = message("gate.interface", interface=interface)
    until(lambda: wireguard.condition(interface).serves(address), INTERFACE_WITHIN_S, serves)
    said("gate.passed.interface")
    if peers:
        until(lambda: reach.reached(interface), HANDSHAKE_WITHIN_S, message("gate.handshake", interface=interface))
        said("gate.passed.handshake")
    until(lambda: bool(_status().get("quorate")), QUORUM_WITHIN_S, message("gate.quorum"))
    said("gate.passed.quorum")
    return _status()


def _status() -> dict[str, Any]:
    try:
        status = json.loads(ask("status"))
    except (DaemonUnreachable, ValueError):
        return {}
    return status if isinstance(status, dict) else {}


def _ended(began: Started) -> Message | None:
    """Why it is no use to wait any longer: the daemon has ended, or the Corosync that it started."""
    if began.process_id is not None and _has_ended(began.process_id):
        return message("start.failed", reason=said_since(began) or "?")
    try:
        if corosync.PID_FILE.stat().st_mtime < began.at_s or corosync.running():
            return None
    except OSError:
        return None
    why = reason_in(text_since(logfile.LOG_FILE, began.corosync_bytes))
    return message("gate.corosync-ended", why=why or "?", log=str(logfile.LOG_FILE))


def _has_ended(process_id: int) -> bool:
    """Whether a child of ours has; it is not waited for, so that the answer stays the same."""
    try:
        return os.waitid(os.P_PID, process_id, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _last_words(began: Started) -> str:
    """The last line that the daemon wrote to its console, which is why it did not start, if it did not."""
    words = said_since(began)
    return f" ({words})" if words else ""


def said_since(began: Started) -> str:
    """The last line that the daemon wrote to its console since then; where systemd runs it, that is the journal."""
    lines = text_since(CONSOLE, began.console_bytes).strip().splitlines()
    if SYSTEMD.is_dir():
        command = ["journalctl", "--unit", "sfha", "--output", "cat", "--since", f"@{began.at_s:.0f}", "_COMM=sfha"]
        with suppress(OSError, subprocess.TimeoutExpired):
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=STOP_WITHIN_S)
            lines += [line for line in done.stdout.splitlines() if line.startswith("sfha:")]
    return lines[-1].removeprefix("sfha: ") if lines else ""


def text_since(path: Path, size_bytes: int) -> str:
    """What a file has got since it had this size."""
    try:
        with path.open("rb") as file:
            file.seek(size_bytes if size_bytes <= _size_of(path) else 0)
            return file.read(LONGEST_TAIL_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def began_now() -> Started:
    """A mark for what is said from now on."""
    return Started(None, _size_of(CONSOLE), _size_of(logfile.LOG_FILE), _size_of(LOG_PATH), time.time())
