"""Services and leadership on three nodes in virtual time: in order, one node at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from harness.stack.sfha.config.resources import Check, Resources, Service
from harness.stack.sfha.constraints.core import Order, plan
from harness.stack.sfha.membership.core import DISCONNECTED
from harness.stack.sfha.services.core import Ended, Started, Stopped
from tests.stack.sfha.node.world import NAMES, Cluster

STOP_S = 0.4


@dataclass
class ToyServices:
    """Starts at once; a stop takes its time, unless it is a kill."""

    cluster: Cluster
    node: int
    running: set[str] = field(default_factory=set)
    due: list[tuple[float, str, str]] = field(default_factory=list)
    history: list[str] = field(default_factory=list)

    def configure(self, services: Sequence[Service]) -> None:
        """Nothing to prepare."""

    def start(self, name: str) -> None:
        self.running.add(name)
        self.history.append(f"start {name}")
        self.due.append((self.cluster.now_s, "started", name))

    def stop(self, name: str, *, kill: bool) -> None:
        self.history.append(f"{'kill' if kill else 'stop'} {name}")
        self.due.append((self.cluster.now_s + (0 if kill else STOP_S), "stopped", name))

    def probe(self, name: str, round_: int, check: Check) -> None:
        """No checks here."""

    def report(self) -> None:
        for due in [one for one in self.due if one[0] <= self.cluster.now_s]:
            self.due.remove(due)
            _, what, name = due
            if what == "stopped":
                self.running.discard(name)
            self.cluster.nodes[self.node].service_reported(Started(name) if what == "started" else Stopped(name))


@dataclass
class World:
    """A settled cluster with services."""

    cluster: Cluster
    services: dict[int, ToyServices]

    def pass_time(self, duration_s: float) -> None:
        end_s = self.cluster.now_s + duration_s
        while self.cluster.now_s < end_s:
            self.cluster.pass_time(0.001)
            for number, one in self.services.items():
                if number not in self.cluster.dead:
                    one.report()

    def where(self, name: str) -> list[int]:
        return [number for number, one in self.services.items() if name in one.running]


@pytest.fixture
def world() -> World:
    cluster = Cluster()
    services = {number: ToyServices(cluster, number) for number in NAMES}
    found = (
        Service("app", "process", command=("app",), critical=True),
        Service("base", "process", command=("base",)),
    )
    constraints = (Order("base", "app"),)
    resources = Resources(found, (), constraints, plan(["web"], ["app", "base"], constraints))
    for number, node in cluster.nodes.items():
        node._ports = replace(node._ports, services=services[number])
        node.reconfigure(replace(node._config, resources=resources))
    world = World(cluster, services)
    world.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    world.pass_time(1.0)
    assert world.where("app") == [1]
    assert services[1].history == ["start base", "start app"]
    return world


def test_standby_stops_services_in_reverse_and_then_hands_the_address_over(world: World) -> None:
    world.cluster.nodes[1].set_standby(True)
    world.pass_time(STOP_S + 0.1)
    assert world.services[1].history[2:] == ["stop app", "stop base"]
    assert world.cluster.holders() == [1]
    assert world.cluster.nodes[3].status().leader == 1
    assert world.where("base") == [1]
    world.pass_time(STOP_S)
    assert world.cluster.holders() == [2]
    assert world.where("app") == world.where("base") == [2]
    assert "lease-expired" not in world.cluster.toys[1].names()


def test_a_wish_made_anywhere_is_honoured_and_ends(world: World) -> None:
    world.cluster.nodes[2].wish(3, 5.0)
    world.pass_time(2 * STOP_S + 0.3)
    assert world.cluster.holders() == world.where("app") == [3]
    assert {node.status().leader for node in world.cluster.nodes.values()} == {3}
    world.pass_time(5.0)
    assert world.cluster.holders() == world.where("app") == [1]


def test_a_hand_over_that_is_taken_back_has_the_services_run_again(world: World) -> None:
    world.cluster.nodes[1].set_standby(True)
    world.pass_time(STOP_S / 2)
    assert world.services[1].history[2:] == ["stop app"]
    world.cluster.nodes[1].set_standby(False)
    world.pass_time(STOP_S)
    assert world.cluster.holders() == world.where("app") == world.where("base") == [1]


def test_a_critical_service_that_fails_twice_moves_and_stays_away(world: World) -> None:
    for _ in range(2):
        world.services[1].running.discard("app")
        world.cluster.nodes[1].service_reported(Ended("app", "gone"))
        world.pass_time(0.2)
    world.pass_time(STOP_S + 0.2)
    assert world.cluster.holders() == world.where("app") == [2]
    assert world.cluster.nodes[1].status().ailing
    world.cluster.nodes[1].set_standby(False)  # an administrator says that it is well
    world.pass_time(2 * STOP_S + 0.2)
    assert world.cluster.holders() == world.where("app") == [1]


def test_where_no_node_is_well_the_lowest_goes_on_trying(world: World) -> None:
    for number in (1, 2, 3):
        world.cluster.nodes[number].workload._give_up("app", "gone", world.cluster.now_s)  # type: ignore[union-attr]
        world.cluster.nodes[number].wake()
    world.pass_time(2 * STOP_S + 1.0)
    assert world.cluster.holders() == [1]


def test_a_lost_quorum_takes_the_address_at_once_and_the_services_after_it(world: World) -> None:
    world.cluster.nodes[1].membership_reported(DISCONNECTED)
    assert world.cluster.holders() == []
    world.pass_time(2 * STOP_S + 0.1)
    assert 1 not in world.where("app")
    assert 1 not in world.where("base")


def test_a_stop_of_the_daemon_hands_over_in_order(world: World) -> None:
    assert not world.cluster.nodes[1].leave()
    world.pass_time(2 * STOP_S + 0.1)
    assert world.cluster.nodes[1].leave()
    assert world.cluster.holders() == world.where("app") == [2]


def test_the_gate_guards_a_removed_address_until_it_is_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    node, toys = world.cluster.nodes[1], world.cluster.toys[1]
    config, guarded = node._config, list[tuple[str, ...]]()
    second = replace(config.vips[0], name="second", address="10.0.0.10")
    node.reconfigure(replace(config, vips=(*config.vips, second)))
    world.pass_time(0.1)
    monkeypatch.setattr(toys, "reconfigure", lambda addresses, _interfaces: guarded.append(tuple(sorted(addresses))))
    toys.busy = True
    node.reconfigure(config)
    world.pass_time(0.5)
    assert guarded == [("10.0.0.10", "10.0.0.100", "10.0.0.100")]
    toys.busy = False
    world.pass_time(0.01)
    assert guarded[1:] == [("10.0.0.100",)]
    assert toys.present == {("10.0.0.100", 24)}


def test_addresses_come_and_go_and_the_first_one_notices_nothing(world: World) -> None:
    node, toys = world.cluster.nodes[1], world.cluster.toys[1]
    config = node._config
    second = replace(config.vips[0], name="second", address="10.0.0.10")
    before = toys.names().count("vip-released")
    node.reconfigure(replace(config, vips=(*config.vips, second)))
    assert ("10.0.0.10", 24) not in toys.present  # the gate is not open for it yet
    world.pass_time(0.1)
    assert {vip.name: vip.held for vip in node.status().vips} == {"web": True, "second": True}
    node.reconfigure(config)
    world.pass_time(0.001)
    assert toys.present == {("10.0.0.100", 24)}
    assert toys.names().count("vip-released") == before + 1
    assert world.where("app") == [1]
    assert world.services[1].history == ["start base", "start app"]
