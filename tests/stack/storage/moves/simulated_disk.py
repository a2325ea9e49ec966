"""A disk that records everything that is done to it, and can be asked what a power cut would leave of it.

Nothing is on the medium before it was synced: contents by a sync of the file, names by one of the folder. What is not
synced may be there or not, each piece for itself; real file systems are kinder.
"""

import errno
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from harness.stack.storage.moves.core import Fingerprint

Kind = Literal["resize", "write", "name", "unname", "sync", "sync-folder"]


@dataclass(frozen=True)
class Op:
    """One thing that was done: to a file (by number), or to the name of one."""

    kind: Kind
    file: int = 0
    name: str = ""
    offset: int = 0
    data: bytes = b""

    def covers(self, other: "Op") -> bool:
        """Whether this sync puts what was done before on the medium."""
        if self.kind == "sync":
            return other.kind in ("resize", "write") and other.file == self.file
        return self.kind == "sync-folder" and other.kind in ("name", "unname") and folder(other.name) == self.name


def folder(name: str) -> str:
    return name.rpartition("/")[0]


@dataclass
class State:
    """Names and contents."""

    names: dict[str, int] = field(default_factory=dict)
    files: dict[int, bytearray] = field(default_factory=dict)

    def apply(self, op: Op) -> None:
        content = self.files.setdefault(op.file, bytearray())
        match op.kind:
            case "resize":
                size = int(op.data)
                del content[size:]
                content.extend(bytes(size - len(content)))
            case "write":
                content.extend(bytes(max(0, op.offset + len(op.data) - len(content))))
                content[op.offset : op.offset + len(op.data)] = op.data
            case "name":
                self.names[op.name] = op.file
            case "unname":
                self.names.pop(op.name, None)

    def content(self, name: str) -> bytes | None:
        return bytes(self.files[self.names[name]]) if name in self.names else None


def replayed(start: State, ops: Iterable[Op]) -> State:
    """What there is after these."""
    state = State(dict(start.names), {number: bytearray(content) for number, content in start.files.items()})
    for op in ops:
        state.apply(op)
    return state


def unsynced(ops: Sequence[Op]) -> list[int]:
    """Which of what was done a power cut may take."""
    syncs = [(at, op) for at, op in enumerate(ops) if op.kind.startswith("sync")]
    return [
        at
        for at, op in enumerate(ops)
        if not op.kind.startswith("sync") and not any(later > at and sync.covers(op) for later, sync in syncs)
    ]


