"""Running one scenario: start the cluster, run the body, end the cluster, judge what was recorded."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.checks.verdict import Outcome, Verdict
from harness.cluster import Cluster
from harness.errors import DeadlinePassed, FaultDidNotBite, HarnessError, UsageError
from harness.history import History
from harness.judge import CAUGHT_BY, judge, ruling, store_verdicts

BODY_LIMIT_S = 300.0
"""A scenario that waits for what never comes must not hold up a night's run."""

Progress = Callable[[str], None]
Ending = tuple[Literal["passed", "failed", "inconclusive"], str]


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
        # What has to be violated in a sabotage is no reason; whether it was is a verdict of its own.
        sabotage = any(verdict.check == CAUGHT_BY for verdict in self.verdicts)
        wrong = [verdict for verdict in self.verdicts if verdict.outcome is not Outcome.HOLDS]
        reasons = [verdict for verdict in wrong if verdict.check == CAUGHT_BY] if sabotage else wrong
        return "\n\n".join(map(str, sorted(reasons, key=lambda verdict: -verdict.outcome)))


@contextmanager
def until_it_bites() -> Iterator[None]:
    """The part of a sabotage that ends with proof of its effect: whatever fails in here is not what has to be caught.

    Raises FaultDidNotBite (the run is inconclusive) for a failed assertion or a deadline that passed.
    """
    try:
        yield
    except (AssertionError, DeadlinePassed) as error:
        raise FaultDidNotBite(f"before the sabotage had an effect: {error}") from error


def require_root() -> None:
    """Raise UsageError unless nodes can be started."""
    if os.geteuid() != 0:
        raise UsageError("starting nodes needs root: run it with sudo, or by: make scenarios")


async def run_scenario(
    cluster: Cluster,
    body: Callable[[], Awaitable[None]],
    *,
    keep_on_failure: bool = False,
    limit_s: float = BODY_LIMIT_S,
    progress: Progress = lambda _text: None,
) -> Ruling:
    """Run ``body`` on the cluster, for at most ``limit_s``, and judge its history. The cluster is ended in any case."""
    require_root()
    cluster.progress = progress
    try:
        await cluster.start()
        ending = await _run_body(cluster, body, limit_s)
        cluster.record_ending(*ending)
        await cluster.collect()
    except BaseException:
        await asyncio.shield(cluster.end())
        raise
    if ending[0] != "passed" and keep_on_failure and not cluster.design.caught_by:
        await cluster.leave_up()
        progress(cluster.how_to_look())
    else:
        await cluster.end()
    verdicts = judge(History.read(cluster.run_directory))
    store_verdicts(cluster.run_directory, verdicts)
    outcome = ruling(verdicts)
    progress("caught" if cluster.design.caught_by and outcome is Outcome.HOLDS else outcome.name)
    return Ruling(cluster.run_directory, verdicts, outcome)


async def _run_body(cluster: Cluster, body: Callable[[], Awaitable[None]], limit_s: float) -> Ending:
    limit = asyncio.timeout(limit_s)
    try:
        async with limit:
            if cluster.settles_by_itself:
                await cluster.until_settled()
                cluster.progress(f"up and settled after {cluster.age_s():.1f} s")
            await body()
    except UsageError:
        raise
    except TimeoutError:
        if not limit.expired():
            raise
        return "inconclusive", f"the scenario had not ended after {limit_s:g} s (--limit)"
    except DeadlinePassed as error:
        return "failed", str(error)
    except HarnessError as error:
        return "inconclusive", f"{type(error).__name__}: {error}"
    except AssertionError as error:
        return "failed", f"assertion: {error}"
    return "passed", ""
