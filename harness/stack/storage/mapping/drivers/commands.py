"""Running a driver's program, with an end to how long it may take."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ..ports import AttachTaken, PortFailed

COMMAND_S = 20.0
AGAIN = ("temporarily unavailable", "already mapped", "already in use", "Device or resource busy", "is busy")
"""What is said where another index, or another try, may do."""


def run(command: Sequence[str], keep: Sequence[int] = (), within_s: float = COMMAND_S) -> str:
    """What it wrote. The descriptors ``keep`` stay open in it, so that a lock is held until it has ended.

    Raises AttachTaken, and PortFailed with what it said: a program that says nothing in time is not killed, for
    nobody knows what it would leave half done; it keeps its locks until it ends.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=keep,
        )
    except OSError as error:
        raise PortFailed(f"{command[0]}: {error.strerror}") from error
    try:
        said, _ = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired as error:
        raise PortFailed(
            f"{' '.join(command[:2])}: no answer in {within_s:g} s; it runs on as {process.pid}"
        ) from error
    if process.returncode == 0:
        return said
    line = " ".join(said.split()) or f"exit code {process.returncode}"
    failure = AttachTaken if any(words in line for words in AGAIN) else PortFailed
    raise failure(f"{' '.join(command[:2])}: {line}")


def until(holds: Callable[[], bool], what: str, within_s: float = COMMAND_S) -> None:
    """Wait for it. Raises PortFailed, naming ``what`` did not come."""
    end_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end_s:
            raise PortFailed(f"{what}: not within {within_s:g} s")
        time.sleep(0.01)


def end(pid: int, what: str) -> None:
    """SIGTERM, and wait until it has let go of all that it had open. Raises PortFailed, naming ``what`` did not come.

    Its command line is gone a moment before its files are closed, and whoever looks then sees the volume in use.
    """
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, signal.SIGTERM)
        until(lambda: bool(select.select([process], [], [], 0)[0]), what)
    finally:
        os.close(process)


def command_line(pid: int) -> list[str]:
    """The words of a running process; empty where it cannot be seen."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []
