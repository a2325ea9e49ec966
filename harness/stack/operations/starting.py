"""Starting the daemon from a command, and the gates it has to pass before the command says that it is done."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..control import DaemonUnreachable, ask
from ..languages.core import Message, message
from ..mesh import gate as mesh_gate
from ..mesh import wireguard
from .files import OPEN

SYSTEMD = Path("/run/systemd/system")
CONSOLE = Path("/var/log/sfha-console.log")
EXECUTABLE = "/usr/bin/sfha"
INTERFACE_WITHIN_S, HANDSHAKE_WITHIN_S, QUORUM_WITHIN_S = 10.0, 15.0, 30.0
LOOK_EVERY_S = 0.02


class StartFailed(Exception):
    """A gate was not passed in time; the message says which one and what to look at."""

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why


def start_daemon() -> None:
    """Start the daemon: by systemd where that runs, else in a session of its own. Raises StartFailed."""
    if SYSTEMD.is_dir():
        done = subprocess.run(
            ["systemctl", "enable", "--now", "sfha"], capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            raise StartFailed(message("start.failed", reason=(done.stderr.strip().splitlines() or ["systemctl"])[-1]))
        return
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


def pass_gates(interface: str, peers: int, said: Callable[[str], None]) -> dict[str, Any]:
    """Wait for interface, handshake and quorum, in this order; the daemon's status afterwards. Raises StartFailed."""
    _until(lambda: wireguard.is_up(interface), INTERFACE_WITHIN_S, message("gate.interface", interface=interface))
    said("gate.passed.interface")
    if peers:
        _until(lambda: mesh_gate.reached(interface), HANDSHAKE_WITHIN_S, message("gate.handshake", interface=interface))
        said("gate.passed.handshake")
    _until(lambda: bool(_status().get("quorate")), QUORUM_WITHIN_S, message("gate.quorum"))
    said("gate.passed.quorum")
    return _status()


def _status() -> dict[str, Any]:
    try:
        status = json.loads(ask("status"))
    except (DaemonUnreachable, ValueError):
        return {}
    return status if isinstance(status, dict) else {}


def _until(condition: Callable[[], bool], within_s: float, what: Message) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise StartFailed(message("gate.timeout", what=what, seconds=within_s, said=_last_words()))
        time.sleep(LOOK_EVERY_S)


def _last_words() -> str:
    """The last line that the daemon wrote to its console, which is why it did not start, if it did not."""
    try:
        lines = CONSOLE.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return f" ({lines[-1]})" if lines else ""
