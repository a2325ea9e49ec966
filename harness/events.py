"""The vocabulary of a run: everything that can happen, one immutable class each.

An event says what was seen, by whom and when; it never says what it means. Meaning is
the checks' business. Times are seconds of the run clock (:mod:`harness.clock`). Addresses
are plain ("10.77.1.100"), without prefix length. Nodes, clients and sites are named as in
the topology.
"""

import re
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

FORMAT = 3
"""What :class:`RunStarted` calls the format of the histories that are written now."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

Number = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""What a column of 64 bits holds."""
Instant = Annotated[float, Meta(ge=-1e12, le=1e12)]


def _kind(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


class Event(Struct, frozen=True, kw_only=True, tag=_kind, tag_field="kind", forbid_unknown_fields=True):
    """What every event has: when it was seen. Its kind in the history is its name ("run-started")."""

    t_s: Instant

    @property
    def kind(self) -> str:
        """What it is called in the history."""
        return str(type(self).__struct_config__.tag)


# --- the run -----------------------------------------------------------------------------------


class RunStarted(Event, frozen=True, kw_only=True):
    """The first event of every history: what is about to be shown, on what, with which seed.

    Fields with a default may be missing in histories of earlier formats.
    """

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
    """Whether a power cut takes with it what the node's kernel had not yet written to the disk; of all nodes."""
    engines: dict[str, str] = field(default_factory=dict)
    """The engine that each node ran on; ``engine`` is that of those for which the topology draws none."""
    standing: dict[str, dict[str, Any]] | None = None
    """What every run of its subjects is judged by: checks with their arguments, the address "*" standing for each
    that was seen. None before format 3: see :mod:`harness.checks.standing`."""
    log_stages: dict[str, str] | None = None
    """Events of the subjects' own logs that are stages of a failover, with their names. None before format 3."""
    format: int = 1
    """From format 2 on every heal is announced (:class:`FaultHealing`) before it acts; from format 3 on a run says what
    its subjects are judged by."""


class Expectation(Event, frozen=True, kw_only=True):
    """A check this run will be judged by, with its arguments: what makes offline judging possible."""

    check: str
    arguments: dict[str, Any]


class HarnessFailed(Event, frozen=True, kw_only=True):
    """The harness could not do its own part: whatever the checks say, something of this run is missing."""

    doing: str
    error: str


class RunEnded(Event, frozen=True, kw_only=True):
    """The scenario's end: how the scenario's own body ended ("passed", or the error in one line)."""

    outcome: Literal["passed", "failed", "inconclusive"]
    reason: str = ""


class Note(Event, frozen=True, kw_only=True):
    """A remark of the scenario for the reader of the timeline."""

    text: str


# --- nodes -------------------------------------------------------------------------------------


class LinkShaped(Event, frozen=True, kw_only=True):
    """A link of the topology has its character from now on, given by ``driver`` ("netem" or "relay")."""

    link: str
    place: str
    character: dict[str, Any]
    driver: str


class NodeStarted(Event, frozen=True, kw_only=True):
    """A node was given power; ``boot`` counts from 1. ``mac`` is that of its service-LAN port."""

    node: str
    boot: int
    mac: str


class NodeStopped(Event, frozen=True, kw_only=True):
    """A node ended: by power cut (everything at once) or in good order."""

    node: str
    how: Literal["power-cut", "shutdown"]


# --- faults ------------------------------------------------------------------------------------


class FaultInjected(Event, frozen=True, kw_only=True):
    """A fault is about to be injected (journalled before it acts)."""

    fault_id: str
    fault: str
    targets: tuple[str, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    """What it was told besides whom to hit. Missing in histories of before."""


class FaultEffective(Event, frozen=True, kw_only=True):
    """The call that injects returned at ``t_s``; seen from outside, the fault bites."""

    fault_id: str
    call_s: float
    evidence: str


class FaultWithoutEffect(Event, frozen=True, kw_only=True):
    """A fault that could not be shown to bite: the run is inconclusive."""

    fault_id: str
    evidence: str


class FaultHealing(Event, frozen=True, kw_only=True):
    """The fault is about to be lifted: from here on its effect may be gone, and is not yet shown to be."""

    fault_id: str


class FaultHealed(Event, frozen=True, kw_only=True):
    """The fault was lifted at ``t_s``, and its effect is gone as seen from outside."""

    fault_id: str
    call_s: float
    evidence: str


# --- plans -------------------------------------------------------------------------------------


class PlanBegun(Event, frozen=True, kw_only=True):
    """A plan of faults begins: its own moments count from here. See :mod:`harness.plans.plan`."""

    plan: dict[str, Any]


class StepBegun(Event, frozen=True, kw_only=True):
    """A step of a plan is in effect: its fault bites, seen from outside (or an operator has done it).

    ``due_s`` is when it was to begin, by the clock or by what was waited for; ``call_s`` when it was begun. ``aims``
    are the roles of its plan as they were at that moment.
    """

    step: str
    due_s: float
    call_s: float
    aims: tuple[str, ...]
    targets: tuple[str, ...]


class StepEnded(Event, frozen=True, kw_only=True):
    """A step of a plan is over, its fault healed, seen from outside."""

    step: str


class StepMissed(Event, frozen=True, kw_only=True):
    """A step of a plan that was never begun: there was nobody to hit, or what it waits for did not happen."""

    step: str
    due_s: float
    reason: str


# --- what the observers see ----------------------------------------------------------------------


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


# --- operations of clients -----------------------------------------------------------------------


class Invoked(Event, frozen=True, kw_only=True):
    """A client is about to send an operation. Written before sending.

    ``node`` is the member it is sent to ("" for whoever has the address), ``connection`` what it is sent through.
    ``due_s`` is when the schedule wanted it sent (None without a schedule): latency counts from there.
    """

    process: Number
    operation: Number
    function: str
    key: str
    value: Any
    node: str = ""
    connection: str = ""
    due_s: float | None = None


class Completed(Event, frozen=True, kw_only=True):
    """How an operation ended. ``unknown`` may have taken effect, or may yet, or never will."""

    process: Number
    operation: Number
    outcome: Literal["ok", "failed", "unknown"]
    value: Any = None
    error: str = ""


class ReadBack(Event, frozen=True, kw_only=True):
    """After the heal: everything one member holds, read from that member itself."""

    node: str
    key: str
    values: tuple[Any, ...]


class ServiceWrote(Event, frozen=True, kw_only=True):
    """A service on a node wrote to a place outside of the cluster. A ``connection`` is one run of it on one node."""

    node: str
    service: str
    connection: int


class ConfigurationSeen(Event, frozen=True, kw_only=True):
    """The digest of a node's configuration, for comparing nodes."""

    node: str
    digest: str


class LeftoversSeen(Event, frozen=True, kw_only=True):
    """After the run: what of it is still on the host (an empty tuple is what we want)."""

    leftovers: tuple[str, ...]
