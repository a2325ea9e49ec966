"""What became of elements, messages, locks and money, from the definitions alone and without any cleverness."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations
from random import Random
from typing import Any

from harness.operations import Operation

NEVER_S = float("inf")


def returned_s(one: Operation) -> float:
    """When an operation returned for certain."""
    return NEVER_S if one.completed_s is None or one.outcome == "unknown" else one.completed_s


@dataclass(slots=True)
class SetFate:
    """The values of a set by what became of them; a stale one with the time it took to be there for good."""

    stable: set[Any] = field(default_factory=set)
    unseen: set[Any] = field(default_factory=set)
    lost: set[Any] = field(default_factory=set)
    stale: dict[Any, float] = field(default_factory=dict)
    unexpected: set[Any] = field(default_factory=set)
    duplicated: set[Any] = field(default_factory=set)


def set_fate(operations: Sequence[Operation]) -> SetFate:
    """What became of every element of a set."""
    adds = [one for one in operations if one.function == "add"]
    reads = [one for one in operations if one.function == "read" and one.outcome == "ok"]
    reads.sort(key=lambda one: one.invoked_s)
    fate = SetFate()
    read = {value for one in reads for value in one.result}
    for value in {one.argument for one in adds if one.outcome == "ok"} | read:
        known_s = min(
            [returned_s(one) for one in adds if one.outcome == "ok" and one.argument == value]
            + [returned_s(one) for one in reads if value in one.result]
        )
        later = [one for one in reads if one.invoked_s > known_s]
        lacking = [one for one in later if value not in one.result]
        if reads and value in reads[-1].result:
            fate.stable.add(value)
            if lacking:
                fate.stale[value] = lacking[-1].invoked_s - known_s
        elif later:
            fate.lost.add(value)
        else:
            fate.unseen.add(value)
    fate.unexpected = read - {one.argument for one in adds if one.outcome != "failed"}
    fate.duplicated = {value for one in reads for value in one.result if list(one.result).count(value) > 1}
    return fate


@dataclass(slots=True)
class QueueFate:
    """The messages of a queue by what became of them, as numbers of operations."""

    missing: set[int]
    again: set[int]
    unexpected: set[int]
    overtaken: set[int]
    delivered: int
    taken_unseen: int
    drained: bool

    def violates(self, *, again_allowed: bool, ordered: bool) -> bool:
        """Whether the queue broke its promise for certain."""
        lost = self.drained and len(self.missing) > self.taken_unseen
        again, overtaken = self.again and not again_allowed, self.overtaken and ordered
        return bool(lost or self.unexpected or again or overtaken)


def queue_fate(operations: Sequence[Operation]) -> QueueFate:
    """What became of every message of a queue. Values are distinct."""
    puts = {one.argument: one for one in operations if one.function == "enqueue" and one.outcome != "failed"}
    sure = [one for one in puts.values() if one.outcome == "ok"]
    answers = [one for one in operations if one.function == "dequeue" and one.outcome == "ok"]
    answers.sort(key=returned_s)
    first: dict[Any, Operation] = {}
    again = set()
    for one in answers:
        if one.result is not None and first.setdefault(one.result, one) is not one:
            again.add(one.number)
    overtaken = {
        take.number
        for value, take in first.items()
        for other, before in first.items()
        if value in puts
        and other in puts
        and returned_s(puts[value]) < puts[other].invoked_s
        and returned_s(before) < take.invoked_s
    }
    return QueueFate(
        missing={one.number for one in sure if one.argument not in first},
        again=again,
        unexpected={one.number for one in answers if one.result is not None and one.result not in puts},
        overtaken=overtaken,
        delivered=len(first),
        taken_unseen=sum(one.function == "dequeue" and one.outcome == "unknown" for one in operations),
        drained=any(one.result is None and all(returned_s(put) < one.invoked_s for put in sure) for one in answers),
    )


@dataclass(slots=True)
class _Hold:
    granted_from_s: float
    granted_until_s: float
    ended_from_s: float = NEVER_S
    ended_until_s: float = NEVER_S
    sure: bool = True


def exclusive(operations: Sequence[Operation], lease_s: float | None) -> bool:
    """Whether some order of all holds explains a lock: each was granted and ended at an instant when it could be."""
    holds: list[_Hold] = []
    for process in {one.process for one in operations}:
        going: _Hold | None = None
        for one in (one for one in operations if one.process == process and one.outcome != "failed"):
            if one.function == "acquire":
                going = _Hold(one.invoked_s, returned_s(one), sure=one.outcome == "ok")
                holds.append(going)
            elif going is not None:
                going.ended_from_s, going.ended_until_s = one.invoked_s, returned_s(one)
                going.sure = going.sure or one.outcome == "ok"
                going = None
            elif one.outcome == "ok":
                return False
    if lease_s is not None:
        for hold in holds:
            hold.ended_from_s = min(hold.ended_from_s, hold.granted_from_s + lease_s)
            hold.sure = hold.sure and hold.ended_from_s > hold.granted_until_s
    return any(_in_turn(order) for order in permutations([hold for hold in holds if hold.sure]))


def _in_turn(holds: Sequence[_Hold]) -> bool:
    now_s = 0.0
    for hold in holds:
        for from_s, until_s in (
            (hold.granted_from_s, hold.granted_until_s),
            (hold.ended_from_s, hold.ended_until_s),
        ):
            now_s = max(now_s, from_s)
            if now_s > until_s:
                return False
    return True


def bank(seed: int) -> tuple[list[Operation], float]:
    """Reads of three accounts and transfers between them, and the total; some reads are torn or off by one."""
    random = Random(seed)
    held = {"a": random.randint(0, 5), "b": random.randint(0, 5), "c": random.randint(0, 5)}
    total = sum(held.values())
    faulty = random.choice([0.0, 0.0, 0.2, 0.6])
    past = [dict(held)]
    found: list[Operation] = []
    for number in range(random.randint(1, 8)):
        outcome = random.choices(["ok", "failed", "unknown"], [0.8, 0.1, 0.1])[0]
        result: dict[str, int] | None = None
        function, argument = "read", None
        if random.random() < 0.5:
            function, argument = "transfer", dict(zip(("from", "to"), random.sample("abc", 2), strict=True))
            amount = random.randint(0, 5)
            if outcome == "ok" and (held[argument["from"]] >= amount or random.random() < faulty):
                held[argument["from"]] -= amount
                held[argument["to"]] += amount
                past.append(dict(held))
        elif outcome == "ok":
            result = dict(held)
            if random.random() < faulty:
                old = random.choice(past)
                result = {name: random.choice([old, held])[name] for name in "abc"}
        found.append(
            Operation(
                process=number,
                function=function,
                key="bank",
                argument=argument,
                result=result,
                outcome=outcome,
                invoked_s=number + 0.5,
                completed_s=number + 1.0,
                number=number,
            )
        )
    return found, total
