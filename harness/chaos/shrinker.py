"""Shrinking on real clusters: each candidate is run, in processes of their own, two at once where the host allows."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from harness.admission import host_capacity
from harness.chaos.designing import started_of
from harness.checks.verdict import Outcome
from harness.clock import now_s
from harness.errors import HarnessError, UsageError
from harness.history import History
from harness.judge import judge, load_verdicts, ruling
from harness.plans.plan import Plan, to_json
from harness.plans.replaying import Performance, again, performance_of
from harness.plans.sequential import Run
from harness.plans.shrinking import Bounds, Question, Shrunk, runs_left, shrink
from harness.stored import claim

CERTAIN = 0.6
"""What fails more often than this is decided by one run: a second beside it would tell nothing more."""
NOT_WELL = "body_passed"
"""Violated by a cluster that did not become well in time. Where more is, nobody need wait for that."""
CANDIDATES, CANDIDATE_FILE = "candidates", "candidate.json"
_PATIENCE_S = 5.0
_ENDS_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Failure:
    """What a stored run violated, and when it was first seen (on the clock of the run; None: not said)."""

    checks: frozenset[str]
    first_s: float | None


def failure_of(run: Path) -> Failure:
    """Raises UsageError for a run that violated nothing."""
    verdicts = load_verdicts(run) or judge(History.read(run))
    bad = [one for one in verdicts if one.outcome is Outcome.VIOLATED]
    if not bad:
        raise UsageError(f"{run} violated nothing: there is nothing to shrink")
    seen = [finding.from_s for one in bad for finding in one.evidence if finding.from_s is not None]
    checks = frozenset(one.check for one in bad)
    return Failure(checks - {NOT_WELL} or checks, min(seen, default=None))


def hints(performance: Performance, failure: Failure) -> tuple[Plan, ...]:
    """What is likely to fail as well: the steps that took place, on the very targets; without what came afterwards."""
    exact = again(performance)
    if failure.first_s is None:
        return (exact,)
    until_s = failure.first_s - performance.begun_s
    before = tuple(one for one in performance.steps if one.called_s <= until_s)
    earlier = again(Performance(performance.plan, performance.begun_s, before, performance.missed))
    return (earlier, exact) if earlier.steps else (exact,)


class Shrinker:
    """Of one stored run. ``say`` is told how it goes, a line at a time."""

    def __init__(self, run: Path, bounds: Bounds, say: Callable[[str], None]) -> None:
        self._run = run
        self._bounds = bounds
        self._say = say
        self._failure = failure_of(run)
        self._performance = performance_of(History.read(run), str(run))
        self._took_s: list[float] = []
        self._earlier: dict[str, list[Run]] = {}
        """What an earlier call that was ended has found out already, by candidates."""
        for file in (run / CANDIDATES).glob(f"*/{CANDIDATE_FILE}"):
            if (came := self._came_of(file.parent)) is not None:
                self._earlier.setdefault(file.read_text(encoding="utf-8"), []).append(came)
        nodes = len(started_of(History.read(run), str(run)).topology["nodes"])
        self._at_once = max(1, min(2, host_capacity() // nodes))

    @property
    def failure(self) -> Failure:
        """What is to be violated again."""
        return self._failure

    async def shrink(self) -> Shrunk:
        """To the end, or to the bound on runs. Raises HarnessError when candidates cannot be run at all."""
        plan, *smaller = map(self._impatient, (self._performance.plan, *hints(self._performance, self._failure)))
        asking = shrink(plan, self._bounds, smaller)
        question = next(asking)
        while True:
            answer = await self._answer(question)
            try:
                question = asking.send(answer)
            except StopIteration as end:
                found: Shrunk = end.value
                return found

    def _impatient(self, plan: Plan) -> Plan:
        if NOT_WELL in self._failure.checks:
            return plan
        return replace(plan, end=replace(plan.end, within_s=min(plan.end.within_s, _PATIENCE_S)))

    async def _answer(self, question: Question) -> list[Run]:
        count = 1 if question.rate > CERTAIN else self._at_once
        began_s = now_s()
        runs = await asyncio.gather(*(self._one(question.plan) for _ in range(count)))
        self._took_s.append(now_s() - began_s)
        mean_s = sum(self._took_s) / len(self._took_s)
        left_s = mean_s * runs_left(question, self._bounds) / count
        told = ", ".join(one.value for one in runs)
        size = f"{len(question.plan.steps)} faults, {question.plan.length_s:g} s"
        self._say(
            f"run {question.runs_so_far + count:>3}: {question.what} ({size}): {told}"
            f"; smallest so far {len(question.smallest.steps)} faults; about {left_s / 60:.0f} min left"
        )
        return list(runs)

    async def _one(self, plan: Plan) -> Run:
        """One run of a candidate. Raises HarnessError when it left nothing that could be judged."""
        if earlier := self._earlier.get(to_json(plan)):
            return earlier.pop()
        directory = claim(self._run / CANDIDATES, "run")
        file = directory / CANDIDATE_FILE
        file.write_text(to_json(plan), encoding="utf-8")
        command = [sys.executable, "-m", "harness.chaos.candidate", str(self._run), str(file), str(directory)]
        with (directory / "output.txt").open("wb") as output:
            process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)
            try:
                await process.wait()
            finally:
                await _ended(process)
        came = self._came_of(directory)
        if came is None:
            told = (directory / "output.txt").read_text(errors="replace").strip().splitlines()
            raise HarnessError(f"a candidate could not be run: {told[-1] if told else f'see {directory}'}")
        return came

    def _came_of(self, directory: Path) -> Run | None:
        """How a run of a candidate came out; None where it was not brought to its end."""
        if (verdicts := load_verdicts(directory)) is None:
            return None
        violated = {one.check for one in verdicts if one.outcome is Outcome.VIOLATED}
        if violated & self._failure.checks:
            return Run.FAILED
        return Run.PASSED if ruling(verdicts) is not Outcome.UNKNOWN else Run.INCONCLUSIVE


async def _ended(process: asyncio.subprocess.Process) -> None:
    """In good order, as by Ctrl-C; should it not end, its cluster's keeper cleans up behind it."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(asyncio.shield(process.wait()), _ENDS_WITHIN_S)
    except TimeoutError:
        process.kill()
        await process.wait()
