"""How long clients went without an answer, from their attempts at a fixed rate.

An answered attempt shows that the address was there at some instant between sending and answer.
Between two answers it may have been gone: from some instant after the sending of the last attempt
that was answered and before the first that was left unanswered, until some instant after the last
that was left unanswered and before the next answer. The middle is the estimate, half the width the error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.checks.declared import Seconds, check
from harness.checks.intervals import Interval
from harness.checks.story import Clock, FaultWindow, clock_of, cut_short, duration, fault_windows, in_hand_until_s
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.events import ConnectTried
from harness.history import History

SLOW_ANSWER_S = 0.03
"""Silence shorter than this, without a failed attempt, is a slow answer and no outage."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One stretch in which a client got no answer. An outage that had not ended has no end."""

    client: str
    address: str
    port: int
    start_s: float
    start_error_s: float
    end_s: float | None
    end_error_s: float
    seen_until_s: float
    """Until when the client is known to have been without an answer."""
    failed: int
    """Attempts that failed in it."""
    ever_answered: bool
    """False for the silence before the first answer at all."""
    cause: str = ""
    """The fault it belongs to, in words; empty when there was none."""
    fault_id: str = ""
    after_heal: bool = False

    @property
    def length_s(self) -> float:
        """The best estimate; of an outage that had not ended, how long it is known to have lasted."""
        return (self.end_s if self.end_s is not None else self.seen_until_s) - self.start_s

    @property
    def error_s(self) -> float:
        """How far the length may be off, either way."""
        return self.start_error_s + self.end_error_s


def outages(history: History, address: str, clients: Sequence[str] | None = None) -> tuple[Outage, ...]:
    """Every outage of the address as seen by each client, in order of their starts."""
    windows = fault_windows(history)
    found = [outage for attempts in _streams(history, address, clients) for outage in _gaps(attempts)]
    return tuple(sorted((_with_cause(outage, windows) for outage in found), key=lambda outage: outage.start_s))


def _streams(history: History, address: str, clients: Sequence[str] | None) -> list[list[ConnectTried]]:
    """What each client tried, on each port, as long as the cluster was in the scenario's hands."""
    last_s = in_hand_until_s(history)
    streams: dict[tuple[str, int], list[ConnectTried]] = {}
    for attempt in history.of(ConnectTried):
        wanted = attempt.address == address and (clients is None or attempt.client in clients)
        if wanted and attempt.sent_s <= last_s:
            streams.setdefault((attempt.client, attempt.port), []).append(attempt)
    return list(streams.values())


def _longest_unseen(history: History, address: str, clients: Sequence[str] | None) -> tuple[Interval, str]:
    """The longest time in which some client tried nothing, and that client: what happened then nobody saw.

    Until its next attempt, or until the scenario's end if that was reached.
    """
    ends_s = [] if cut_short(history) else [in_hand_until_s(history)]
    unseen = [
        (Interval(from_s, until_s), attempts[0].client)
        for attempts in _streams(history, address, clients)
        for from_s, until_s in pairwise([*sorted(attempt.sent_s for attempt in attempts), *ends_s])
    ]
    return max(unseen, key=lambda one: one[0].length_s, default=(Interval(0.0, 0.0), ""))


def _gaps(attempts: list[ConnectTried]) -> list[Outage]:
    """The outages of one client, from its attempts."""
    sent = sorted(attempts, key=lambda attempt: attempt.sent_s)
    answered = sorted((attempt for attempt in sent if attempt.ok), key=lambda attempt: attempt.t_s)
    found: list[Outage] = []
    position = 0
    there_s: float | None = None
    for answer in [*answered, None]:
        gap: list[ConnectTried] = []
        while position < len(sent) and (answer is None or sent[position].sent_s < answer.t_s):
            gap.append(sent[position])
            position += 1
        # Attempts of the gap that were answered in the end count as unanswered until then.
        outage = _gap(gap, there_s, answer) if gap else None
        if outage:
            found.append(outage)
        if answer is not None:
            there_s = answer.sent_s if there_s is None else max(there_s, answer.sent_s)
    return found


def _gap(gap: list[ConnectTried], there_s: float | None, answer: ConnectTried | None) -> Outage | None:
    """What the attempts sent between two answers say. The last of them may have been answered at once."""
    failed = [attempt for attempt in gap if not attempt.ok]
    unanswered = gap[:-1] if gap[-1].ok else gap
    if not unanswered or (not failed and unanswered[-1].sent_s - unanswered[0].sent_s < SLOW_ANSWER_S):
        return None
    first, last = unanswered[0], unanswered[-1]
    earliest_s = first.sent_s if there_s is None else there_s
    start_s, start_error_s = _middle(earliest_s, max(earliest_s, first.sent_s))
    end_s, end_error_s = (None, 0.0) if answer is None else _middle(last.sent_s, answer.t_s)
    return Outage(
        client=first.client,
        address=first.address,
        port=first.port,
        start_s=start_s,
        start_error_s=start_error_s,
        end_s=end_s,
        end_error_s=end_error_s,
        seen_until_s=last.t_s if answer is None else last.sent_s,
        failed=len(failed),
        ever_answered=there_s is not None,
    )


