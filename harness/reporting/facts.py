"""What a summary says of one run: read once from its history and verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.checks.darkness import DarkMoment, Why, dark_moments
from harness.checks.durability import lost_writes, writes_of
from harness.checks.outage import Outage
from harness.checks.story import PowerCut, duration, end_s, fault_windows, power_cut_of, start_s
from harness.checks.verdict import Outcome, Verdict, worst
from harness.errors import told
from harness.events import RunStarted
from harness.history import History
from harness.judge import CAUGHT_BY, judge, load_verdicts
from harness.operations import OK
from harness.reporting.waterfall import Waterfall, worst_waterfall
from harness.topology import engine_words

Result = Literal["holds", "violated", "inconclusive", "caught", "not caught"]

RESULT_WORDS: dict[Outcome, Result] = {
    Outcome.HOLDS: "holds",
    Outcome.UNKNOWN: "inconclusive",
    Outcome.VIOLATED: "violated",
}
QUORUM_CHECKS = frozenset({"quorum_where_votes_say", "never_without_quorum"})
TIMELINE = "timeline.html"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run in figures. ``lost`` is None when nothing was read back."""

    directory: Path
    scenario: str
    engine: str
    subject: str
    seed: int
    promises: tuple[str, ...]
    result: Result
    reason: str
    quorum: Outcome | None
    waterfall: Waterfall | None
    faults: tuple[str, ...]
    acknowledged: int
    lost: int | None
    duration_s: float
    power_cut: PowerCut = "none"
    dark: tuple[DarkMoment, ...] = ()
    """The moments without a holder that no fault accounts for."""

    @property
    def outage(self) -> Outage | None:
        """The longest outage that a client saw."""
        return self.waterfall.outage if self.waterfall else None

    @property
    def good(self) -> bool:
        """Whether the run came out as it should."""
        return self.result in {"holds", "caught"}


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it lies in its directory."""

    directory: Path
    history: History
    verdicts: tuple[Verdict, ...]


def read_run(directory: Path) -> StoredRun:
    """Read a run; one that was never judged (it was cut short) is judged now.

    Raises HarnessError when the directory holds no readable history.
    """
    history = History.read(directory)
    verdicts = load_verdicts(directory)
    return StoredRun(directory, history, judge(history) if verdicts is None else verdicts)


def facts_of(run: StoredRun) -> RunFacts:
    """The figures of a run."""
    history = run.history
    started = next(iter(history.of(RunStarted)), None)
    writes = lost_writes(history)
    acknowledged = writes[0] if writes else int((writes_of(history).outcome == OK).sum())
    result, reason = result_of(run.verdicts)
    quorum = [verdict for verdict in run.verdicts if verdict.check in QUORUM_CHECKS]
    return RunFacts(
        directory=run.directory,
        scenario=started.scenario if started else run.directory.name,
        engine=engine_words(started.engine, started.engines) if started else "",
        subject=started.subject if started else "",
        seed=started.seed if started else 0,
        promises=tuple(started.promises) if started else (),
        result=result,
        reason=reason,
        quorum=worst(quorum) if quorum else None,
        waterfall=worst_waterfall(history),
        faults=tuple(window.label for window in fault_windows(history)),
        acknowledged=acknowledged,
        lost=writes[1] if writes else None,
        duration_s=end_s(history) - start_s(history),
        power_cut=power_cut_of(history),
        dark=dark_moments(history),
    )


def unreadable(directory: Path, error: Exception) -> RunFacts:
    """A run of which nothing can be told but that there was one."""
    return RunFacts(
        directory=directory,
        scenario=directory.name,
        engine="",
        subject="",
        seed=0,
        promises=(),
        result="inconclusive",
        reason=f"it cannot be read: {told(error).splitlines()[-1]}",
        quorum=None,
        waterfall=None,
        faults=(),
        acknowledged=0,
        lost=None,
        duration_s=0.0,
    )


def dark_words(moments: Sequence[DarkMoment]) -> str:
    """How often and how long an address was dark without a fault."""
    if not moments:
        return "none"
    longest_s = max(moment.length_s for moment in moments)
    times = "once" if len(moments) == 1 else f"{len(moments)} times"
    return f"{times}, {duration(longest_s)}" + (" at most" if len(moments) > 1 else "")


def dark_reasons(moments: Sequence[DarkMoment]) -> list[str]:
    """Why, as the holders' logs say: a line for each reason, the most frequent first."""
    found: dict[Why, list[DarkMoment]] = {}
    for moment in moments:
        found.setdefault(moment.why, []).append(moment)
    return [f"{dark_words(those)}: {why.value}" for why, those in sorted(found.items(), key=lambda one: -len(one[1]))]


def result_of(verdicts: Sequence[Verdict]) -> tuple[Result, str]:
    """How a run came out, in a word, and why in a sentence (empty when all holds)."""
    for verdict in verdicts:
        if verdict.check == CAUGHT_BY:
            word: Result = "inconclusive" if verdict.outcome is Outcome.UNKNOWN else "not caught"
            return ("caught" if verdict.outcome is Outcome.HOLDS else word), verdict.summary
    wrong = sorted((one for one in verdicts if one.outcome is not Outcome.HOLDS), key=lambda one: -one.outcome)
    reason = f"{wrong[0].title}: {wrong[0].summary}" if wrong else ""
    others = [one.check for one in wrong[1:] if one.outcome is wrong[0].outcome]
    return RESULT_WORDS[worst(verdicts)], reason + (f" (and {', '.join(others)})" if others else "")
