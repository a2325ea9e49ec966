"""Every point at which a move can be cut off, with everything that a power cut may take there.

At each point: the source is whole, or the target is; and whoever resumes comes to an end, where one of them is whole
under its own name, nothing else is left, and nothing was rolled back after the commit.
"""

import random
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any

from harness.stack.storage.moves.core import TRANSITIONS, Move, Phase, Table
from harness.stack.storage.moves.journal import read
from harness.stack.storage.moves.mover import Mover
from tests.stack.storage.moves.simulated_disk import Op, OpenFile, SimulatedDisk, State, unsynced

SOURCE, TARGET, JOURNAL = "/a/disk", "/b/disk", "/state/m1.journal"
BLOCK_BYTES = 16
CONTENT = b"".join(bytes([number]) * 24 + bytes(40) for number in range(1, 10))
"""Begins with data and ends with a hole, so that its size cannot be right by chance."""
LATE = 8 * 64
"""Where a copy that fails does so: most of it is written."""
QUICK: Any = {"wait": lambda _: None, "block_bytes": BLOCK_BYTES}
ALL_SUBSETS_UP_TO = 6
SOME = 60


class Lost(AssertionError):
    """A crash point at which something is wrong."""


@dataclass(frozen=True)
class Operation:
    """A kind of move: what fails in it, and how it has to end when nobody cuts it off."""

    ends: Phase
    fails: Set[str] = frozenset()
    keep_source: bool = False
    corrupt: int | None = None
    """The medium has something else than what was written, at this byte."""
    gone: int | None = None
    """The medium has zeros where this block was written."""
    written_to: bool = False
    """Somebody writes to the target between its verification and its name."""
    content: bytes = CONTENT


OPERATIONS = {
    "a move": Operation(Phase.DONE),
    "a copy that keeps its source": Operation(Phase.DONE, keep_source=True),
    "a snapshot that cannot be made": Operation(Phase.ROLLED_BACK, frozenset({"snapshot"})),
    "a copy that times out": Operation(Phase.ROLLED_BACK, frozenset({f"write at {LATE}"})),
    "a copy that is not what was read": Operation(Phase.ROLLED_BACK, corrupt=20),
    "a copy whose last block is not what was read": Operation(Phase.ROLLED_BACK, corrupt=LATE + 20),
    "a copy that ends with half a block": Operation(Phase.DONE, content=CONTENT + b"odd"),
    "a copy whose last half block is not what was read": Operation(
        Phase.ROLLED_BACK, corrupt=len(CONTENT) + 2, content=CONTENT + b"odd"
    ),
    "a copy with data in a hole": Operation(Phase.ROLLED_BACK, corrupt=60),
    "a copy that loses a block": Operation(Phase.ROLLED_BACK, gone=0),
    "a target that somebody writes to": Operation(Phase.ROLLED_BACK, written_to=True),
    "a name that is taken meanwhile": Operation(Phase.ROLLED_BACK, frozenset({"link /b/disk"})),
    "a source that cannot be deleted": Operation(Phase.LEFT_OVER, frozenset({"unlink /a/disk"})),
    "a clean-up that fails": Operation(Phase.LEFT_OVER, frozenset({"unlink /b/.disk.mfs-move-m1.part"})),
}


class Medium(SimulatedDisk):
    """With the mistakes that the operation is about."""

    def __init__(self, start: State, operation: Operation) -> None:
        super().__init__(start)
        self.operation = operation
        self.armed = False

    def arm(self) -> None:
        """From now on calls fail: what has no name yet cannot."""
        self.fails, self.armed = set(self.operation.fails), True

    def link(self, path: str, name: str) -> None:
        self._may_fail(f"link {name}")
        super().link(path, name)

    def unlink(self, path: str) -> None:
        # The first of these calls is before the copy, and finds nothing to take away.
        if path in self.now.names:
            self._may_fail(f"unlink {path}")
            self.fails, kept = set(), self.fails
            super().unlink(path)
            self.fails = kept

    def on_the_medium(self, number: int) -> bytes:
        content = bytearray(super().on_the_medium(number))
        at, gone = self.operation.corrupt, self.operation.gone
        if self.armed and at is not None and at < len(content):
            content[at] ^= 1
        if self.armed and gone is not None:
            content[gone * BLOCK_BYTES : (gone + 1) * BLOCK_BYTES] = bytes(BLOCK_BYTES)
        return bytes(content)

    @contextmanager
    def reading_medium(self, path: str, *, cached: bool) -> Iterator[OpenFile]:
        with super().reading_medium(path, cached=cached) as file:
            yield file
        if self.armed and self.operation.written_to:
            self.do(Op("write", self.now.names[path], offset=20, data=b"X"))
            self.do(Op("sync", self.now.names[path]))


