"""Three nodes, wired as in the daemon, in virtual time: the ports are toys, everything else is real."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.stack.sfha.config.load import Config, Mesh, MeshNode, Unsafe, Vip
from harness.stack.sfha.config.timing import FAST
from harness.stack.sfha.lease.core import GateCall
from harness.stack.sfha.membership.core import Report
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
