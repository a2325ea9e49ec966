"""The failover waterfall: which stage of an outage took how long, and who reached it."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np

from harness.checks.durability import writes_of
from harness.checks.holding import HeldBy, Holding, holdings
from harness.checks.outage import Outage, outages
from harness.checks.story import duration, fault_windows
from harness.events import (
    AddressAdded,
    Announced,
    ConnectTried,
    Event,
    GateOpened,
    MembershipSeen,
    RunStarted,
    SubjectSaid,
)
from harness.history import History
from harness.operations import OK

Kind = TypeVar("Kind", bound=Event)

AFTERMATH_S = 10.0
"""Stages that come later than this after the end of an outage are none of its own."""

SAID_BEFORE_3 = {
    "leader-elected": "leader elected",
    "lease-acquired": "lease acquired",
    "vip-added": "address reported",
}
"""Stages that only the subject's own log can tell: what histories before format 3, which do not say it, had in them."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step on the way back: when it was reached, how long after the beginning, on which node."""

    name: str
    t_s: float
    after_s: float
    node: str = ""


@dataclass(frozen=True, slots=True)
class Waterfall:
    """An outage with its stages in the order in which they were reached. What was not seen is absent."""

    outage: Outage
    base_s: float
    """What times count from: the call that injected or healed the fault, else the start of the outage."""
    base: str
    stages: tuple[Stage, ...]

    def stage(self, name: str) -> Stage | None:
        """The stage of this name, if it was seen."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def __str__(self) -> str:
        return render(self)


def outages_of_all(history: History) -> tuple[Outage, ...]:
    """Every outage of every address for each client, in order of their starts."""
    addresses = sorted({tried.address for tried in history.of(ConnectTried)})
    found = [one for address in addresses for one in outages(history, address) if one.ever_answered]
    return tuple(sorted(found, key=lambda outage: outage.start_s))


def waterfalls(history: History) -> tuple[Waterfall, ...]:
    """One waterfall for each outage, in order of their starts. Each takes a walk through the whole history."""
    return tuple(waterfall_of(history, outage) for outage in outages_of_all(history))


def worst_waterfall(history: History) -> Waterfall | None:
    """The waterfall of the longest outage."""
    worst = max(outages_of_all(history), key=lambda outage: outage.length_s, default=None)
    return waterfall_of(history, worst) if worst is not None else None


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where to look for the stages of one outage."""

    history: History
    outage: Outage
    from_s: float
    until_s: float
    victims: frozenset[str]
    new_holder: str | None


def waterfall_of(history: History, outage: Outage) -> Waterfall:
    """How the address came back after one outage."""
    window = next((one for one in fault_windows(history) if one.fault_id == outage.fault_id), None)
    from_s = base_s = outage.start_s - outage.start_error_s
    effective_s, base = base_s, "start of the outage"
    if window is not None and outage.after_heal and window.heal_began_s is not None:
        from_s = base_s = window.heal_began_s
        effective_s, base = window.healed_s or base_s, f"heal of {window.label}"
    elif window is not None:
        from_s, base_s, base = window.injected_s, window.called_s or window.injected_s, window.label
        effective_s = window.effective_s or base_s
    held = holdings(history, outage.address)
    until_s = (outage.end_s + outage.end_error_s if outage.end_s is not None else outage.seen_until_s) + AFTERMATH_S
    frame = _Frame(
        history=history,
        outage=outage,
        from_s=from_s,
        until_s=until_s,
        victims=frozenset(HeldBy(held).at(from_s)),
        new_holder=_new_holder(held, from_s, until_s),
    )
    # A call that takes long has its effect before it returns, and at the latest when the address is gone.
    effective_s = min(effective_s, max(base_s, outage.start_s))
    reached: list[Stage] = []
    if window is not None:
        reached.append(
            Stage("heal effective" if outage.after_heal else "fault effective", effective_s, effective_s - base_s)
        )
    for name, event, node in _stages(frame):
        reached.append(Stage(name, event.t_s, event.t_s - base_s, node))
    return Waterfall(outage, base_s, base, tuple(sorted(reached, key=lambda stage: stage.t_s)))


def _new_holder(held: tuple[Holding, ...], from_s: float, until_s: float) -> str | None:
    return next((holding.node for holding in held if from_s < holding.start_s <= until_s), None)


