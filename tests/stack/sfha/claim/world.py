"""Three nodes with an exclusive service, a power switch and disks, wired as in the daemon, in virtual time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.stack.sfha.claim.arbiter import Arbiter
from harness.stack.sfha.claim.messages import Stored
from harness.stack.sfha.config.load import Config, Mesh, MeshNode, Unsafe, Vip
from harness.stack.sfha.config.resources import Check, Resources, Service
from harness.stack.sfha.config.timing import FAST
from harness.stack.sfha.constraints.core import plan
from harness.stack.sfha.fencing.settings import CommandAccess, Safety, Stonith, SwitchedNode
from harness.stack.sfha.fencing.signals import Fencing
from harness.stack.sfha.node.node import Node
from harness.stack.sfha.node.ports import Ports
from harness.stack.sfha.services.core import Started, Stopped
from tests.stack.sfha.node.world import NAMES, VIP, ToyGateError
from tests.stack.sfha.node.world import Cluster as PlainCluster

STONITH = Stonith(
    enabled=True,
    provider="command",
    command=CommandAccess("/bin/power"),
    nodes={name: SwitchedNode() for name in NAMES.values()},
    safety=Safety(grace_s=0, delay_s=2),
)


@dataclass
class Power:
    """The port of one node's arbiter; disk and switch answer when time passes."""

    cluster: "Cluster"
    node: int
    disk: Stored = field(default_factory=Stored)
    told: list[Fencing] = field(default_factory=list)
    forgiven: dict[int, float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """What the program was called with, here."""

    def configure(self, stonith: Stonith) -> None:
        pass

    def claim(self) -> Stored:
        return self.disk

    def history(self) -> Sequence[Fencing]:
        return self.told

    def pardons(self) -> Mapping[int, float]:
        return self.forgiven

    def save_pardons(self, pardons: Mapping[int, float]) -> None:
        self.forgiven = dict(pardons)

    def save_claim(self, stored: Stored) -> None:
        def save() -> None:
            self.disk = stored
            self.cluster.arbiter(self.node).claim_saved(ok=True)

        self.cluster.later.append((self.node, save))

    def save_history(self, history: Sequence[Fencing]) -> None:
        self.told = list(history)

    def power_off(self, node: str) -> None:
        self.asked.append(f"off {node}")
        self.cluster.later.append((self.node, lambda: self._off(node)))

    def _off(self, node: str) -> None:
        if not self.cluster.switch_works:
            self.cluster.arbiter(self.node).switched(node, "no answer")
            return
        number = next(number for number, name in NAMES.items() if name == node)
        self.cluster.dead.add(number)
        self.cluster.powered.discard(number)
        self.cluster.running.discard(number)
        self.cluster.arbiter(self.node).switched(node, "")

    def tell(self, node: str, word: str) -> None:
        self.said.append(f"{word} {node}")
        error = "" if self.cluster.program_works else "no"
        self.cluster.later.append((self.node, lambda: self.cluster.arbiter(self.node).told(node, error, "")))

    def look(self, node: str) -> None:
        number = next(number for number, name in NAMES.items() if name == node)
        off = number not in self.cluster.powered if self.cluster.switch_works else None
        self.cluster.later.append((self.node, lambda: self.cluster.arbiter(self.node).looked(node, off, "")))


@dataclass
class Services:
    """Runs the service at once."""

    cluster: "Cluster"
    node: int

    def configure(self, services: Sequence[Service]) -> None:
        pass

    def start(self, name: str) -> None:
        self.cluster.running.add(self.node)
        self.cluster.later.append((self.node, lambda: self.cluster.nodes[self.node].service_reported(Started(name))))

    def stop(self, name: str, *, kill: bool) -> None:
        def stop() -> None:
            self.cluster.running.discard(self.node)
            self.cluster.nodes[self.node].service_reported(Stopped(name))

        self.cluster.later.append((self.node, stop))

    def probe(self, name: str, round_: int, check: Check) -> None:
        raise AssertionError


class Cluster(PlainCluster):
    """Those nodes, with an exclusive service and fencing."""

    vips: tuple[Vip, ...] = (VIP,)
    stonith = STONITH
    services: tuple[Service, ...] = (Service("db", "process", command=("db",), exclusive=True),)

    def __init__(self) -> None:
        self.later: list[tuple[int, Callable[[], None]]] = []
        self.running: set[int] = set()
        self.powered = set(NAMES)
        self.switch_works = self.program_works = True
        self.power = {number: Power(self, number) for number in NAMES}
        super().__init__()

    def _node(self, number: int, unsafe: Unsafe) -> Node:
        toys = self.toys[number]
        members = {other: MeshNode(other, name, f"10.90.0.{other}") for other, name in NAMES.items()}
        own = members.pop(number)
        names = [service.name for service in self.services]
        resources = Resources(self.services, plan=plan([item.name for item in self.vips], names, []))
        config = Config("demo", own.name, FAST, vips=self.vips, resources=resources, stonith=self.stonith)
        ports = Ports(
            *(lambda: self.now_s, toys.log, toys, toys, ToyGateError, toys, toys.announce),
            services=Services(self, number),
            power=self.power[number],
        )
        node = Node(config, Mesh("key", own, 24, tuple(members.values())), ports, incarnation=number)
        node.start()
        return node

    def arbiter(self, number: int) -> Arbiter:
        arbiter = self.nodes[number].arbiter
        assert arbiter is not None
        return arbiter

    def restart(self, number: int) -> None:
        """The daemon begins anew with what its disk kept."""
        self.nodes[number] = self._node(number, Unsafe())

    def live(self, duration_s: float) -> None:
        """Time passes, and ports answer in between."""
        end_s = self.now_s + duration_s
        while self.now_s < end_s:
            for number, report in self.later[:]:
                self.later.remove((number, report))
                if number not in self.dead:
                    report()
                    self.nodes[number].arbiter_reported()
            self.pass_time(0.001)
            assert len(self.running) <= 1
