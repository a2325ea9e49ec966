"""Where log lines come from: the log file, followed by inotify(7), or journalctl(1)."""

import ctypes
import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from .core import Record, parse_line

JOURNAL_SOCKET = Path("/run/systemd/journal/socket")
BLOCK_BYTES = 1 << 16
IN_MODIFY, IN_MOVED_TO, IN_CREATE, IN_CLOEXEC = 0x2, 0x80, 0x100, 0o2000000
LOOK_AGAIN_MS = 1000
"""File systems without change notices are looked at this often."""


def has_journal() -> bool:
    """Whether journald runs here and can be read."""
    return JOURNAL_SOCKET.exists() and shutil.which("journalctl") is not None


def read_file(path: Path, last: int | None, since_s: float | None, follow: bool) -> Iterator[Record]:
    """Records of a log file, oldest first: the ``last`` ones, those since then, and with ``follow`` all that come.

    Raises OSError when the file cannot be read; with ``follow`` it is waited for.
    """
    if follow and not path.exists():
        yield from _follow(path, 0)
        return
    with path.open("rb") as file:
        start = 0 if last is None or since_s is not None else _start_of_last(file.fileno(), last)
        file.seek(start)
        lines = file.read().decode(errors="replace").splitlines(keepends=True)
        end = file.tell()
    if lines and not lines[-1].endswith("\n"):
        end -= len(lines.pop().encode())
    records = [record for line in lines if (record := parse_line(line.rstrip("\n"))) is not None]
    if since_s is not None:
        records = [record for record in records if record.at_s is None or record.at_s >= since_s]
    yield from records if last is None else records[len(records) - min(last, len(records)) :]
    if follow:
        yield from _follow(path, end)


def _start_of_last(descriptor: int, lines: int) -> int:
    """The offset at which the last ``lines`` lines begin."""
    position, found = os.fstat(descriptor).st_size, 0
    wanted = lines + 1  # the last line's own end counts as well
    while position > 0:
        length = min(BLOCK_BYTES, position)
        position -= length
        block = os.pread(descriptor, length, position)
        for index in range(len(block) - 1, -1, -1):
            if block[index] == 0x0A:
                found += 1
                if found == wanted:
                    return position + index + 1
    return 0


def _follow(path: Path, position: int) -> Iterator[Record]:
    """What is appended from ``position`` on; a file that was replaced or cut is read from its beginning."""
    with _Notices(path.parent) as notices:
        rest, inode = b"", _inode(path)
        while True:
            try:
                with path.open("rb") as file:
                    found = os.fstat(file.fileno())
                    if found.st_size < position or found.st_ino != inode:
                        position, rest, inode = 0, b"", found.st_ino
                    file.seek(position)
                    fresh = file.read()
            except OSError:
                fresh = b""
            position += len(fresh)
            *lines, rest = (rest + fresh).split(b"\n")
            for line in lines:
                if (record := parse_line(line.decode(errors="replace"))) is not None:
                    yield record
            if not fresh:
                notices.wait()


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


class _Notices:
    """Wakes up when something in a directory is written to, made or moved there."""

    def __init__(self, directory: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(IN_CLOEXEC)
        if self._descriptor >= 0:
            libc.inotify_add_watch(self._descriptor, os.fsencode(directory), IN_MODIFY | IN_MOVED_TO | IN_CREATE)

    def __enter__(self) -> "_Notices":
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def wait(self) -> None:
        """Until there is a notice, or it is time to look again in any case."""
        waiting = [self._descriptor] if self._descriptor >= 0 else []
        ready, _, _ = select.select(waiting, [], [], LOOK_AGAIN_MS / 1000)
        if ready:
            os.read(self._descriptor, BLOCK_BYTES)


def read_journal(last: int | None, since_s: float | None, follow: bool) -> Iterator[Record]:
    """The same from journald. Raises OSError when journalctl cannot be run."""
    command = ["journalctl", "--quiet", "--no-pager", "--output=json", "SYSLOG_IDENTIFIER=sfha"]
    if last is not None:
        command.append(f"--lines={last}")
    if since_s is not None:
        command.append(f"--since=@{since_s:.6f}")
    if follow:
        command.append("--follow")
        if last is None:
            command.append("--no-tail")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if (record := _entry(line)) is not None:
                    yield record
        finally:
            process.terminate()


def _entry(line: str) -> Record | None:
    try:
        entry = json.loads(line)
        at_s = int(entry["__REALTIME_TIMESTAMP"]) / 1e6
    except (ValueError, KeyError, TypeError):
        return None
    if (own := entry.get("SFHA_EVENT")) and (record := parse_line(str(own))) is not None:
        return record
    # Not written by the daemon's log: systemd about the unit, or what a program that it started said.
    message = str(entry.get("MESSAGE", ""))
    at = datetime.fromtimestamp(at_s, UTC).isoformat()
    return Record(at_s, str(entry.get("_HOSTNAME", "")), message, {}, json.dumps({"at": at, "event": message}))
