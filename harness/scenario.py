"""Running one scenario: start the cluster, run the body, end the cluster; then judge what was recorded.

If the harness cannot do its part, from the first node to the last log, the run is inconclusive, and judged by what
there is of it. Only what the scenario itself says, by a condition or an assertion, makes it fail.
"""

import asyncio
import os
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.checks.verdict import Outcome, Verdict, failed_itself
from harness.cluster import Cluster
from harness.errors import DeadlinePassed, FaultDidNotBite, HarnessError, UsageError, leaves, told
from harness.history import History
from harness.judge import CAUGHT_BY, judge, ruling, store_verdicts
from harness.wait import finished

BODY_LIMIT_S = 300.0
"""A scenario that waits for something that never comes must not hold up a whole night's run."""

Progress = Callable[[str], None]
_NEVER_AWAITED = " was never awaited"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a scenario's body ended. ``mistake`` is an error that nobody raised on purpose: a bug of the scenario."""

    outcome: Literal["passed", "failed", "inconclusive"]
    reason: str = ""
    mistake: Exception | None = None


class Violated(Exception):
    """The product under test broke a promise. The message is the verdict with its evidence."""


class Inconclusive(Exception):
    """The run proves nothing either way; the message says why."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """How a scenario came out."""

    run_directory: Path
    verdicts: tuple[Verdict, ...]
    outcome: Outcome

    def raise_unless_as_expected(self) -> None:
        """Raise Violated or Inconclusive unless all holds, or a sabotage was caught as it should be."""
        if self.outcome is Outcome.HOLDS:
            return
        text = f"{self._reasons()}\n\nrun: {self.run_directory}  (harness judge {self.run_directory})"
        raise Violated(text) if self.outcome is Outcome.VIOLATED else Inconclusive(text)

    def _reasons(self) -> str:
        # In a sabotage, violated checks are no reason to fail: whether they were violated is a verdict of its own.
        sabotage = any(verdict.check == CAUGHT_BY for verdict in self.verdicts)
        wrong = [verdict for verdict in self.verdicts if verdict.outcome is not Outcome.HOLDS]
        reasons = [verdict for verdict in wrong if verdict.check == CAUGHT_BY] if sabotage else wrong
        return "\n\n".join(map(str, sorted(reasons, key=lambda verdict: -verdict.outcome)))


@contextmanager
def until_it_bites() -> Iterator[None]:
    """The part of a sabotage up to the proof of its effect: what fails in here is not what has to be caught.

    Raises FaultDidNotBite (so the run is inconclusive) for a failed assertion or a deadline that passed.
    """
    try:
        yield
    except (AssertionError, DeadlinePassed) as error:
        raise FaultDidNotBite(f"before the sabotage had an effect: {error}") from error


@contextmanager
def all_awaited() -> Iterator[None]:
    """Raise UsageError at the end of the block for a coroutine that was made in it and never awaited."""
    forgotten: list[str] = []
    show = warnings.showwarning

    def note(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, RuntimeWarning) and str(message).endswith(_NEVER_AWAITED):
            forgotten.append(str(message))
        show(message, category, *where, **more)

    with warnings.catch_warnings():
        warnings.filterwarnings("always", f".*{_NEVER_AWAITED}", RuntimeWarning)
        warnings.showwarning = note
        yield
    if forgotten:
        raise UsageError(f"{forgotten[0]}: write await before it")


def require_root() -> None:
    """Raise UsageError unless nodes can be started."""
    if os.geteuid() != 0:
        raise UsageError("starting nodes needs root: run it with sudo, or by: make scenarios")


async def record_scenario(
    cluster: Cluster,
    body: Callable[[], Awaitable[None]],
    *,
    keep_on_failure: bool = False,
    limit_s: float = BODY_LIMIT_S,
    progress: Progress = lambda _text: None,
) -> Ending:
    """Run ``body`` on the cluster, for at most ``limit_s``. In any case the cluster is ended; nothing is judged yet."""
    require_root()
    cluster.progress = progress
    try:
        ending = await _start_and_run(cluster, body, limit_s)
        cluster.record_ending(ending.outcome, ending.reason)
        if cluster.runs:
            await _or_inconclusive(cluster, "collecting what the nodes have", cluster.collect)
        kept = keep_on_failure and ending.outcome != "passed" and not cluster.design.caught_by
        if kept and cluster.runs and await _or_inconclusive(cluster, "leaving the cluster up", cluster.leave_up):
            progress(cluster.how_to_look())
        return ending
    finally:
        with suppress(Exception):  # what went wrong is in the history
            await finished(cluster.end())


async def _or_inconclusive(cluster: Cluster, doing: str, act: Callable[[], Awaitable[None]]) -> bool:
    """Do something that is the harness's own part; returns whether it worked."""
    try:
        await act()
    except Exception as error:
        cluster.record_failure(doing, error)
        return False
    return True


async def _start_and_run(cluster: Cluster, body: Callable[[], Awaitable[None]], limit_s: float) -> Ending:
    try:
        await cluster.start()
    except Exception as error:
        return Ending("inconclusive", f"while starting: {told(error)}")
    limit = asyncio.timeout(limit_s)
    try:
        async with limit:
            if cluster.settles_by_itself:
                await cluster.until_settled()
                cluster.progress(f"up and settled after {cluster.age_s():.1f} s")
            with all_awaited():
                await body()
    except Exception as error:
        if isinstance(error, TimeoutError) and limit.expired():
            return Ending("inconclusive", f"the scenario had not ended after {limit_s:g} s (--limit)")
        return ending_by(error)
    return Ending("passed")


def ending_by(error: Exception) -> Ending:
    """What an error of a scenario's body amounts to. Of several (a group), the worst counts."""
    several = leaves(error)
    for one in several:
        if isinstance(one, Exception) and not isinstance(one, HarnessError | AssertionError):
            return Ending("failed", f"the scenario itself failed: {type(one).__name__}: {one}", error)
    for one in several:
        if isinstance(one, AssertionError):
            return Ending("failed", f"assertion: {one}")
    for one in several:
        if isinstance(one, DeadlinePassed):
            return Ending("failed", str(one))
    return Ending("inconclusive", told(error))


def judge_run(run_directory: Path) -> Ruling:
    """Judge the history of a run, and store the verdicts with it. What cannot be judged is inconclusive."""
    try:
        verdicts = judge(History.read(run_directory))
    except Exception as error:
        verdicts = (failed_itself("judged", error),)
    with suppress(OSError):  # a run without stored verdicts is judged again when it is read
        store_verdicts(run_directory, verdicts)
    return Ruling(run_directory, verdicts, ruling(verdicts))
