"""Makes histories as a reader would tell them: ``story().node_holds("n1", 0, 5).client("c1").answers(0, 5)``.

Times are seconds since the start of the run; the run clock shows ``ZERO_S`` at that moment.
"""

from typing import Any, Self

from msgspec.structs import replace

from harness.events import (
    AddressAdded,
    AddressRemoved,
    Announced,
    ArpAnswered,
    Completed,
    ConfigurationSeen,
    ConnectTried,
    Event,
    Expectation,
    FaultEffective,
    FaultHealed,
    FaultInjected,
    FaultWithoutEffect,
    GateClosed,
    GateInstalled,
    GateOpened,
    Invoked,
    LeftoversSeen,
    MembershipSeen,
    NodeClockMapped,
    NodeStarted,
    NodeStopped,
    Note,
    ObserverStalled,
    ReadBack,
    RosterSeen,
    RunEnded,
    RunStarted,
    SubjectSaid,
    TcpAnswered,
    WatchEnded,
    WatchStarted,
)
from harness.history import History

ZERO_S = 5000.0
VIP = "10.77.1.100"
NODES = ("n1", "n2", "n3")
SITES = {"n1": "dijon", "n2": "thory", "n3": "lyon"}


def mac(node: str) -> str:
    """The MAC of a node."""
    return f"02:00:00:00:00:{ord(node[-1]) % 100:02d}"