def began(
    operation: Operation, disk: type[Medium] = Medium, table: Table = TRANSITIONS, workers: int = 1
) -> tuple[Medium, Move]:
    """The operation, not cut off, on a disk that has recorded it."""
    medium = disk(State({SOURCE: 1}, {1: bytearray(operation.content)}), operation)
    medium.arm()
    mover = Mover(medium, JOURNAL, table=table, workers=workers, **QUICK)
    return medium, mover.move(Move("m1", SOURCE, TARGET, keep_source=operation.keep_source))


def crash_points(medium: SimulatedDisk, chance: random.Random) -> Iterator[tuple[str, State]]:
    """Where it was cut off and what was lost, and what is there then."""
    for done in range(len(medium.ops) + 1):
        open_ones = unsynced(medium.ops[:done])
        for lost in sorted(_subsets(open_ones, chance)):
            yield f"after {done} operations, without {lost}", medium.after_a_power_cut(done, lost)
        if done and medium.ops[done - 1].kind == "write":
            yield f"after {done} operations, the last torn", medium.after_a_power_cut(done, (), torn=True)


def _subsets(ones: list[int], chance: random.Random) -> set[tuple[int, ...]]:
    """All of them where they are few; else none, all, each alone, all but each, and some."""
    if len(ones) <= ALL_SUBSETS_UP_TO:
        return set(chain.from_iterable(combinations(ones, size) for size in range(len(ones) + 1)))
    alone = [(one,) for one in ones] + [tuple(other for other in ones if other != one) for one in ones]
    some = [tuple(one for one in ones if chance.random() < 0.5) for _ in range(SOME)]
    return {(), tuple(ones), *alone, *some}


def judge(where: str, state: State, operation: Operation, disk: type[Medium], table: Table) -> Phase:
    """One crash point. Gives how it ended; raises Lost."""
    return _resumed(where, state, operation, disk, table)[1]


def _resumed(
    where: str, state: State, operation: Operation, disk: type[Medium], table: Table
) -> tuple[SimulatedDisk, Phase]:
    written, _ = read(state.content(JOURNAL) or b"")
    committed = written is not None and written.committed
    _whole(where, state, operation.content, committed)
    medium = disk(state, operation)
    mover = Mover(medium, JOURNAL, table=table, workers=1, **QUICK)
    ended = mover.resume()
    end = Phase.ROLLED_BACK if ended is None else ended.phase
    if end not in (Phase.DONE, Phase.ROLLED_BACK):
        raise Lost(f"{where}: it does not come to an end: {end.value}, {ended.why if ended else ''}")
    if committed and end is Phase.ROLLED_BACK:
        raise Lost(f"{where}: rolled back after the commit")
    left = {name for name in medium.now.names if name != JOURNAL}
    wanted = {SOURCE} if end is Phase.ROLLED_BACK else ({SOURCE, TARGET} if operation.keep_source else {TARGET})
    if left != wanted or any(medium.now.content(name) != operation.content for name in wanted):
        raise Lost(f"{where}: {end.value}, and there is {sorted(left)}")
    durable = medium.after_a_power_cut(len(medium.ops), unsynced(medium.ops))
    if any(durable.content(name) != operation.content for name in wanted):
        raise Lost(f"{where}: {end.value}, but not on the medium")
    return medium, end


def _whole(where: str, state: State, content: bytes, committed: bool) -> None:
    """What must be true at once, before anybody resumes."""
    source, target = (state.content(name) == content for name in (SOURCE, TARGET))
    if not source and not target:
        raise Lost(f"{where}: neither the source nor the target is whole")
    if committed and not target:
        raise Lost(f"{where}: committed without a whole target")


def enumerate_all(
    operation: Operation,
    *,
    disk: type[Medium] = Medium,
    table: Table = TRANSITIONS,
    seed: int = 0,
    workers: int = 1,
) -> dict[Phase, int]:
    """Every crash point of the operation: how many ended how. Raises Lost."""
    medium, ended = began(operation, disk, table, workers)
    if ended.phase is not operation.ends:
        raise Lost(f"not cut off, it ends {ended.phase.value}, not {operation.ends.value}: {ended.why}")
    counted: dict[Phase, int] = {}
    for where, state in crash_points(medium, random.Random(seed)):
        end = judge(where, state, operation, disk, table)
        counted[end] = counted.get(end, 0) + 1
    return counted


def enumerate_crashes_of_resuming(operation: Operation, every: int) -> int:
    """Whoever resumes is cut off as well, at each point, after each of so many crash points. How many; raises Lost."""
    medium, _ = began(operation)
    chance, points = random.Random(1), 0
    for number, (where, state) in enumerate(crash_points(medium, chance)):
        if number % every:
            continue
        resumed, _ = _resumed(where, state, operation, Medium, TRANSITIONS)
        for again, later in crash_points(resumed, chance):
            judge(f"{where}; then {again}", later, operation, Medium, TRANSITIONS)
            points += 1
    return points
