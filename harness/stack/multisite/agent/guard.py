"""Ends exclusive containers whose lease is over: a process of its own, so that it does so also when the agent is dead.

It kills their first process itself, and with that all of it (pid_namespaces(7)): Docker may be dead or slow. When it
is told to stop, it ends them first, since nobody would do so afterwards.
"""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Protocol

from ...kit.ports import Log
from .leases import Leases, now_s
from .ports import EngineError

LOOK_EVERY_S, ASK_EVERY_S = 0.02, 0.2
LOCK, FOLDER = "guard.lock", "leases"


class Pids(Protocol):
    """Docker, as far as the guard needs it."""

    def pid(self, name: str) -> int | None:
        """The first process of a container, if it runs. Raises EngineError."""


class Guard:
    """Watches the leases of a machine."""

    def __init__(self, run: Path, pids: Pids, log: Log) -> None:
        self._leases, self._pids, self._log = Leases(run / FOLDER), pids, log
        self._handles: dict[str, tuple[int, int]] = {}
        self._stop = threading.Event()

    def run(self) -> None:
        """Until SIGTERM."""
        signal.signal(signal.SIGTERM, self._told_to_stop)
        self.watch()

    def watch(self) -> None:
        """Until it is told to stop."""
        threading.Thread(target=self._find, daemon=True).start()
        while not self._stop.wait(LOOK_EVERY_S):
            now = now_s()
            for name, until_s in self._leases.all().items():
                if now >= until_s:
                    self._end(name)
        for name in self._leases.all():
            self._end(name)

    def _told_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _find(self) -> None:
        """Keep handles of the processes, which name them also when their numbers are given to others."""
        while not self._stop.wait(ASK_EVERY_S):
            for name in self._leases.all():
                try:
                    pid = self._pids.pid(name)
                    if pid is not None and self._handles.get(name, (0, 0))[0] != pid:
                        self._handles[name] = (pid, os.pidfd_open(pid))
                except (EngineError, OSError):
                    continue

    def _end(self, name: str) -> None:
        known = self._handles.pop(name, None)
        if known is None:
            return
        pid, handle = known
        try:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            self._log("lease-over", container=name, pid=pid)
        except ProcessLookupError:
            pass
        finally:
            os.close(handle)


def locked(run: Path) -> int | None:
    """Be the one guard of this machine; None where there is one. The lock goes with the process."""
    run.mkdir(parents=True, exist_ok=True)
    handle = os.open(run / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def is_guarded(run: Path) -> bool:
    """Whether there is a guard."""
    handle = locked(run)
    if handle is not None:
        os.close(handle)
    return handle is None


def start(run: Path, docker: str) -> None:
    """Start a guard, in a session of its own: whatever ends the agent does not end it."""
    package = __package__.rpartition(".")[0]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    subprocess.Popen(
        [sys.executable, "-m", package, "guard", "--run", str(run), "--docker", docker],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        # Whoever knows a service by where its output goes must not take us for the agent.
        stdout=subprocess.DEVNULL,
        env=environment,
    )