class Story:
    """Collects events; every method returns the story, so that they chain."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._operation = 0

    def add(self, *events: Event) -> Self:
        self.events.extend(events)
        return self

    def history(self) -> History:
        return History(self.events)

    # --- the run ---

    def run(self, *, scenario: str = "test_story", votes: dict[str, int] | None = None, **changes: Any) -> Self:
        weights = votes or dict.fromkeys(NODES, 1)
        topology = {
            "name": "three sites",
            "sites": [{"name": site} for site in SITES.values()],
            "nodes": [
                {"name": node, "site": SITES.get(node, node), "votes": count, "id": number}
                for number, (node, count) in enumerate(weights.items(), start=1)
            ],
            "vips": [{"name": "web", "address": VIP}],
            "clients": [{"name": "c1", "place": "wan"}, {"name": "c2", "place": "wan"}],
        }
        fields: dict[str, Any] = {
            "run_id": "r1",
            "promises": (),
            "seed": 7,
            "engine": "local",
            "subject": "sfha",
            "topology": topology,
        }
        return self.add(RunStarted(t_s=ZERO_S, scenario=scenario, **(fields | changes)))

    def ended(self, at: float, outcome: Any = "passed", reason: str = "") -> Self:
        return self.add(RunEnded(t_s=ZERO_S + at, outcome=outcome, reason=reason))

    def note(self, at: float, text: str) -> Self:
        return self.add(Note(t_s=ZERO_S + at, text=text))

    def sabotage(self, *checks: str) -> Self:
        """Make the run one that these checks must catch."""
        self.events = [replace(e, caught_by=checks) if isinstance(e, RunStarted) else e for e in self.events]
        return self

    def expects(self, check: str, **arguments: Any) -> Self:
        return self.add(Expectation(t_s=ZERO_S, check=check, arguments=arguments))

    def left_behind(self, at: float, *leftovers: str) -> Self:
        return self.add(LeftoversSeen(t_s=ZERO_S + at, leftovers=leftovers))

    # --- nodes and faults ---

    def power(self, node: str, on: float, off: float | None = None, *, how: Any = "power-cut", boot: int = 1) -> Self:
        self.add(NodeStarted(t_s=ZERO_S + on, node=node, boot=boot, mac=mac(node)))
        return self if off is None else self.add(NodeStopped(t_s=ZERO_S + off, node=node, how=how))

    def fault(self, kind: str, *targets: str, at: float, until: float | None, bites: bool | None = True) -> Self:
        fault_id = f"{kind}-{at}"
        self.add(FaultInjected(t_s=ZERO_S + at, fault_id=fault_id, fault=kind, targets=targets))
        if bites:
            self.add(FaultEffective(t_s=ZERO_S + at + 0.002, fault_id=fault_id, call_s=ZERO_S + at, evidence="seen"))
        elif bites is False:
            self.add(FaultWithoutEffect(t_s=ZERO_S + at + 0.1, fault_id=fault_id, evidence="a canary arrived"))
        if until is not None:
            self.add(FaultHealed(t_s=ZERO_S + until + 0.002, fault_id=fault_id, call_s=ZERO_S + until, evidence="seen"))
        return self

    # --- what observers see ---

    def node_holds(self, node: str, since: float, until: float | None, address: str = VIP) -> Self:
        self.add(AddressAdded(t_s=ZERO_S + since, node=node, address=address, interface="eth0"))
        if until is None:
            return self
        return self.add(AddressRemoved(t_s=ZERO_S + until, node=node, address=address, interface="eth0"))

    def gate(self, node: str, *, installed: float, opened: tuple[tuple[float, float], ...] = ()) -> Self:
        self.add(GateInstalled(t_s=ZERO_S + installed, node=node, address=VIP))
        for at, until in opened:
            self.add(GateOpened(t_s=ZERO_S + at, node=node, address=VIP, until_s=ZERO_S + until))
        return self

    def gate_closed(self, node: str, at: float) -> Self:
        return self.add(GateClosed(t_s=ZERO_S + at, node=node, address=VIP))

    def own_clock(self, node: str, error_s: float) -> Self:
        """The node has a clock of its own, and what it says may be off by so much."""
        return self.add(NodeClockMapped(t_s=ZERO_S, node=node, offset_s=12.5, error_s=error_s))

    def stalled(self, at: float, gap: float) -> Self:
        return self.add(ObserverStalled(t_s=ZERO_S + at, gap_s=gap))

    def watched(self, since: float, until: float | None, *nodes: str) -> Self:
        for node in nodes or NODES:
            self.add(WatchStarted(t_s=ZERO_S + since, what="addresses", target=node))
            if until is not None:
                self.add(WatchEnded(t_s=ZERO_S + until, what="addresses", target=node))
        return self

    def sees(self, at: float, members: str, *nodes: str, quorate: bool = True) -> Self:
        """Each of ``nodes`` (by default the members) reports these members, written "n1 n2 n3"."""
        names = tuple(members.split())
        for node in nodes or names:
            self.add(MembershipSeen(t_s=ZERO_S + at, node=node, quorate=quorate, members=names, ring=f"r{at}"))
        return self

    def roster(self, at: float, epoch: int, node: str = "n1", **votes: int) -> Self:
        """On a node's disk: who votes from now on."""
        return self.add(RosterSeen(t_s=ZERO_S + at, node=node, epoch=epoch, votes=votes))

    def answers_arp(self, node: str, since: float, until: float, *, client: str = "c2", every: float = 0.01) -> Self:
        for at in _steps(since, until, every):
            self.add(ArpAnswered(t_s=ZERO_S + at, client=client, address=VIP, mac=mac(node), node=node))
        return self

    def answers_tcp(self, node: str, since: float, until: float, *, client: str = "c1", every: float = 0.01) -> Self:
        for at in _steps(since, until, every):
            self.add(TcpAnswered(t_s=ZERO_S + at, client=client, address=VIP, mac=mac(node), node=node))
        return self

    def announced(self, node: str, at: float) -> Self:
        return self.add(
            Announced(t_s=ZERO_S + at, client="c1", address=VIP, mac=mac(node), node=node, form="request"),
            Announced(t_s=ZERO_S + at, client="c1", address=VIP, mac=mac(node), node=node, form="reply"),
        )

    def connects(
        self, client: str, since: float, until: float, *, ok: bool, every: float = 0.01, takes: float | None = None
    ) -> Self:
        lasts = takes if takes is not None else 0.0003 if ok else 0.3
        for at in _steps(since, until, every):
            sent = ZERO_S + at
            error = "" if ok else "timeout"
            self.add(
                ConnectTried(
                    t_s=sent + lasts, client=client, address=VIP, port=80, due_s=sent, sent_s=sent, ok=ok, error=error
                )
            )
        return self

    def said(self, node: str, at: float, event: str, **fields: Any) -> Self:
        return self.add(SubjectSaid(t_s=ZERO_S + at, node=node, event=event, fields=fields))

    def configured(self, at: float, **digests: str) -> Self:
        return self.add(*(ConfigurationSeen(t_s=ZERO_S + at, node=n, digest=d) for n, d in digests.items()))

    # --- operations ---

    def write(
        self,
        at: float,
        value: Any,
        outcome: Any = "ok",
        *,
        key: str = "ledger",
        takes: float = 0.005,
        through: str = "",
    ) -> Self:
        self._operation += 1
        who: dict[str, Any] = {"process": self._operation % 3, "operation": self._operation}
        self.add(Invoked(t_s=ZERO_S + at, function="write", key=key, value=value, connection=through, **who))
        if outcome is None:
            return self
        return self.add(Completed(t_s=ZERO_S + at + takes, outcome=outcome, **who))

    def due(self, at: float, takes: float, *, key: str = "register") -> Self:
        """A write that was due at an instant, and was acknowledged so long afterwards."""
        self._operation += 1
        who: dict[str, Any] = {"process": 1, "operation": self._operation}
        due_s = ZERO_S + at
        self.add(Invoked(t_s=due_s, function="write", key=key, value=self._operation, due_s=due_s, **who))
        return self.add(Completed(t_s=due_s + takes, outcome="ok", **who))

    def reads_back(self, at: float, node: str, *values: Any, key: str = "ledger") -> Self:
        return self.add(ReadBack(t_s=ZERO_S + at, node=node, key=key, values=values))


