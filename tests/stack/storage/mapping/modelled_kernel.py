"""A kernel with a few indexes, and processes that map and unmap on it, step by step and in any order.

It does what real ones were seen to do: an attach may be finished after whoever asked for it died, a device is not quiet
right after it was detached, other programs take indexes without asking, and an index may be given to two files with
success reported to both. Whether two devices can serve one file is the driver's to say: MooseFS's locks the file, a
server of NBD does not.
"""

from dataclasses import dataclass, field, replace

from harness.stack.storage.mapping.core.actions import action_of
from harness.stack.storage.mapping.core.answers import step
from harness.stack.storage.mapping.core.table import TRANSITIONS, Table
from harness.stack.storage.mapping.core.work import BLOCK_BYTES, Action, Answer, Goal, Phase, Work
from harness.stack.storage.mapping.record import Record, Route, Stage
from harness.stack.storage.pool.core import Claim, IndexFacts, IndexView

SIZE_BYTES = 4 * BLOCK_BYTES
FOREIGN = "foreign"
OWNING = {
    Phase.CLAIM, Phase.ATTACH, Phase.CONFIRM, Phase.READ_OWN, Phase.SAVE, Phase.PLANT, Phase.SEE_DEVICE,
    Phase.GIVE_BACK, Phase.SEE_VOLUME, Phase.COMMIT, Phase.PUBLISH, Phase.DETACH, Phase.COOL, Phase.RESTORE,
    Phase.READ_SHARED, Phase.SEE_SHARED,
}  # fmt: skip


@dataclass
class Index:
    """One device. ``given`` are the files it was given to: it serves the first."""

    given: list[str] = field(default_factory=list)
    unquiet: bool = False
    held: bool = False


@dataclass
class Pending:
    """An attach that is under way though whoever asked is dead; its command may have inherited ``locks``."""

    index: int
    file: str
    locks: tuple[str, ...]


@dataclass
class Process:
    """One map or unmap."""

    work: Work
    locks: set[str] = field(default_factory=set)


class BrokenPromise(AssertionError):
    """The model saw what must never be."""


