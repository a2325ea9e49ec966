"""The present, as the history tells it so far: what scenarios wait for and aim faults at.

Nothing here is judged: verdicts come from the whole history afterwards.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.events import (
    AddressAdded,
    AddressRemoved,
    Completed,
    ConnectTried,
    Event,
    GateClosed,
    GateInstalled,
    GateOpened,
    Invoked,
    MembershipSeen,
    NodeClockMapped,
    NodeStarted,
    NodeStopped,
    ServiceWrote,
    SubjectSaid,
)

_AMISS_S = 1.0
"""Neighbouring lines of a log may be in another order than their stamps, which then differ by less than this."""


@dataclass(slots=True)
class LiveView:
    """Follows events as they come; ``advance`` it before asking."""

    powered: set[str] = field(default_factory=set)
    membership: dict[str, MembershipSeen] = field(default_factory=dict)
    acknowledged_of: Counter[str] = field(default_factory=Counter)
    """How many operations of each function were acknowledged."""
    _under_way: dict[tuple[int, int], str] = field(default_factory=dict)
    _present_since_s: dict[tuple[str, str], float] = field(default_factory=dict)
    _gated: set[tuple[str, str]] = field(default_factory=set)
    _open_until_s: dict[tuple[str, str], float] = field(default_factory=dict)
    _open_since_s: dict[tuple[str, str], float] = field(default_factory=dict)
    last_wrote_s: dict[tuple[str, str], float] = field(default_factory=dict)
    """When a service wrote last from a node, by service and node."""
    _last_answer_sent_s: dict[str, float] = field(default_factory=dict)
    _said: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    _clocks: dict[str, list[NodeClockMapped | None]] = field(default_factory=dict)
    """For each boot of a node, the best mapping of its clock that is known; None: it is the run's clock."""

    def advance(self, events: Iterable[Event]) -> None:
        """Take in events in the order in which they were written."""
        for event in events:
            self._take_power(event)
            self._take_address(event)
            self._take_service(event)

    def _take_power(self, event: Event) -> None:
        match event:
            case NodeStarted(node=node):
                self._forget(node)
                self.powered.add(node)
                self._clocks.setdefault(node, []).append(None)
            case NodeClockMapped(node=node, error_s=error_s) if boots := self._clocks.get(node):
                if boots[-1] is None or error_s <= boots[-1].error_s:
                    boots[-1] = event
            case NodeStopped(node=node):
                self._forget(node)
                self.powered.discard(node)

    def _take_address(self, event: Event) -> None:
        match event:
            case AddressAdded(node=node, address=address, t_s=t_s):
                self._present_since_s[node, address] = t_s
            case AddressRemoved(node=node, address=address):
                self._present_since_s.pop((node, address), None)
            case GateInstalled(node=node, address=address):
                self._gated.add((node, address))
            case GateOpened(node=node, address=address, t_s=t_s, until_s=until_s):
                if self._open_until_s.get((node, address), float("-inf")) < t_s:
                    self._open_since_s[node, address] = t_s
                self._open_until_s[node, address] = until_s
            case GateClosed(node=node, address=address):
                self._open_until_s.pop((node, address), None)

    def _take_service(self, event: Event) -> None:
        match event:
            case ConnectTried(address=address, sent_s=sent_s, ok=True):
                self._last_answer_sent_s[address] = max(sent_s, self._last_answer_sent_s.get(address, sent_s))
            case ServiceWrote(service=service, node=node, t_s=t_s):
                self.last_wrote_s[service, node] = t_s
            case MembershipSeen(node=node):
                self.membership[node] = event
            case SubjectSaid(node=node, event=name, fields=fields):
                self._said[node, name] = fields
            case Invoked(process=process, operation=operation, function=function):
                self._under_way[process, operation] = function
            case Completed(process=process, operation=operation, outcome=outcome):
                function = self._under_way.pop((process, operation), "")
                if outcome == "ok":
                    self.acknowledged_of[function] += 1

    def _forget(self, node: str) -> None:
        self.membership.pop(node, None)
        self._gated = {key for key in self._gated if key[0] != node}
        self._said = {key: fields for key, fields in self._said.items() if key[0] != node}
        for table in (self._present_since_s, self._open_until_s, self._open_since_s):
            for key in [key for key in table if key[0] == node]:
                del table[key]

    def holders(self, address: str, now_s: float) -> dict[str, float]:
        """The nodes that hold the address now, and since when."""
        found: dict[str, float] = {}
        for (node, present), since_s in self._present_since_s.items():
            if present != address:
                continue
            if (node, address) not in self._gated:
                found[node] = since_s
            elif self._open_until_s.get((node, address), float("-inf")) > now_s:
                found[node] = max(since_s, self._open_since_s[node, address])
        return found

    def on_run_clock(self, node: str, stamps_s: Sequence[float]) -> list[float]:
        """The stamps of a node's log, from its first line to its last, on the clock of the run.

        The log covers several boots; a kernel's clock goes back only from one boot to the next. It is read from the
        last line backwards, because nothing is left of the boots before a disk was wiped.
        """
        boots = list(self._clocks.get(node, ()))
        found: list[float] = []
        for later_s, said_s in zip([float("inf"), *reversed(stamps_s)], reversed(stamps_s), strict=False):
            if said_s > later_s + _AMISS_S and len(boots) > 1:
                boots.pop()
            clock = boots[-1] if boots else None
            found.append(said_s if clock is None else said_s + clock.offset_s)
        return found[::-1]

    def last_answer_sent_s(self, address: str) -> float:
        """When the newest connection attempt that was answered had been sent; -inf if none ever."""
        return self._last_answer_sent_s.get(address, float("-inf"))

    def sees(self, node: str, members: Iterable[str]) -> bool:
        """Whether the node says it is quorate with exactly these members."""
        seen = self.membership.get(node)
        return seen is not None and seen.quorate and set(seen.members) == set(members)

    def has_said(self, node: str, event: str, fields: Mapping[str, Any]) -> bool:
        """Whether the newest event of this name that was said on the node, since it has power, has these fields."""
        newest = self._said.get((node, event))
        return newest is not None and fields.items() <= newest.items()
