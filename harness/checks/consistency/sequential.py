"""Sequential consistency: one order of all operations on all objects that keeps each process's own order.

It is not local, so all keys are judged together, and it is NP-complete even for distinct writes (Gibbons and
Korach, 1997): this is a search with limits. Reads that fit are done at once, and where written values
are distinct a value that is still to be read is not overwritten, which leaves few choices in practice.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from harness.checks.consistency.models import IMPOSSIBLE, Model, State
from harness.checks.consistency.search import CHECK_TIME_EVERY, Found, Limits
from harness.operations import Operation, hashable


@dataclass(frozen=True, slots=True)
class _Loose:
    """An unknown operation: it may be done once its process (lane) has done so many before it."""

    lane: int
    after: int
    operation: Operation


Choice = tuple[tuple[int, ...], int, tuple[State, ...]]
"""How far each process is, which unknown operations were used (bits), and the state of each key."""


class _Sequential:
    def __init__(self, model: Model, operations: list[Operation], *, distinct: bool) -> None:
        self.model = model
        self.keys = {key: number for number, key in enumerate(dict.fromkeys(one.key for one in operations))}
        numbers: dict[int, int] = {}
        self.lanes: list[list[Operation]] = []
        self.loose: list[_Loose] = []
        for one in operations:
            lane = numbers.setdefault(one.process, len(numbers))
            if lane == len(self.lanes):
                self.lanes.append([])
            if one.outcome == "ok":
                self.lanes[lane].append(one)
            elif one.outcome == "unknown" and one.function not in model.reads:
                self.loose.append(_Loose(lane, len(self.lanes[lane]), one))
        self.needed: dict[Hashable, list[tuple[int, int]]] = {}
        for lane, those in enumerate(self.lanes if distinct else []):
            last = {(one.key, hashable(one.result)): place for place, one in enumerate(those) if one.function == "read"}
            for name, place in last.items():
                self.needed.setdefault(name, []).append((lane, place))

    def advance(self, choice: Choice) -> Choice:
        """Do every next read that fits."""
        positions, used, states = choice
        at = list(positions)
        for lane, those in enumerate(self.lanes):
            while at[lane] < len(those):
                one = those[at[lane]]
                fits = one.function in self.model.reads
                if not fits or self.model.step(states[self.keys[one.key]], one) is IMPOSSIBLE:
                    break
                at[lane] += 1
        return tuple(at), used, states

    def next_choices(self, choice: Choice) -> list[Choice]:
        """Everything that can be done next."""
        positions, used, states = choice
        found = []
        for number, loose in enumerate(self.loose):
            if not used >> number & 1 and positions[loose.lane] >= loose.after:
                after = self._do(choice, loose.operation)
                if after is not None and after != states:
                    found.append((positions, used | 1 << number, after))
        for lane, at in enumerate(positions):
            if at < len(self.lanes[lane]):
                after = self._do(choice, self.lanes[lane][at])
                if after is not None:
                    moved = (*positions[:lane], at + 1, *positions[lane + 1 :])
                    found.append((moved, used, after))
        return found

    def _do(self, choice: Choice, one: Operation) -> tuple[State, ...] | None:
        positions, _, states = choice
        key = self.keys[one.key]
        after = self.model.step(states[key], one)
        if after is IMPOSSIBLE:
            return None
        if after != states[key]:
            still = self.needed.get((one.key, states[key]), ())
            if any(positions[lane] <= place for lane, place in still):
                return None
        return (*states[:key], after, *states[key + 1 :])


def search_sequential(
    model: Model, operations: list[Operation], limits: Limits, now_s: Callable[[], float], *, distinct: bool
) -> Found:
    """Look for an order that keeps the order of each process. ``distinct``: no value is written twice to a key."""
    work = _Sequential(model, operations, distinct=distinct)
    goal = tuple(len(those) for those in work.lanes)
    stack: list[Choice] = [((0,) * len(goal), 0, (model.initial,) * len(work.keys))]
    seen: set[Choice] = set()
    deadline_s = now_s() + limits.within_s
    while stack:
        choice = work.advance(stack.pop())
        if choice[0] == goal:
            return Found(linearizable=True, choices=len(seen))
        if choice in seen:
            continue
        seen.add(choice)
        if len(seen) > limits.choices:
            return Found(linearizable=None, limit=f"{limits.choices} choices remembered", choices=len(seen))
        if len(seen) % CHECK_TIME_EVERY == 0 and now_s() > deadline_s:
            return Found(linearizable=None, limit=f"{limits.within_s:g} s", choices=len(seen))
        stack += work.next_choices(choice)
    return Found(linearizable=False, choices=len(seen))
