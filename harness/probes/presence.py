"""Which watched addresses are in a node's namespace and whether its gate lets them pass. Pure.

Facts of netlink in (:mod:`harness.probes.netlink`), events out. The kernel repeats itself (an
address renewed by its lease, a dump after the subscription); only changes become events.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from harness.events import AddressAdded, AddressRemoved, Event, GateClosed, GateInstalled, GateOpened
from harness.probes.netlink import (
    AddressChange,
    Committed,
    ElementChange,
    GateChange,
    LinkChange,
    RouteChange,
    SetRemoved,
)

FOREVER_S = 1e9
"""What "until further notice" is added to a time as: 30 years, finite so that it survives JSON."""


@dataclass(frozen=True, slots=True)
class GateNames:
    """Where nodes keep their gate: a table of nftables ("" for none) with a set of leases and one of guarded addresses.

    Its family is netdev or bridge.
    """

    table: str = ""
    lease_set: str = "lease"
    guarded_set: str = "guarded"


class AddressTracker:
    """The watched addresses of one node, by interface."""

    def __init__(self, node: str, addresses: Collection[str]) -> None:
        self._node = node
        self._watched = frozenset(addresses)
        self._names: dict[int, str] = {}
        self._held: set[tuple[str, int]] = set()

    def feed(self, change: RouteChange, t_s: float) -> list[Event]:
        """Take one fact in; give the events that follow from it."""
        if isinstance(change, LinkChange):
            if change.present:
                self._names[change.index] = change.name
                return []
            gone = [key for key in self._held if key[1] == change.index]
            return [self._remove(key, t_s) for key in sorted(gone)]
        key = (change.address, change.index)
        if change.address not in self._watched or change.present == (key in self._held):
            return []
        if not change.present:
            return [self._remove(key, t_s)]
        self._held.add(key)
        return [AddressAdded(t_s=t_s, node=self._node, address=change.address, interface=self._name(change.index))]

    def reconcile(self, present: Iterable[AddressChange], t_s: float) -> list[Event]:
        """Compare with a complete dump (after messages were lost): what is not in it is gone."""
        changes = list(present)
        kept = {(change.address, change.index) for change in changes}
        events: list[Event] = [self._remove(key, t_s) for key in sorted(self._held - kept)]
        for change in changes:
            events += self.feed(change, t_s)
        return events

    def gone(self, t_s: float) -> list[Event]:
        """The node is dead: whatever was there is not any more."""
        return [self._remove(key, t_s) for key in sorted(self._held)]

    def _remove(self, key: tuple[str, int], t_s: float) -> AddressRemoved:
        self._held.discard(key)
        return AddressRemoved(t_s=t_s, node=self._node, address=key[0], interface=self._name(key[1]))

    def _name(self, index: int) -> str:
        return self._names.get(index, f"if{index}")


class GateTracker:
    """The gate of one node: which addresses it guards, and until when it lets each of them pass.

    Facts are collected until the end of their transaction, because a renewal is a deletion and an
    addition that take effect at the same instant.
    """

    def __init__(self, node: str, addresses: Collection[str], names: GateNames) -> None:
        self._node = node
        self._watched = frozenset(addresses)
        self._names = names
        self._pending: list[GateChange] = []
        self._pending_since_s = 0.0
        self._guarded: set[str] = set()
        self._lifted: set[str] = set()
        self._open_until_s: dict[str, float] = {}

    def feed(self, change: GateChange, t_s: float) -> list[Event]:
        """Take one fact in; give the events of a transaction when it is complete."""
        if not isinstance(change, Committed):
            if not self._pending:
                self._pending_since_s = t_s
            self._pending.append(change)
            return []
        pending, self._pending = self._pending, []
        return self._apply(pending, self._pending_since_s) if pending else []

    def _apply(self, changes: list[GateChange], t_s: float) -> list[Event]:
        guarded = set(self._guarded)
        leases: dict[str, ElementChange | None] = {}
        for change in changes:
            if isinstance(change, SetRemoved):
                if change.set_name in ("", self._names.guarded_set):
                    guarded.clear()
                if change.set_name in ("", self._names.lease_set):
                    leases |= dict.fromkeys(self._open_until_s)
            elif isinstance(change, ElementChange) and change.address in self._watched:
                if change.set_name == self._names.guarded_set:
                    (guarded.add if change.present else guarded.discard)(change.address)
                elif change.set_name == self._names.lease_set:
                    leases[change.address] = change if change.present else None
        return self._guard(guarded, t_s) + self._lease(leases, t_s)

    def _guard(self, guarded: set[str], t_s: float) -> list[Event]:
        events: list[Event] = []
        for address in sorted(guarded - self._guarded):
            events.append(GateInstalled(t_s=t_s, node=self._node, address=address))
            if address in self._lifted:
                self._lifted.discard(address)
                events.append(GateClosed(t_s=t_s, node=self._node, address=address))
        for address in sorted(self._guarded - guarded):
            # Nothing guards the address any more, so everything passes: that is a gate wide open.
            self._lifted.add(address)
            events.append(GateOpened(t_s=t_s, node=self._node, address=address, until_s=t_s + FOREVER_S))
        self._guarded = guarded
        return events

    def _lease(self, leases: dict[str, ElementChange | None], t_s: float) -> list[Event]:
        events: list[Event] = []
        for address, element in leases.items():
            until_s = self._open_until_s.pop(address, t_s)
            if element is not None:
                remaining_s = FOREVER_S if element.remaining_s is None else element.remaining_s
                self._open_until_s[address] = t_s + remaining_s
                if address not in self._lifted:
                    events.append(GateOpened(t_s=t_s, node=self._node, address=address, until_s=t_s + remaining_s))
            elif until_s > t_s and address not in self._lifted:
                # An element may also be reported as deleted long after it went dark by itself.
                events.append(GateClosed(t_s=t_s, node=self._node, address=address))
        return events
