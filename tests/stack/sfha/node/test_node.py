"""Three nodes, wired as in the daemon, in virtual time: the ports are toys, everything else is real."""

import errno
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from harness.stack.sfha.config.load import Config, Mesh, MeshNode, Unsafe, Vip
from harness.stack.sfha.config.timing import FAST
from harness.stack.sfha.lease.core import GateCall
from harness.stack.sfha.membership.core import DISCONNECTED, Report
from harness.stack.sfha.node.node import Node
from harness.stack.sfha.node.ports import Ports
from harness.stack.sfha.vips.interface import Link
from harness.stack.sfha.vips.orders import Answer, Order, Removal, Withdrawals
from tests.stack.sfha.lease.world import Kernel

VIP = Vip("web", "10.0.0.100", 24, "eth0")
NAMES = {1: "n1", 2: "n2", 3: "n3"}


class ToyGateError(Exception):
    """The kernel refused."""


@dataclass
class ToyLinks:
    """What a kernel would say; ``unread`` is news that nobody has taken yet."""

    links: dict[str, Link] = field(default_factory=lambda: {"eth0": Link(2)})
    own: set[str] = field(default_factory=set)
    ways_lost: set[str] = field(default_factory=set)
    unread: bool = False

    def read(self) -> bool:
        unread, self.unread = self.unread, False
        return unread

    def link(self, name: str) -> Link | None:
        return self.links.get(name)

    def exists(self, index: int) -> bool:
        return any(link.index == index for link in self.links.values())

    def is_lasting(self, address: str) -> bool:
        return address in self.own

    def has_lost_way(self, interface: str, address: str) -> bool:
        return interface in self.ways_lost