def _middle(low_s: float, high_s: float) -> tuple[float, float]:
    return (low_s + high_s) / 2, (high_s - low_s) / 2


def _with_cause(outage: Outage, windows: tuple[FaultWindow, ...]) -> Outage:
    """Name the latest injection or heal before the outage began."""
    began_s = outage.start_s + outage.start_error_s
    best: tuple[float, FaultWindow, bool] | None = None
    for window in windows:
        # An attempt that was under way when the fault came belongs to its outage.
        edges = [(window.injected_s - SLOW_ANSWER_S, False)]
        if window.heal_began_s is not None:
            edges.append((window.heal_began_s, True))
        for edge_s, healing in edges:
            if edge_s <= began_s and (best is None or edge_s > best[0]):
                best = (edge_s, window, healing)
    if best is None:
        return outage
    _, window, healing = best
    cause = f"after the heal of {window.label}" if healing else window.label
    values = {name: getattr(outage, name) for name in Outage.__slots__}
    return Outage(**(values | {"cause": cause, "fault_id": window.fault_id, "after_heal": healing}))


@check
def outage_at_most(history: History, address: str, limit_s: Seconds, clients: Sequence[str] | None = None) -> Verdict:
    """No client goes without an answer from the address for longer than ``limit_s`` seconds.

    Where a client tried nothing for longer than that, an outage may have been overlooked: UNKNOWN.
    """
    name = "outage_at_most"
    tried = [attempt for attempt in history.of(ConnectTried) if attempt.address == address]
    if clients is not None:
        tried = [attempt for attempt in tried if attempt.client in clients]
    if not tried:
        return unknown(name, f"no client ever tried to connect to {address}")
    if not any(attempt.ok for attempt in tried):
        silent_s = max(attempt.t_s for attempt in tried) - min(attempt.sent_s for attempt in tried)
        text = f"{address} never answered, in {len(tried)} attempts over {duration(silent_s)}"
        if cut_short(history):
            return unknown(name, f"{text}, before the run was cut short")
        return violated(name, text) if silent_s > limit_s else unknown(name, text)
    clock = clock_of(history)
    found = [outage for outage in outages(history, address, clients) if outage.ever_answered]
    evidence = [describe(outage, clock) for outage in sorted(found, key=lambda outage: -outage.length_s)]
    unseen, client = _longest_unseen(history, address, clients)
    blind = (
        unknown(name, f"{client} tried nothing for {duration(unseen.length_s)}, from {clock.at(unseen.start_s)} on")
        if unseen.length_s > limit_s
        else None
    )
    if not found:
        return blind or holds(name, f"{address} answered every one of {len(tried)} attempts")
    worst = max(found, key=lambda outage: outage.length_s)
    text = f"the worst of {len(found)} outages lasted {_length(worst)}; {duration(limit_s)} are allowed"
    over = [outage for outage in found if outage.length_s - outage.error_s > limit_s]
    if over:
        lost = [outage for outage in over if outage.end_s is None]
        return violated(name, f"{address} never came back: {text}" if lost else text, evidence)
    open_ended = [outage for outage in found if outage.end_s is None]
    if open_ended:
        return unknown(name, f"the run ended while {address} did not answer, too early to tell: {text}", evidence)
    doubtful = [outage for outage in found if outage.length_s + outage.error_s > limit_s]
    if doubtful:
        return unknown(name, f"too close to tell: {text}", evidence)
    return blind or holds(name, text, evidence)


@check
def outage_between(history: History, address: str, at_least_s: Seconds, at_most_s: Seconds) -> Verdict:
    """The longest outage of the address lies in a range known beforehand: a measurement of the measurement."""
    name = "outage_between"
    found = [outage for outage in outages(history, address) if outage.ever_answered and outage.end_s is not None]
    expected = f"{duration(at_least_s)} to {duration(at_most_s)} were to be expected"
    if not found:
        return unknown(name, f"{address} had no outage that began and ended in the run; {expected}")
    longest = max(found, key=lambda outage: outage.length_s)
    text = f"the longest outage lasted {_length(longest)}; {expected}"
    evidence = (describe(longest, clock_of(history)),)
    if cut_short(history) and longest.length_s + longest.error_s < at_least_s:
        return unknown(name, f"{text}; the run was cut short", evidence)
    if at_least_s <= longest.length_s + longest.error_s and longest.length_s - longest.error_s <= at_most_s:
        return holds(name, text, evidence)
    return violated(name, text, evidence)


def _length(outage: Outage) -> str:
    if outage.end_s is None:
        return f"{duration(outage.length_s)} at least, to the end of the run"
    return f"{duration(outage.length_s)} (± {duration(outage.error_s)})"


def describe(outage: Outage, clock: Clock) -> Finding:
    """An outage as a finding."""
    ended = "and had not ended" if outage.end_s is None else f"until {clock.at(outage.end_s)}"
    cause = outage.cause or "no fault"
    return Finding(
        text=f"{outage.client} got no answer from {outage.address}:{outage.port} for {_length(outage)}, "
        f"from {clock.at(outage.start_s)} {ended}; {outage.failed} attempts failed; {cause}",
        from_s=outage.start_s,
        until_s=outage.end_s if outage.end_s is not None else outage.seen_until_s,
        client=outage.client,
    )
