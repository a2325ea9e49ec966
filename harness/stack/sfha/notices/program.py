"""Calling the program: `PROGRAM fenced NODE` and `PROGRAM returned NODE`, each within its time.

Blocks, so it is called by threads of their own. Output goes to a file of the node's name, whose lock every process of
a call holds: one that a killed daemon left behind ends before the next call about the same node begins.
"""

import fcntl
import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

DIRECTORY = Path("/run/sfha/notices")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ASK_EVERY_S = 0.02
SAID_BYTES = 200


class NoticeFailed(Exception):
    """The program did not do what it was told; the message is one line."""


class Program:
    """Calls of one daemon."""

    def __init__(self, directory: Path = DIRECTORY) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._ended = False

    def call(self, program: str, word: str, node: str, within_s: float) -> str:
        """Have it done; returns the last line of what the program said. Raises NoticeFailed.

        What has not ended by then is killed, with all that it has started.
        """
        until_s, file = time.monotonic() + within_s, self._directory / f"of-{quote(node, safe='')}"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            output = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NoticeFailed(f"{file}: {error.strerror}") from error
        try:
            _wait_for_earlier(output, until_s)
            os.ftruncate(output, 0)
            code = self._run([program, word, node], output, until_s)
            said = _last_line(output)
        except subprocess.TimeoutExpired as error:
            raise NoticeFailed(f"{program} {word} {node}: no end within {within_s:g} s") from error
        except OSError as error:
            raise NoticeFailed(f"{program} cannot be executed: {error.strerror}") from error
        finally:
            os.close(output)
        if code:
            raise NoticeFailed(f"{program} {word} {node}: {said or f'exit code {code}'}")
        return said

    def end(self) -> None:
        """Kill what is under way, and begin nothing any more: the next daemon says it again."""
        with self._lock:
            self._ended = True
            for group in self._running:
                with suppress(ProcessLookupError):
                    os.killpg(group, signal.SIGKILL)

    def _run(self, command: list[str], output: int, until_s: float) -> int:
        with self._lock:
            if self._ended:
                raise NoticeFailed("the daemon is stopping")
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={"PATH": PATH},
                cwd="/",
                start_new_session=True,
            )
            self._running.add(process.pid)
        try:
            return process.wait(max(0.0, until_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            with self._lock:
                self._running.discard(process.pid)


def _wait_for_earlier(output: int, until_s: float) -> None:
    while True:
        try:
            fcntl.flock(output, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until_s:
                raise NoticeFailed("what an earlier call has started has not ended yet") from None
        time.sleep(ASK_EVERY_S)


def _last_line(output: int) -> str:
    size = os.fstat(output).st_size
    lines = os.pread(output, SAID_BYTES, max(0, size - SAID_BYTES)).decode(errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    if not said:
        return ""
    return said[-1] if said[-1].isprintable() else ascii(said[-1])