@dataclass
class Toys:
    """One node's ports: a kernel gate, an address table and a wire, all of them in memory."""

    cluster: "Cluster"
    node: int
    kernel: Kernel = field(default_factory=lambda: Kernel(FAST.lease_s, 1.0))
    egress: bool | None = True
    present: set[tuple[str, int]] = field(default_factory=set)
    announced: list[float] = field(default_factory=list)
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    address_error: int = 0
    removal_error: bool = False
    gate_broken: str = ""
    links: ToyLinks = field(default_factory=ToyLinks)
    orders: deque[Order] = field(default_factory=deque)
    busy: bool = False
    """Whether others have the kernel's lock: what has begun ends late, and all else waits."""
    begun: Order | None = None
    withdrawals: Withdrawals = field(default_factory=Withdrawals)

    def log(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    def send(self, to: int | None, datagram: bytes) -> None:
        for other in NAMES:
            if other != self.node and to in (None, other):
                self.cluster.wire.append((self.node, other, datagram))

    def _execute(self, call: GateCall) -> bool:
        if self.gate_broken:
            raise ToyGateError(self.gate_broken)
        return self.kernel.execute(call, self.cluster.now_s)

    def put_up(self) -> None:
        self._execute(GateCall.CLOSE)

    def follow(self) -> None:
        if self.gate_broken:
            raise ToyGateError(self.gate_broken)

    def reconfigure(self, addresses: Sequence[str], interfaces: Sequence[str]) -> None:
        if self.gate_broken:
            raise ToyGateError(self.gate_broken)

    def arm(self) -> None:
        self._execute(GateCall.ARM)

    def open(self) -> bool:
        return self._execute(GateCall.OPEN)

    def renew(self) -> bool:
        return self._execute(GateCall.RENEW)

    def close(self) -> None:
        self._execute(GateCall.CLOSE)

    def order(self, order: Order) -> None:
        self.withdrawals.note(order)
        self.orders.append(order)

    def carry_out(self) -> None:
        """What the thread of the orders does meanwhile."""
        while True:
            if self.begun is None:
                if not self.orders:
                    return
                order = self.orders.popleft()
                objection = self.withdrawals.objection(order, self.cluster.now_s)
                if objection is not None:
                    self._answer(Answer(order, objection))
                    continue
                self.begun = order
            if self.busy:
                return
            order, self.begun = self.begun, None
            self._answer(self._executed(order))

    def _executed(self, order: Order) -> Answer:
        here = order.address, order.prefix
        if isinstance(order, Removal):
            if self.removal_error:
                return Answer(order, "busy")
            self.present.discard(here)
        elif self.address_error:
            return Answer(order, f"Operation not permitted (errno {self.address_error})")
        else:
            self.present.add(here)
        return Answer(order)

    def _answer(self, answer: Answer) -> None:
        self.cluster.nodes[self.node].address_answered(answer)

    def clear(self, interface: str, address: str) -> bool:
        found = {one for one in self.present if one[0] == address}
        self.present -= found
        return bool(found)

    def announce(self, interface: str, address: str) -> None:
        self.announced.append(self.cluster.now_s)

    def names(self) -> list[str]:
        return [event for event, _ in self.events]


class Cluster:
    """Three nodes and the time they live in."""

    def __init__(self, unsafe: Unsafe | None = None) -> None:
        self.now_s = 100.0
        self.wire: list[tuple[int, int, bytes]] = []
        self.dead: set[int] = set()
        self.toys = {number: Toys(self, number) for number in NAMES}
        self.nodes = {number: self._node(number, unsafe or Unsafe()) for number in NAMES}

    def _node(self, number: int, unsafe: Unsafe) -> Node:
        toys = self.toys[number]
        members = {other: MeshNode(other, name, f"10.90.0.{other}") for other, name in NAMES.items()}
        own = members.pop(number)
        config = Config("demo", own.name, FAST, vips=(VIP,), unsafe=unsafe)
        mesh = Mesh("key", own, 24, tuple(members.values()))
        ports = Ports(lambda: self.now_s, toys.log, toys, toys, ToyGateError, toys, toys.announce, links=toys.links)
        node = Node(config, mesh, ports, incarnation=number)
        node.start()
        return node

    def view(self, members: set[int], *, ring: int, of: set[int] | None = None) -> None:
        """Corosync reports the same partition to its members (or to some of them)."""
        for number in of or members:
            self.nodes[number].membership_reported(Report(len(members) > 1, ring, frozenset(members)))

    def pass_time(self, duration_s: float) -> None:
        end_s = self.now_s + duration_s
        while self.now_s < end_s:
            while self.wire:
                sender, to, datagram = self.wire.pop(0)
                if to not in self.dead and sender not in self.dead:
                    self.nodes[to].datagram(sender, datagram)
            for number, node in self.nodes.items():
                if number not in self.dead:
                    self.toys[number].carry_out()
                if number not in self.dead and node.wake_s <= self.now_s:
                    node.wake()
            if not self.wire:
                self.now_s += 0.001

    def wake(self, number: int) -> None:
        """Let a node live on that the others do not hear."""
        self.toys[number].carry_out()
        self.nodes[number].wake()

    def holders(self) -> list[int]:
        """Where the gate is open and the address present."""
        return [
            number
            for number, toys in self.toys.items()
            if toys.kernel.open_until_s > self.now_s and (VIP.address, VIP.prefix) in toys.present
        ]


@pytest.fixture
def cluster() -> Cluster:
    """Up, quorate, with the address on node 1."""
    cluster = Cluster()
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(1.0)
    assert cluster.holders() == [1]
    return cluster


def test_the_address_is_up_at_once_when_quorum_comes() -> None:
    cluster = Cluster()
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(0.002)
    assert cluster.holders() == [1]
    assert cluster.toys[1].names()[-6:] == [
        "leader-elected",
        "lease-requested",
        "lease-acquired",
        "vip-added",
        "vip-announced",
        "resources-activated",
    ]


def test_nothing_is_held_before_quorum() -> None:
    cluster = Cluster()
    cluster.pass_time(1.0)
    cluster.view({1}, ring=4)
    cluster.pass_time(1.0)
    assert cluster.holders() == []


def test_standby_moves_the_address_at_once_and_back(cluster: Cluster) -> None:
    cluster.nodes[1].set_standby(True)
    cluster.pass_time(0.003)
    assert cluster.holders() == [2]
    cluster.nodes[1].set_standby(False)
    cluster.pass_time(0.003)
    assert cluster.holders() == [1]


def test_a_graceful_stop_moves_the_address_at_once(cluster: Cluster) -> None:
    cluster.nodes[1].stop()
    cluster.pass_time(0.003)
    assert cluster.holders() == [2]
    assert cluster.toys[1].names()[-1] == "vip-released"
    assert not cluster.nodes[1].letting_go


@pytest.mark.parametrize("corosync_says_so", [False, True])
def test_a_dead_holder_is_followed_as_soon_as_its_promises_have_run_out(
    cluster: Cluster, corosync_says_so: bool
) -> None:
    """Corosync's token takes twice as long to notice; where it is quicker, the promises are waited for all the same."""
    cluster.dead.add(1)
    cluster.pass_time(0.02)
    if corosync_says_so:
        cluster.view({2, 3}, ring=12)
    cluster.pass_time(FAST.promise_s - FAST.renew_every_s - 0.03)
    assert cluster.holders() == []
    cluster.pass_time(FAST.renew_every_s + 0.02)
    assert cluster.holders() == [2]
    cluster.view({2, 3}, ring=12)
    cluster.pass_time(2.0)
    assert cluster.holders() == [2]
    assert cluster.toys[2].names().count("lease-acquired") == 1


def frozen(cluster: Cluster, duration_s: float) -> None:
    """Node 1 does nothing, and finds afterwards what was sent to it meanwhile."""
    cluster.dead.add(1)
    buffered: list[tuple[int, int, bytes]] = []
    end_s = cluster.now_s + duration_s
    while cluster.now_s < end_s:
        buffered += [item for item in cluster.wire if item[1] == 1]
        cluster.wire = [item for item in cluster.wire if item[1] != 1]
        cluster.pass_time(0.001)
    cluster.dead.clear()
    cluster.wire = buffered + cluster.wire


@pytest.mark.parametrize("away_s", [FAST.promise_s + 0.05, 0.5, 0.7])
def test_a_holder_that_was_away_for_less_than_corosync_needs_leads_again_when_its_ring_is_safe(
    cluster: Cluster, away_s: float
) -> None:
    frozen(cluster, away_s)
    assert cluster.holders() == [2]
    cluster.pass_time(FAST.ring_decided_within_s - 0.05)
    assert cluster.holders() == [2]
    assert {node.status().leader for node in cluster.nodes.values()} == {2}, "the one that was away included"
    cluster.pass_time(0.1)
    assert cluster.holders() == [1]
    for toys in cluster.toys.values():
        assert toys.names().count("lease-acquired") <= 2


def test_a_holder_that_was_away_and_loses_its_ring_after_that_costs_one_fail_over(cluster: Cluster) -> None:
    frozen(cluster, 0.5)
    cluster.pass_time(0.1)
    cluster.view({2, 3}, ring=12)
    cluster.view({1}, ring=12)
    for _ in range(600):
        cluster.pass_time(0.001)
        assert cluster.holders() == [2]
    cluster.view({1, 2, 3}, ring=16)
    cluster.pass_time(FAST.heartbeat_s + 0.05)
    assert cluster.holders() == [1]


def test_nobody_waits_for_who_was_away_where_the_others_cannot_hold_the_lease(cluster: Cluster) -> None:
    """Two of three are gone for some time: the third says that it leads, and has no majority."""
    cluster.dead.add(3)
    frozen_until_s = cluster.now_s + 0.5
    frozen(cluster, 0.5)
    cluster.dead.add(3)
    assert cluster.now_s >= frozen_until_s
    assert cluster.holders() == []
    cluster.pass_time(FAST.renew_every_s + 0.01)
    assert cluster.holders() == [1]


def test_who_holds_nothing_is_not_missed_before_its_time() -> None:
    """Without anything to hold there are heartbeats only, at a fraction of the rate of requests."""
    cluster = Cluster()
    for node in cluster.nodes.values():
        node.reconfigure(Config("demo", node.name, FAST))
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(3.0)
    elected = [fields["leader"] for event, fields in cluster.toys[3].events if event == "leader-elected"]
    assert elected[-1] == 1
    assert len(elected) <= 3


def test_a_cut_off_holder_goes_dark_before_the_others_can_take_over(cluster: Cluster) -> None:
    cluster.dead.add(1)  # its datagrams do not pass, but it lives on
    for _ in range(400):
        cluster.now_s += 0.001
        cluster.wake(1)
        cluster.nodes[2].wake()
        cluster.nodes[3].wake()
        cluster.wire = [item for item in cluster.wire if 1 not in item[:2]]
    assert cluster.holders() == []
    assert "lease-lost" in cluster.toys[1].names()
    assert not cluster.toys[1].present


def test_a_peer_that_left_was_still_heard_through_the_tunnel(cluster: Cluster) -> None:
    """So its keys are known to work, and are not thrown away while it is cut off."""
    assert cluster.nodes[1].heard_s_ago(9) is None
    cluster.dead.add(3)
    cluster.view({1, 2}, ring=3)
    cluster.pass_time(2.0)
    silent_s = cluster.nodes[1].heard_s_ago(3)
    assert silent_s is not None
    assert silent_s == pytest.approx(2.0, abs=FAST.heartbeat_s)


def test_losing_corosync_is_losing_everything_at_once(cluster: Cluster) -> None:
    cluster.nodes[1].membership_reported(DISCONNECTED)
    assert cluster.holders() == []
    cluster.toys[1].carry_out()
    assert not cluster.toys[1].present


def test_a_hung_daemon_is_noticed_though_its_corosync_lives(cluster: Cluster) -> None:
    cluster.dead.add(1)
    cluster.pass_time(FAST.suspect_after_s + 0.1)
    assert cluster.holders() == [2]
    cluster.dead.clear()
    cluster.pass_time(0.2 + FAST.ring_decided_within_s)
    assert cluster.holders() == [1]


def test_a_refused_address_is_never_called_active(cluster: Cluster) -> None:
    toys = cluster.toys[2]
    toys.address_error = errno.EPERM
    cluster.nodes[1].set_standby(True)
    cluster.pass_time(0.5)
    assert ("activation-failed", {"vip": "web", "error": "Operation not permitted (errno 1)"}) in toys.events
    assert toys.names().count("activation-failed") == 1
    assert "resources-activated" not in toys.names()
    assert cluster.nodes[2].status().vips[0].error == "Operation not permitted (errno 1)"
    toys.address_error = 0
    cluster.pass_time(0.1)
    assert cluster.holders() == [2]


def test_a_broken_gate_means_no_address_and_says_why(cluster: Cluster) -> None:
    cluster.toys[2].gate_broken = "Error: Operation not permitted"
    cluster.nodes[1].set_standby(True)
    cluster.pass_time(0.5)
    assert cluster.holders() == []
    messages = [fields["message"] for event, fields in cluster.toys[2].events if event == "warning"]
    assert messages == ["Error: Operation not permitted"]


def test_an_address_left_over_from_an_earlier_life_is_removed_and_others_are_not() -> None:
    cluster = Cluster()
    toys = cluster.toys[1]
    toys.present = {(VIP.address, 32), ("10.0.0.10", 24)}
    cluster.nodes[1].start()
    assert toys.present == {("10.0.0.10", 24)}


def test_a_lease_is_renewed_and_heartbeats_are_taken_without_a_look_at_everything(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done many times a second has to stay cheap: only what is due, and what says something new."""
    looks: list[int] = []
    decide = Node._decide

    def counted(node: Node) -> None:
        looks.append(node._node_id)
        decide(node)

    monkeypatch.setattr(Node, "_decide", counted)
    before = cluster.nodes[1]._lease.number
    cluster.pass_time(2.0)
    assert cluster.nodes[1]._lease.number - before > 2.0 / FAST.renew_every_s * 0.8
    assert len(looks) <= len(NAMES) * 2.0 / FAST.heartbeat_s * 1.2
    looks.clear()
    cluster.nodes[3].set_standby(True)
    cluster.pass_time(0.01)
    assert set(looks) == set(NAMES)


def test_a_healed_network_is_announced_to(cluster: Cluster) -> None:
    cluster.view({1, 2}, ring=12)
    cluster.pass_time(3.0)
    before = len(cluster.toys[1].announced)
    cluster.view({1, 2, 3}, ring=16)
    assert len(cluster.toys[1].announced) == before + 1


def test_without_the_quorum_guard_a_lonely_node_takes_the_address() -> None:
    cluster = Cluster(Unsafe(quorum_guard=False))
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(0.5)
    cluster.dead.add(1)
    cluster.nodes[1].membership_reported(Report(False, 12, frozenset({1})))
    cluster.view({2, 3}, ring=12)
    for _ in range(100):
        cluster.pass_time(0.002)
        cluster.wake(1)
    assert cluster.holders() == [1, 2]


def test_without_release_on_loss_the_old_holder_keeps_the_address() -> None:
    cluster = Cluster(Unsafe(release_on_loss=False))
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(0.5)
    cluster.dead.add(1)
    cluster.nodes[1].membership_reported(Report(False, 12, frozenset({1})))
    for _ in range(100):
        cluster.pass_time(0.002)
        cluster.wake(1)
    assert cluster.holders() == [1]
    cluster.view({2, 3}, ring=12)
    for _ in range(100):
        cluster.pass_time(0.002)
        cluster.wake(1)
    for _ in range(20):
        cluster.pass_time(0.002)
        cluster.wake(1)
    assert cluster.holders() == [1, 2]
    warnings = [fields["message"] for event, fields in cluster.toys[1].events if event == "warning"]
    assert any("release_on_loss" in str(message) for message in warnings)
