"""The audit log on disk: written before anybody is answered, and verified by whoever doubts it."""

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from ...kit.durable import write_durably
from ..medium import opened
from .core.chain import Entry, Fault, Head, appended, verified, whole

LOG, HEAD = "audit.log", "audit.head"
ITSELF = "mfs-autonomy"
"""Who it was, where nobody asked for it."""


class AuditLog:
    """One process writes it; ``folder`` outlives a power cut."""

    def __init__(self, folder: Path) -> None:
        self._log, self._head = folder / LOG, folder / HEAD
        self._lock = threading.Lock()

    def write(self, who: str, what: str, why: str = "", **detail: object) -> Head:
        """One entry, synced. Raises OSError: then what it is about must not be done."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._lock:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._log, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                head, length = whole(_last_of(descriptor))
                line, head = appended(head, Entry(at, who, what, why, detail))
                # What is behind the last whole line was torn by a crash: nobody was answered for it.
                begin = os.fstat(descriptor).st_size - (_tail_bytes(descriptor) - length)
                os.ftruncate(descriptor, begin)
                os.pwrite(descriptor, line, begin)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            with opened(self._log.parent, os.O_RDONLY | os.O_DIRECTORY) as folder:
                os.fsync(folder)
            write_durably(self._head, json.dumps({"lines": head.lines, "digest": head.digest}))
            return head

    def content(self) -> bytes:
        """All of it."""
        try:
            return self._log.read_bytes()
        except FileNotFoundError:
            return b""

    def head(self) -> Head | None:
        """What was kept apart; None where it is not there. Raises ValueError where it cannot be understood."""
        try:
            found = json.loads(self._head.read_text())
            return Head(int(found["lines"]), str(found["digest"]))
        except FileNotFoundError:
            return None
        except (KeyError, TypeError) as error:
            raise ValueError(f"{self._head}: it cannot be understood") from error

    def verify(self, seen: Head | None = None) -> list[Fault]:
        """What is wrong; ``seen`` is a head that was kept elsewhere, and must still be in it."""
        with self._lock:
            content, faults = self.content(), []
            try:
                head = self.head()
            except ValueError as error:
                head, faults = None, [Fault(0, str(error))]
        if head is None and content and not faults:
            faults.append(Fault(0, f"{self._head} is gone: whether the end was cut off cannot be told"))
        faults += verified(content, head)
        if seen is not None:
            faults += [one for one in verified(content, seen) if one.line <= seen.lines + 1 and one not in faults]
        return faults


TAIL_BYTES = 1 << 20


def _tail_bytes(descriptor: int) -> int:
    return min(TAIL_BYTES, os.fstat(descriptor).st_size)


def _last_of(descriptor: int) -> bytes:
    """The end of the file, more than a line can be long."""
    length = _tail_bytes(descriptor)
    return os.pread(descriptor, length, os.fstat(descriptor).st_size - length)