class ModelledKernel:
    """The world: what is on disk, in the kernel, and in the processes that live."""

    def __init__(self, indexes: int = 3, table: Table = TRANSITIONS, *, file_locks: bool = False) -> None:
        self.table, self.file_locks = table, file_locks
        self.indexes = {index: Index() for index in range(indexes)}
        self.blocks: dict[str, bytes] = {FOREIGN: b"\xff" * BLOCK_BYTES}
        self.records: dict[str, Record] = {}
        self.published: dict[str, int] = {}
        self.locks: dict[str, int | str] = {}
        self.processes: dict[int, Process] = {}
        self.pending: list[Pending] = []
        self.boot = "boot-1"
        self.next_attach = "done"
        self.next_detach = "done"
        self._started = 0

    # --- processes ---------------------------------------------------------------------------------

    def start(self, volume: str, goal: Goal, route: Route = "device", *, shared: bool = False) -> int:
        """A process begins; gives its number."""
        self._started += 1
        file = f"/mnt/{volume}"
        self.blocks.setdefault(file, volume.encode().ljust(BLOCK_BYTES, b"."))
        nonce = f"nonce-{self._started}-".encode() * BLOCK_BYTES
        work = Work(goal, volume, file, SIZE_BYTES, "modelled", self.boot, nonce[:BLOCK_BYTES], route, shared)
        self.processes[self._started] = Process(work)
        return self._started

    def advance(self, number: int) -> Work:
        """One action of a process, and what it makes of the answer."""
        process = self.processes[number]
        action = action_of(process.work)
        answer = self._perform(number, process, action)
        process.work = step(process.work, answer, self.table)
        self.check()
        if process.work.ended:
            if process.locks:
                raise BrokenPromise(f"ended with locks: {process.locks}")
            del self.processes[number]
        return process.work

    def crash(self, number: int, *, inside: bool, daemon: bool = False) -> None:
        """Kill -9 of a process, before what it is about to do, or ``inside`` (done, with nobody to hear the answer).

        An attach that is under way goes on: its command has the locks, unless a ``daemon`` does it.
        """
        process = self.processes.pop(number)
        action = action_of(process.work)
        kept: tuple[str, ...] = ()
        if inside and action.act == "attach":
            assert action.index is not None
            kept = () if daemon else tuple(process.locks)
            self.pending.append(Pending(action.index, process.work.file, kept))
        elif inside:
            self._perform(number, process, action)
        for name in process.locks:
            if name in kept:
                self.locks[name] = "a command"
            else:
                self.locks.pop(name, None)
        self.check()

    def finish_pending(self) -> None:
        """Commands of the dead come to their end."""
        for one in self.pending:
            self._late(one)
        self.pending.clear()

    def run(self, number: int) -> Work:
        """A process to its end, nobody else doing anything but the commands of the dead."""
        for _ in range(300):
            work = self.advance(number)
            if work.ended:
                return work
            if action_of(work).act == "pause":
                self.finish_pending()
        raise BrokenPromise("it never ends")

    def reboot(self) -> None:
        """All processes, devices and links are gone; the disk is as it was."""
        self.processes.clear()
        self.pending.clear()
        self.locks.clear()
        self.published.clear()
        self.indexes = {index: Index() for index in self.indexes}
        self.boot = f"{self.boot}+"

    # --- other programs -------------------------------------------------------------------------------

    def foreign_attach(self, index: int) -> None:
        """Another program takes a device, without asking for any lock."""
        if not self.indexes[index].given:
            self.indexes[index].given.append(FOREIGN)

    def foreign_detach(self, index: int) -> None:
        """And lets go of it."""
        if FOREIGN in self.indexes[index].given:
            self.indexes[index].given.remove(FOREIGN)

    def hold(self, index: int, held: bool) -> None:
        """Somebody mounts a device, or unmounts it."""
        self.indexes[index].held = held and bool(self.indexes[index].given)

    def server_dies(self, index: int) -> None:
        """What a device was given to is gone."""
        self.indexes[index] = Index()
        self.published = {volume: number for volume, number in self.published.items() if number != index}

    # --- what must always be true -----------------------------------------------------------------------

    def check(self) -> None:
        """Raises BrokenPromise."""
        mapped = [one for one in self.records.values() if one.stage is Stage.MAPPED and one.boot == self.boot]
        taken = [one.index for one in self.records.values() if one.index is not None and one.boot == self.boot]
        if len(taken) != len(set(taken)):
            raise BrokenPromise(f"two owners of an index: {taken}")
        at_it = [process.work.index for process in self.processes.values() if process.work.phase in OWNING]
        if len(at_it) != len(set(at_it)):
            raise BrokenPromise(f"two processes work on one index: {at_it}")
        for file in self.blocks:
            paths = sum(index.given.count(file) for index in self.indexes.values())
            paths += sum(1 for one in mapped if one.file == file and one.index is None)
            if file != FOREIGN and paths > 1:
                raise BrokenPromise(f"two data paths to {file}")
        for volume, number in self.published.items():
            if self.indexes[number].given[:1] != [f"/mnt/{volume}"]:
                raise BrokenPromise(f"{volume} is published at {number}, which serves {self.indexes[number].given}")

    def at_rest(self) -> None:
        """Nobody works, nothing is mapped: everything is as it was before. Raises BrokenPromise."""
        self.check()
        for file, block in self.blocks.items():
            whole = b"\xff" * BLOCK_BYTES if file == FOREIGN else file.removeprefix("/mnt/").encode()
            if block != whole.ljust(BLOCK_BYTES, b"."):
                raise BrokenPromise(f"{file} is not what it was")
        left = [index for index, one in self.indexes.items() if [file for file in one.given if file != FOREIGN]]
        if left or self.records or self.locks or self.published:
            raise BrokenPromise(f"left: devices {left}, {self.records}, {self.locks}, {self.published}")

    # --- what the ports do --------------------------------------------------------------------------------

    def _perform(self, number: int, process: Process, action: Action) -> Answer:  # noqa: C901, PLR0911 - one case for each act
        work, index = process.work, action.index
        match action.act:
            case "lock-volume":
                return self._lock(number, process, f"volume {work.volume}")
            case "lock-index":
                return self._lock(number, process, f"index {index}")
            case "unlock-volume":
                return self._unlock(process, f"volume {work.volume}")
            case "unlock-index":
                return self._unlock(process, f"index {index}")
            case "read-record":
                return Answer("done", self.records.get(work.volume))
            case "write-record":
                assert action.record is not None
                self.records[work.volume] = action.record
            case "delete-record":
                self.records.pop(work.volume, None)
            case "survey":
                return Answer("done", tuple(map(self._view, self.indexes)))
            case "publish":
                assert index is not None
                self.published[work.volume] = index
            case "unpublish":
                self.published.pop(work.volume, None)
            case "attach" | "detach" | "cool":
                assert index is not None
                return {"attach": self._attach, "detach": self._detach, "cool": self._cool}[action.act](
                    index, work.file
                )
            case "read-volume" | "write-volume" | "read-device" | "write-device":
                return self._block(work, action)
        return Answer("done")

    def _lock(self, number: int, process: Process, name: str) -> Answer:
        if name in self.locks:
            return Answer("busy")
        self.locks[name] = number
        process.locks.add(name)
        return Answer("held")

    def _unlock(self, process: Process, name: str) -> Answer:
        self.locks.pop(name, None)
        process.locks.discard(name)
        return Answer("done")

    def _view(self, index: int) -> IndexView:
        device = self.indexes[index]
        holders = ("/mnt (ext4)",) if device.held else ()
        facts = IndexFacts(None, 512 if device.unquiet else 0)
        if device.given:
            # Whoever was given it last is who the driver lists, whatever comes out of it.
            facts = IndexFacts(7, SIZE_BYTES, 0, holders, serves=device.given[-1])
        claims = [one for one in self.records.values() if one.index == index and one.boot == self.boot]
        claim = claims[0].claim if claims else Claim.NONE
        return IndexView(index, facts, claim, claims[0].volume if claims else "", f"index {index}" in self.locks)

    def _attach(self, index: int, file: str) -> Answer:
        mode, self.next_attach = self.next_attach, "done"
        device = self.indexes[index]
        if device.given:
            return Answer("taken", why="the device is mapped already")
        if self.file_locks and any(file in one.given for one in self.indexes.values()):
            return Answer("refused", why="the file is locked: mapped elsewhere")
        if mode in ("refused", "taken"):
            return Answer(mode, why="Resource temporarily unavailable")
        if mode == "late":
            self.pending.append(Pending(index, file, ()))
            return Answer("failed", why="no answer in time")
        device.given = [FOREIGN, file] if mode == "twice" else [file]
        return Answer("done")

    def _late(self, one: Pending) -> None:
        device = self.indexes[one.index]
        elsewhere = any(one.file in other.given for other in self.indexes.values())
        if not device.given and not (self.file_locks and elsewhere):
            device.given.append(one.file)
        for name in one.locks:
            self.locks.pop(name, None)

    def _detach(self, index: int, file: str) -> Answer:
        mode, self.next_detach = self.next_detach, "done"
        if mode == "failed":
            return Answer("failed", why="unmap: no answer in time")
        device = self.indexes[index]
        if file in device.given:
            device.given.remove(file)
            device.unquiet, device.held = not device.given, False
        return Answer("done")

    def _cool(self, index: int, file: str) -> Answer:
        late = [one for one in self.pending if one.index == index]
        for one in late:
            self._late(one)
            self.pending.remove(one)
        device = self.indexes[index]
        if file in device.given:
            return Answer("late")
        device.unquiet = False
        return Answer("quiet")

    def _block(self, work: Work, action: Action) -> Answer:
        if action.act == "read-volume":
            return Answer("done", self.blocks[work.file])
        if action.act == "write-volume":
            if work.volume in self.published:
                raise BrokenPromise("the file is written to while the device is in use")
            self.blocks[work.file] = action.data
            return Answer("done")
        assert action.index is not None
        given = self.indexes[action.index].given
        if not given:
            return Answer("failed", why="Input/output error")
        if action.act == "read-device":
            return Answer("done", self.blocks[given[0]])
        if given[0] != work.file:
            raise BrokenPromise(f"written to a device of {given[0]}")
        self.blocks[given[0]] = action.data
        return Answer("done")


def torn(process: Process) -> bytes:
    """Half of what the process is about to plant, over what was there."""
    record = process.work.record
    assert record is not None
    return process.work.nonce[: BLOCK_BYTES // 2] + record.original[BLOCK_BYTES // 2 :]


def with_row(table: Table, phase: Phase, **kinds: Phase) -> Table:
    """The table with other ways out of one phase; names with _ for -."""
    row = {**table[phase], **{kind.replace("_", "-"): to for kind, to in kinds.items()}}
    return {**table, phase: row}


def dead(record: Record) -> Record:
    """A record that an earlier boot left."""
    return replace(record, boot="before")
