"""The structured log: JSON lines with times of CLOCK_MONOTONIC, none kept back; journald gets them as well.

Whatever looks like a key or a token is blotted out here, the one place that every line passes.
"""

import errno
import json
import os
import queue
import re
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

LOG_PATH = Path("/var/log/sfha.log")
JOURNAL_SOCKET = "/run/systemd/journal/socket"
CONSOLE = 2
OPEN_AGAIN_AFTER_S = 5.0
PRIORITY_WARNING, PRIORITY_NOTICE = 4, 5
_SECRETS = re.compile(
    r"sfha-(?:join|reply)://[A-Za-z0-9_.=~-]+|(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{43}=(?![A-Za-z0-9+/=])"
)


def without_secrets(shown: str) -> str:
    """The text with tokens and keys (32 bytes in base64) blotted out."""
    return _SECRETS.sub("[secret]", shown)


class EventLog:
    """Appends to a file; one write per event, so that lines of two writers never mix.

    Where the file takes nothing (a full disk, a directory of its name) lines go to the console, and ``trouble`` says
    why: nobody is kept from what is logged.
    """

    def __init__(self, node: str, path: Path = LOG_PATH, journal: str = JOURNAL_SOCKET) -> None:
        self._node, self._path = node, path
        self._descriptor: int | None = None
        self._open_again_s = 0.0
        self.trouble: str | None = None
        self._open()
        self._journal = _connect(journal)
        self._lines: queue.SimpleQueue[str | None] | None = None
        self._writer: threading.Thread | None = None

    def write_elsewhere(self) -> None:
        """From now on a thread writes: a disk that hangs must not keep the lease's loop from renewing."""
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_all, args=(lines,), name="log", daemon=True)
        self._writer.start()
        self._lines = lines

    def flush(self, within_s: float = 2.0) -> None:
        """Have everything written that was logged so far, and write at once again; a disk that hangs is left alone."""
        lines, self._lines = self._lines, None
        if lines is not None and self._writer is not None:
            lines.put(None)
            self._writer.join(within_s)

    def _write_all(self, lines: "queue.SimpleQueue[str | None]") -> None:
        while (line := lines.get()) is not None:
            self._write(line)

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            self._open_again_s = time.monotonic() + OPEN_AGAIN_AFTER_S
            self.trouble = f"{self._path}: {error.strerror}"

    def __call__(self, event: str, **fields: object) -> None:
        wall_s = time.time()
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall_s)) + f".{int(wall_s % 1 * 1e6):06d}+00:00"
        line = {"t_s": round(time.monotonic(), 6), "at": at, "node": self._node, "event": event, **fields}
        text = json.dumps(line, default=str)
        lines = self._lines
        if lines is None:
            self._write(text)
        else:
            lines.put(text)

    def _write(self, line: str) -> None:
        text = without_secrets(line)
        self._append(text.encode() + b"\n")
        if self._journal is not None:
            self._tell_journal(text)

    def _append(self, line: bytes) -> None:
        if self._descriptor is None and time.monotonic() >= self._open_again_s:
            self._open()
        if self._descriptor is not None:
            try:
                # What a disk that was full has left of a line must not spoil this one.
                whole = b"\n" + line if self.trouble else line
                if os.write(self._descriptor, whole) != len(whole):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                self.trouble = None
                return
            except OSError as error:
                self.trouble = f"{self._path}: {error.strerror}"
        with suppress(OSError):
            os.write(CONSOLE, line)

    def _tell_journal(self, line: str) -> None:
        from .core import parse_line, sentence

        record = parse_line(line)
        assert record is not None
        priority = PRIORITY_WARNING if record.bad else PRIORITY_NOTICE
        fields = {
            "MESSAGE": sentence(record, "en").replace("\n", " "),
            "PRIORITY": str(priority),
            "SYSLOG_IDENTIFIER": "sfha",
            "SFHA_EVENT": line,
        }
        assert self._journal is not None
        with suppress(OSError):  # a journal that is full or away must not stop the daemon; the file has the line
            self._journal.send("".join(f"{name}={value}\n" for name, value in fields.items()).encode())


def _connect(path: str) -> socket.socket | None:
    """To journald (systemd.io, native journal protocol), where it runs."""
    if not Path(path).exists():
        return None
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        journal.connect(path)
    except OSError:
        journal.close()
        return None
    return journal
