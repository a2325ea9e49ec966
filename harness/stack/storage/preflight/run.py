"""Runs checks side by side, each with an end: a file system that hangs makes its check unknown, and nothing wait."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from .core import Category, Finding, Outcome, Result, Seen, Weight
from .judged import EVERY as JUDGED
from .judged.judged import Judged, Part
from .looking import Looking
from .operation import Operation

OLD_S = 1.0
WITHIN_S = 10.0
"""How long a check may take; all begin at once, so the whole takes little more."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what it is called, what is expected and what to do else."""

    name: str
    category: Category
    weight: Weight
    expected: str
    remedy: str
    look: Callable[[Operation], Seen]
    """Raises OSError where it cannot look."""


class Checks:
    """The checks of one category, declared one by one."""

    def __init__(self, category: Category) -> None:
        self.category: Category = category
        self.declared: list[Check] = []

    def check(
        self, name: str, weight: Weight, expected: str, remedy: str
    ) -> Callable[[Callable[[Operation], Seen]], Callable[[Operation], Seen]]:
        """Declare the function below a check."""

        def declare(look: Callable[[Operation], Seen]) -> Callable[[Operation], Seen]:
            self.declared.append(Check(name, self.category, weight, expected, remedy, look))
            return look

        return declare


def run(
    checks: Sequence[Check], operation: Operation, within_s: float = WITHIN_S, judged: Sequence[Judged] = JUDGED
) -> Result:
    """All of them; what has not answered in time is unknown, and its thread is left to itself."""
    looking = Looking(operation)
    looks = [*checks, *(_looked(one, looking) for one in judged)]
    groups = [[number] for number in range(len(checks))]
    # What waits for the same is one after the other: nothing more can hang, and a thread takes longer than a judgement.
    waiting: dict[tuple[Part, ...], list[int]] = {}
    for number, one in enumerate(judged, len(checks)):
        waiting.setdefault(one.needs, []).append(number)
    return _run(looks, [*groups, *waiting.values()], operation, within_s)


def _looked(one: Judged, looking: Looking) -> Check:
    """Where what it needs was seen a while ago, it says so."""

    def look(_operation: Operation) -> Seen:
        seen = one.judge(looking.sight(one.needs))
        age_s = max((looking.ages_s.get(part, 0.0) for part in one.needs), default=0.0)
        old = age_s >= OLD_S and seen.good is not None
        return Seen(seen.good, f"{seen.seen} ({age_s:.0f} s ago)" if old else seen.seen)

    return Check(one.name, one.category, one.weight, one.expected, one.remedy, look)


def _run(checks: Sequence[Check], groups: Iterable[Iterable[int]], operation: Operation, within_s: float) -> Result:
    answers: SimpleQueue[tuple[int, Outcome, str]] = SimpleQueue()

    def look(numbers: Iterable[int]) -> None:
        for number in numbers:
            answers.put((number, *_look(checks[number], operation)))

    for numbers in groups:
        threading.Thread(target=look, args=(numbers,), daemon=True).start()
    found: dict[int, tuple[Outcome, str]] = {}
    end_s = time.monotonic() + within_s
    while len(found) < len(checks):
        try:
            number, outcome, seen = answers.get(timeout=max(0.0, end_s - time.monotonic()))
        except Empty:
            break
        found[number] = outcome, seen
    silent = (Outcome.UNKNOWN, f"no answer within {within_s:g} s")
    return Result(
        tuple(
            Finding(one.name, one.category, one.weight, *found.get(number, silent), one.expected, one.remedy)
            for number, one in enumerate(checks)
        )
    )


def _look(one: Check, operation: Operation) -> tuple[Outcome, str]:
    try:
        seen = one.look(operation)
    except Exception as error:  # whatever it is: the check did not see anything, and that is what is to be said
        return Outcome.UNKNOWN, f"cannot look: {error}"
    return {True: Outcome.PASSED, False: Outcome.FAILED, None: Outcome.NOT_CONCERNED}[seen.good], seen.seen
