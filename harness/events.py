"""The vocabulary of a run: everything that can happen, one frozen dataclass each.

An event says what was seen, by whom and when; it never says what it means. Meaning is
the checks' business. Times are seconds of the run clock (:mod:`harness.clock`). Addresses
are plain ("10.77.1.100"), without prefix length. Nodes, clients and sites are named as in
the topology.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

FORMAT = 2
"""What :class:`RunStarted` calls the format of the histories that are written now."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has: when it was seen."""

    t_s: float
    kind: ClassVar[str] = ""


# --- the run -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """The first event of every history: what is about to be shown, on what, with which seed.

    Fields with a default are missing in histories of format 1.
    """

    kind: ClassVar[str] = "run-started"
    run_id: str
    scenario: str
    promises: tuple[str, ...]
    seed: int
    engine: str
    subject: str
    topology: dict[str, Any]
    software: dict[str, Any] = field(default_factory=dict)
    caught_by: tuple[str, ...] = ()
    """Of a sabotage: the checks that have to find it out."""
    test: str = ""
    """The test, as pytest names it."""
    loses_unsynced_writes: bool = False
    """Whether a power cut takes with it what the node's kernel had not yet written to the disk."""
    format: int = 1
    """From format 2 on every heal is announced (:class:`FaultHealing`) before it acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation(Event):
    """A check this run will be judged by, with its arguments: what makes offline judging possible."""

    kind: ClassVar[str] = "expectation"
    check: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HarnessFailed(Event):
    """The harness could not do its own part: whatever the checks say, something of this run is missing."""

    kind: ClassVar[str] = "harness-failed"
    doing: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(Event):
    """The scenario's end: how the scenario's own body ended ("passed", or the error in one line)."""

    kind: ClassVar[str] = "run-ended"
    outcome: Literal["passed", "failed", "inconclusive"]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Event):
    """A remark of the scenario for the reader of the timeline."""

    kind: ClassVar[str] = "note"
    text: str


# --- nodes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStarted(Event):
    """A node was given power; ``boot`` counts from 1. ``mac`` is that of its service-LAN port."""

    kind: ClassVar[str] = "node-started"
    node: str
    boot: int
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStopped(Event):
    """A node ended: by power cut (everything at once) or in good order."""

    kind: ClassVar[str] = "node-stopped"
    node: str
    how: Literal["power-cut", "shutdown"]


# --- faults ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultInjected(Event):
    """A fault is about to be injected (journalled before it acts)."""

    kind: ClassVar[str] = "fault-injected"
    fault_id: str
    fault: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEffective(Event):
    """The call that injects returned at ``t_s``; seen from outside, the fault bites."""

    kind: ClassVar[str] = "fault-effective"
    fault_id: str
    call_s: float
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultWithoutEffect(Event):
    """A fault that could not be shown to bite: the run is inconclusive."""

    kind: ClassVar[str] = "fault-without-effect"
    fault_id: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultHealing(Event):
    """The fault is about to be lifted: from here on its effect may be gone, and is not yet shown to be."""

    kind: ClassVar[str] = "fault-healing"
    fault_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultHealed(Event):
    """The fault was lifted at ``t_s``, and its effect is gone as seen from outside."""

    kind: ClassVar[str] = "fault-healed"
    fault_id: str
    call_s: float
    evidence: str


# --- what the observers see ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressAdded(Event):
    """Netlink: a watched address appeared in a node's namespace."""

    kind: ClassVar[str] = "address-added"
    node: str
    address: str
    interface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRemoved(Event):
    """Netlink: a watched address left a node's namespace (or the node's port was unplugged)."""

    kind: ClassVar[str] = "address-removed"
    node: str
    address: str
    interface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateInstalled(Event):
    """Netlink: the node's kernel now drops traffic for ``address`` unless a lease lets it pass.

    From here on the node *holds* the address only while the address is present and the gate open.
    A node without a gate holds an address whenever it is present.
    """

    kind: ClassVar[str] = "gate-installed"
    node: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOpened(Event):
    """Netlink: the lease lets the address through from ``t_s`` until ``until_s``, then goes dark by itself."""

    kind: ClassVar[str] = "gate-opened"
    node: str
    address: str
    until_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GateClosed(Event):
    """Netlink: the lease was given up before its time."""

    kind: ClassVar[str] = "gate-closed"
    node: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArpAnswered(Event):
    """On the wire, at a client: somebody answered for the address, by MAC (``node`` where the MAC is known)."""

    kind: ClassVar[str] = "arp-answered"
    client: str
    address: str
    mac: str
    node: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced(Event):
    """On the wire, at a client: a gratuitous ARP for the address."""

    kind: ClassVar[str] = "announced"
    client: str
    address: str
    mac: str
    node: str | None
    form: Literal["request", "reply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpAnswered(Event):
    """On the wire, at a client: a TCP segment came from the address, sent by this MAC."""

    kind: ClassVar[str] = "tcp-answered"
    client: str
    address: str
    mac: str
    node: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectTried(Event):
    """One attempt of a client at its fixed rate: sent at ``sent_s``, ended at ``t_s``.

    ``due_s`` is when the schedule wanted it sent: ``sent_s - due_s`` is the sampling error.
    """

    kind: ClassVar[str] = "connect-tried"
    client: str
    address: str
    port: int
    due_s: float
    sent_s: float
    ok: bool
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStarted(Event):
    """An observer began to watch ``what`` of ``target``; silence counts as evidence only from here on."""

    kind: ClassVar[str] = "watch-started"
    what: Literal["addresses", "wire", "connects", "membership"]
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchEnded(Event):
    """The observer stopped watching ``what`` of ``target``."""

    kind: ClassVar[str] = "watch-ended"
    what: Literal["addresses", "wire", "connects", "membership"]
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserverStalled(Event):
    """The observer itself was not scheduled for ``gap_s``: times near here are that uncertain."""

    kind: ClassVar[str] = "observer-stalled"
    gap_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipSeen(Event):
    """What a node's own Corosync reports, on change: quorate or not, and the members it sees."""

    kind: ClassVar[str] = "membership-seen"
    node: str
    quorate: bool
    members: tuple[str, ...]
    ring: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterSeen(Event):
    """On a node's disk, at the time of writing: who votes in the cluster from now on, by name.

    ``epoch`` counts the rosters of a cluster; all nodes have the same one in the same epoch, some of them later.
    """

    kind: ClassVar[str] = "roster-seen"
    node: str
    epoch: int
    votes: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectSaid(Event):
    """A line of the subject's own log, stamped by itself. For stages and reading only: never judged."""

    kind: ClassVar[str] = "subject-said"
    node: str
    event: str
    fields: dict[str, Any]


# --- operations of clients -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoked(Event):
    """A client is about to send an operation. Written before sending.

    ``node`` is the member it is sent to ("" for whoever has the address), ``connection`` what it is sent through.
    ``due_s`` is when the schedule wanted it sent (None without a schedule): latency counts from there.
    """

    kind: ClassVar[str] = "invoked"
    process: int
    operation: int
    function: str
    key: str
    value: Any
    node: str = ""
    connection: str = ""
    due_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed(Event):
    """How an operation ended. ``unknown`` may have taken effect, or may yet, or never will."""

    kind: ClassVar[str] = "completed"
    process: int
    operation: int
    outcome: Literal["ok", "failed", "unknown"]
    value: Any = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack(Event):
    """After the heal: everything one member holds, read from that member itself."""

    kind: ClassVar[str] = "read-back"
    node: str
    key: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceWrote(Event):
    """A service on a node wrote to a place outside of the cluster. A ``connection`` is one run of it on one node."""

    kind: ClassVar[str] = "service-wrote"
    node: str
    service: str
    connection: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationSeen(Event):
    """The digest of a node's configuration, for comparing nodes."""

    kind: ClassVar[str] = "configuration-seen"
    node: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftoversSeen(Event):
    """After the run: what of it is still on the host (an empty tuple is what we want)."""

    kind: ClassVar[str] = "leftovers-seen"
    leftovers: tuple[str, ...]


def every_kind() -> dict[str, type[Event]]:
    """The event classes by their ``kind``."""
    return {cls.kind: cls for cls in Event.__subclasses__()}
