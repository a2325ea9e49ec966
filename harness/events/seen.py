"""What the observers see: addresses and their gates, the wire, members, logs; and since when they look."""

from typing import Any, Literal

from harness.events.event import Event, Number


class AddressAdded(Event, frozen=True, kw_only=True):
    """Netlink: a watched address appeared in a node's namespace."""

    node: str
    address: str
    interface: str


class AddressRemoved(Event, frozen=True, kw_only=True):
    """Netlink: a watched address left a node's namespace (or the node's port was unplugged)."""

    node: str
    address: str
    interface: str


class GateInstalled(Event, frozen=True, kw_only=True):
    """Netlink: the node's kernel now drops traffic for ``address`` unless a lease lets it pass.

    From here on the node *holds* the address only while the address is present and the gate open.
    A node without a gate holds an address whenever it is present.
    """

    node: str
    address: str


class GateOpened(Event, frozen=True, kw_only=True):
    """Netlink: the lease lets the address through from ``t_s`` until ``until_s``, then goes dark by itself."""

    node: str
    address: str
    until_s: float


class GateClosed(Event, frozen=True, kw_only=True):
    """Netlink: the lease was given up before its time."""

    node: str
    address: str


class ArpAnswered(Event, frozen=True, kw_only=True):
    """On the wire, at a client: somebody answered for the address, by MAC (``node`` where the MAC is known)."""

    client: str
    address: str
    mac: str
    node: str | None


class Announced(Event, frozen=True, kw_only=True):
    """On the wire, at a client: a gratuitous ARP for the address."""

    client: str
    address: str
    mac: str
    node: str | None
    form: Literal["request", "reply"]


class TcpAnswered(Event, frozen=True, kw_only=True):
    """On the wire, at a client: a TCP segment came from the address, sent by this MAC."""

    client: str
    address: str
    mac: str
    node: str | None


class ConnectTried(Event, frozen=True, kw_only=True):
    """One attempt of a client at its fixed rate: sent at ``sent_s``, ended at ``t_s``.

    ``due_s`` is when the schedule wanted it sent: ``sent_s - due_s`` is the sampling error.
    """

    client: str
    address: str
    port: int
    due_s: float
    sent_s: float
    ok: bool
    error: str = ""


class WatchStarted(Event, frozen=True, kw_only=True):
    """An observer began to watch ``what`` of ``target``; silence counts as evidence only from here on.

    Of "addresses", "wire" and "connects", or what a subject's own probe watches, such as "membership".
    """

    what: str
    target: str


class WatchEnded(Event, frozen=True, kw_only=True):
    """The observer stopped watching ``what`` of ``target``."""

    what: str
    target: str


class NodeClockMapped(Event, frozen=True, kw_only=True):
    """What is seen in this node is stamped by its own clock: ``offset_s`` added gives the run clock, give or take."""

    node: str
    offset_s: float
    error_s: float


class ObserverStalled(Event, frozen=True, kw_only=True):
    """The observer itself was not scheduled for ``gap_s``: times near here are that uncertain."""

    gap_s: float


class MembershipSeen(Event, frozen=True, kw_only=True):
    """What a node itself reports of its cluster, on change: quorate or not, and the members it sees."""

    node: str
    quorate: bool
    members: tuple[str, ...]
    ring: str


class RosterSeen(Event, frozen=True, kw_only=True):
    """On a node's disk, at the time of writing: who votes in the cluster from now on, by name.

    ``epoch`` counts the rosters of a cluster; all nodes have the same one in the same epoch, some of them later.
    """

    node: str
    epoch: int
    votes: dict[str, int]


class SubjectSaid(Event, frozen=True, kw_only=True):
    """A line of the subject's own log, stamped by itself. For stages and reading; judged only as a confession."""

    node: str
    event: str
    fields: dict[str, Any]


class Served(Event, frozen=True, kw_only=True):
    """A backend began to carry out a request, or had ``answered`` it, by its own log; the request has the number that
    its client gave it. Backends are no part of what is under test."""

    node: str
    request: Number
    method: str
    answered: bool


class ReplicaRan(Event, frozen=True, kw_only=True):
    """A replica of a service was running on a node at this moment, by its own log: it says so again and again."""

    node: str
    service: str
    replica: str