def _steps(since: float, until: float, every: float) -> list[float]:
    count = round((until - since) / every)
    return [since + number * every for number in range(count)]


def story() -> Story:
    """A history to be told."""
    return Story()


def failover(*, gratuitous_arp: bool = True) -> Story:
    """The holder is killed at 3 s, n2 takes over at 3.7 s, n1 returns at 6 s; ends well at 10 s."""
    told = story().run(scenario="test_holder_is_killed", promises=("S1-36", "S1-37"))
    told.power("n1", 0.0, 3.0).power("n1", 6.0, boot=2).power("n2", 0.0).power("n3", 0.0)
    told.watched(0.02, None, "n2", "n3").watched(0.02, 3.0, "n1").watched(6.02, None, "n1")
    told.sees(0.9, "n1 n2 n3").sees(3.65, "n2 n3").sees(7.1, "n1 n2 n3")
    told.fault("kill", "n1", at=2.998, until=6.0)
    told.gate("n1", installed=0.1, opened=((1.0, 3.02),)).gate("n2", installed=0.1, opened=((3.69, 10.2),))
    told.node_holds("n1", 1.0, 3.001).node_holds("n2", 3.691, None)
    told.said("n2", 3.66, "leader-elected").said("n2", 3.689, "lease-acquired").said("n2", 3.692, "vip-added")
    if gratuitous_arp:
        told.announced("n1", 1.001).announced("n2", 3.693).announced("n2", 3.743)
    told.connects("c1", 1.2, 3.0, ok=True).connects("c1", 3.0, 3.7, ok=False).connects("c1", 3.7, 9.5, ok=True)
    told.answers_arp("n1", 1.2, 3.0).answers_arp("n2", 3.7, 9.5)
    for number in range(150):
        at = 1.3 + number * 0.05
        told.write(at, number, "unknown" if 3.0 <= at < 3.72 else "ok")
    for node in NODES:
        told.reads_back(9.6, node, *range(150))
    told.configured(9.7, n1="a" * 64, n2="a" * 64, n3="a" * 64)
    told.note(3.0, "the holder loses power").left_behind(10.1).ended(10.0)
    return told