def _stages(frame: _Frame) -> Iterable[tuple[str, Event, str]]:
    membership = _first(
        frame, MembershipSeen, lambda e: e.node not in frame.victims and not frame.victims & {*e.members}
    )
    if membership is not None and frame.victims:
        yield "membership re-formed", membership, membership.node
    for event_name, stage in _log_stages(frame.history).items():
        said = _first(frame, SubjectSaid, _named(event_name))
        if said is not None:
            yield stage, said, said.node
    address = frame.outage.address
    added = _first(frame, AddressAdded, lambda e: e.address == address and e.node == frame.new_holder)
    if added is not None:
        yield "address added", added, added.node
    # A former holder that takes over again went on renewing its lease for a moment after the fault.
    again_s = frame.outage.start_s if frame.new_holder in frame.victims else frame.from_s
    opened = _first(
        frame, GateOpened, lambda e: e.address == address and e.node == frame.new_holder and e.t_s > again_s
    )
    if opened is not None:
        yield "gate opened", opened, opened.node
    announced = _first(
        frame, Announced, lambda e: e.address == address and e.node in {frame.new_holder, None} and e.t_s > again_s
    )
    if announced is not None:
        yield "gratuitous ARP seen", announced, announced.node or announced.mac
    if frame.outage.end_s is not None:
        answer = _first_answer(frame)
        if answer is not None:
            yield "first answer", answer, ""
        write = _first_write(frame)
        if write is not None:
            yield "first committed write", write, ""


def _log_stages(history: History) -> Mapping[str, str]:
    """The events of the subjects' own logs that are stages, with their names."""
    for started in history.of(RunStarted):
        if started.log_stages is not None:
            return started.log_stages
    return SAID_BEFORE_3


def _first(frame: _Frame, kind: type[Kind], wanted: Callable[[Kind], bool]) -> Kind | None:
    """The first event of a kind in the frame, after its start, that is wanted."""
    first = next(filter(wanted, _later(frame.history, kind, frame.from_s)), None)
    return first if first is not None and first.t_s <= frame.until_s else None


def _later(history: History, kind: type[Kind], t_s: float) -> Iterator[Kind]:
    """The events of a kind after an instant."""
    events = history.of(kind)
    return islice(events, bisect_right(events, t_s, key=lambda event: event.t_s), None)


def _named(event_name: str) -> Callable[[SubjectSaid], bool]:
    return lambda said: said.event == event_name


def _first_answer(frame: _Frame) -> ConnectTried | None:
    outage = frame.outage
    who = (outage.client, outage.address, outage.port)
    later = _later(frame.history, ConnectTried, outage.start_s + outage.start_error_s)
    return next((e for e in later if e.ok and (e.client, e.address, e.port) == who), None)


def _first_write(frame: _Frame) -> Event | None:
    """The first acknowledged write that was sent through the address after the outage had begun: its end."""
    gone_s = frame.outage.start_s + frame.outage.start_error_s
    writes = writes_of(frame.history, None)
    through = [
        code for code, name in enumerate(writes.names) if not name or name.startswith(f"{frame.outage.address}:")
    ]
    framed = (writes.completed_s > frame.from_s) & (writes.completed_s <= frame.until_s)
    wanted = framed & (writes.outcome == OK) & (writes.invoked_s >= gone_s) & np.isin(writes.connection, through)
    writes = writes.take(wanted)
    return writes.row(int(np.argmin(writes.completed_s))).events[-1] if len(writes) else None


def render(waterfall: Waterfall, width: int = 40) -> str:
    """The waterfall as text, with bars to scale from one stage to the next."""
    outage = waterfall.outage
    length = f"{duration(outage.length_s)} ± {duration(outage.error_s)}"
    ending = "" if outage.end_s is not None else ", not ended"
    lines = [f"outage of {outage.address} for {outage.client}: {length}{ending} ({outage.cause or 'no fault'})"]
    if not waterfall.stages:
        return lines[0]
    first_s = min(0.0, waterfall.stages[0].after_s)
    span_s = max(waterfall.stages[-1].after_s - first_s, 1e-9)
    before_s = first_s
    for stage in waterfall.stages:
        left = round((before_s - first_s) / span_s * width)
        right = max(left + 1, round((stage.after_s - first_s) / span_s * width))
        bar = " " * left + "█" * (right - left)
        lines.append(f"  {stage.after_s * 1000:+9.1f} ms  {stage.name:22} {stage.node:11} {bar}".rstrip())
        before_s = stage.after_s
    return "\n".join(lines)