class SimulatedDisk:
    """Implements moves.ports.Disk. ``fails`` are calls ("write", "unlink /a/x" ...) that raise an error, once each."""

    def __init__(self, start: State, piece_bytes: int = 16) -> None:
        self.start, self.now, self.ops = start, replayed(start, ()), list[Op]()
        self.fails: set[str] = set()
        self.piece_bytes = piece_bytes
        self._next, self._lock = max(start.files, default=0) + 1, threading.Lock()
        self._modified: dict[int, int] = {}

    # --- for tests -----------------------------------------------------------------------------------

    def do(self, op: Op) -> None:
        with self._lock:
            self.ops.append(op)
            self.now.apply(op)
            if op.kind in ("write", "resize"):
                self._modified[op.file] = self._modified.get(op.file, 0) + 1

    def after_a_power_cut(self, done: int, lost: Iterable[int], torn: bool = False) -> State:
        """What is left of the first ``done`` operations without those that are ``lost``; ``torn``: half of the last."""
        gone = set(lost)
        kept = [op for at, op in enumerate(self.ops[:done]) if at not in gone]
        if torn and kept and kept[-1].kind == "write":
            last = kept[-1]
            kept[-1] = Op("write", last.file, offset=last.offset, data=last.data[: len(last.data) // 2])
        return replayed(self.start, kept)

    def on_the_medium(self, number: int) -> bytes:
        """What a file has there at this moment."""
        with self._lock:
            ops = list(self.ops)
        gone = set(unsynced(ops))
        return bytes(replayed(self.start, (op for at, op in enumerate(ops) if at not in gone)).files.get(number, b""))

    # --- the port --------------------------------------------------------------------------------------

    def fingerprint(self, path: str) -> Fingerprint | None:
        number = self.now.names.get(path)
        if number is None:
            return None
        return Fingerprint(number, len(self.now.files[number]), self._modified.get(number, 0))

    def snapshot(self, source: str, snapshot: str) -> None:
        self._may_fail("snapshot")
        self.unlink(snapshot)
        self.link(source, snapshot)
        self.sync_folder(snapshot)

    @contextmanager
    def reading(self, path: str) -> "Iterator[OpenFile]":
        self._may_fail("reading")
        content = self.now.content(path)
        if content is None:
            raise FileNotFoundError(errno.ENOENT, "there is nothing", path)
        yield OpenFile(content)

    @contextmanager
    def reading_medium(self, path: str, *, cached: bool) -> "Iterator[OpenFile]":
        self._may_fail("medium")
        if path not in self.now.names:
            raise FileNotFoundError(errno.ENOENT, "there is nothing", path)
        yield OnMedium(self, self.now.names[path])

    @contextmanager
    def creating(self, path: str, size_bytes: int, like: str) -> "Iterator[NewFile]":
        self._may_fail("creating")
        self.unlink(path)
        number, self._next = self._next, self._next + 1
        self.do(Op("name", number, path))
        self.do(Op("resize", number, data=str(size_bytes).encode()))
        yield NewFile(self, number)
        self._modified[number] = self._modified.get(self.now.names[like], 0)
        self.sync(number)

    def sync(self, number: int) -> None:
        self._may_fail("sync")
        self.do(Op("sync", number))

    def link(self, path: str, name: str) -> None:
        self._may_fail("link")
        if name in self.now.names:
            raise FileExistsError(errno.EEXIST, "File exists", name)
        self.do(Op("name", self.now.names[path], name))

    def unlink(self, path: str) -> None:
        self._may_fail(f"unlink {path}")
        if path in self.now.names:
            self.do(Op("unname", self.now.names[path], path))

    def sync_folder(self, path: str) -> None:
        self._may_fail("sync-folder")
        self.do(Op("sync-folder", name=folder(path)))

    def append(self, path: str, data: bytes, whole_bytes: int) -> None:
        self._may_fail("append")
        if path not in self.now.names:
            self.do(Op("name", self._next, path))
            self._next += 1
        number = self.now.names[path]
        self.do(Op("resize", number, data=str(whole_bytes).encode()))
        self.do(Op("write", number, offset=whole_bytes, data=data))
        self.do(Op("sync", number))
        self.do(Op("sync-folder", name=folder(path)))

    def content(self, path: str) -> bytes:
        return self.now.content(path) or b""

    def _may_fail(self, call: str) -> None:
        if call in self.fails:
            self.fails.discard(call)
            raise OSError(errno.EIO, f"{call}: Input/output error")


class OpenFile:
    """A file that is open for reading."""

    def __init__(self, content: bytes) -> None:
        self.content, self.size_bytes = content, len(content)

    def data(self) -> Iterator[tuple[int, int]]:
        """Pieces of 8 bytes that are not zeros."""
        content = self.content
        for at in range(0, len(content), 8):
            if any(content[at : at + 8]):
                yield at, min(at + 8, len(content))

    def read(self, offset: int, length: int, memory: memoryview) -> None:
        piece = self.content[offset : offset + length]
        if len(piece) < length:
            raise OSError(errno.EIO, "the file ends")
        memory[:length] = piece


class OnMedium(OpenFile):
    """The same of what is on the medium, whenever it is asked."""

    def __init__(self, disk: SimulatedDisk, number: int) -> None:
        self._disk, self._number = disk, number

    @property
    def content(self) -> bytes:  # type: ignore[override]
        return self._disk.on_the_medium(self._number)

    @property
    def size_bytes(self) -> int:  # type: ignore[override]
        return len(self.content)


class NewFile:
    """A file that is being written, in pieces that can be lost each for itself."""

    def __init__(self, disk: SimulatedDisk, number: int) -> None:
        self._disk, self._number = disk, number

    def write(self, offset: int, data: memoryview) -> None:
        self._disk._may_fail(f"write at {offset}")
        for at in range(0, len(data), self._disk.piece_bytes):
            piece = bytes(data[at : at + self._disk.piece_bytes])
            self._disk.do(Op("write", self._number, offset=offset + at, data=piece))
