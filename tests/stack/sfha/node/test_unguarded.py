"""An address that the lease cannot guard: it is on another node only when that one is certain to have lost it."""

import random
from collections import deque
from pathlib import Path

import pytest

from harness.stack.sfha.config.load import ConfigError, Vip, load_config
from harness.stack.sfha.vips.leased_addresses import LeasedAddresses
from harness.stack.sfha.vips.orders import Put
from tests.stack.sfha.claim.world import Cluster as FencedCluster
from tests.stack.sfha.node.world import NAMES, VIP

LOOSE = Vip("loose", "10.0.0.101", 24, "eth0", guarded=False)


class Cluster(FencedCluster):
    """One address under the lease and one without; no services."""

    vips = (VIP, LOOSE)
    services = ()

    def loose(self) -> list[int]:
        """Where it answers: whatever has power and the address does so, alive or not."""
        return [
            number
            for number, toys in self.toys.items()
            if number in self.powered and (LOOSE.address, LOOSE.prefix) in toys.present
        ]

    def live(self, duration_s: float) -> None:
        for _ in range(round(duration_s / 0.01)):
            super().live(0.01)
            assert len(self.loose()) <= 1


@pytest.fixture
def cluster() -> Cluster:
    """Up, quorate, both addresses on node 1."""
    cluster = Cluster()
    cluster.live(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.live(1.0)
    assert cluster.holders() == [1]
    assert cluster.loose() == [1]
    return cluster


def status_of(cluster: Cluster, node: int) -> dict[str, tuple[bool, str | None]]:
    return {one.name: (one.held, one.error) for one in cluster.nodes[node].status().vips}


def test_a_frozen_leader_is_fenced_before_the_address_moves(cluster: Cluster) -> None:
    cluster.dead.add(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(1.9)
    assert cluster.holders() == [2]
    assert cluster.loose() == [1]
    held, why = status_of(cluster, 2)["loose"]
    assert not held
    assert why is not None
    assert "stonith status" in why
    assert status_of(cluster, 2)["web"] == (True, None)
    cluster.live(0.3)
    assert cluster.power[2].asked == ["off n1"]
    assert cluster.loose() == [2]
    assert status_of(cluster, 2)["loose"] == (True, None)


def test_while_fencing_fails_it_stays_where_it_may_be(cluster: Cluster) -> None:
    cluster.switch_works = False
    cluster.dead.add(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(20)
    assert cluster.holders() == [2]
    assert cluster.loose() == [1]


def test_standby_moves_it_at_once(cluster: Cluster) -> None:
    cluster.nodes[1].set_standby(True)
    cluster.live(0.2)
    assert cluster.loose() == [2]
    assert cluster.power[2].asked == []


def test_whoever_cannot_take_it_away_does_not_say_that_it_is_gone(
    cluster: Cluster,
) -> None:
    cluster.toys[1].removal_error = True
    cluster.nodes[1].set_standby(True)
    cluster.live(1)
    assert cluster.loose() == [1]


def test_without_fencing_it_is_refused() -> None:
    text = "cluster: {name: demo}\nnode: {name: n1}\nvips:\n- {name: a, ip: 10.0.0.1/24, lease: false}\n"
    with pytest.raises(ConfigError) as error:
        load_config(Path("config.yml"), text)
    assert str(error.value).startswith("config.yml:4: vips[0].lease: ")
    switched = "stonith: {enabled: true, provider: command, command: {program: /bin/true}, nodes: {n1: {}}}\n"
    assert not load_config(Path("config.yml"), text + switched).vips[0].guarded


def test_an_add_that_the_kernel_is_still_busy_with_has_to_be_seen_to_go(cluster: Cluster) -> None:
    """No gate keeps it closed: node 1 does not say that it has lost it before the kernel has taken it away."""
    cluster.nodes[1].set_standby(True)
    cluster.live(0.2)
    assert cluster.loose() == [2]
    toys = cluster.toys[1]
    toys.busy = True
    cluster.nodes[1].set_standby(False)
    cluster.live(0.2)
    assert isinstance(toys.begun, Put)
    cluster.nodes[1].set_standby(True)
    cluster.live(0.5)
    assert cluster.holders() == [2]
    assert cluster.loose() == []
    toys.busy = False
    cluster.live(0.2)
    assert cluster.loose() == [2]


def test_a_stop_lets_the_others_know_when_it_is_gone(cluster: Cluster) -> None:
    toys = cluster.toys[1]
    toys.busy = True
    cluster.nodes[1].stop()
    cluster.live(0.5)
    assert cluster.nodes[1].letting_go
    assert cluster.loose() == [1]
    assert cluster.holders() == [2]
    toys.busy = False
    cluster.live(0.2)
    assert not toys.orders
    assert cluster.loose() == [2]


def live_with_busy_kernels(seed: int) -> None:
    """Every hundredth of a second is looked at (see ``live``)."""
    chance = random.Random(seed)
    cluster = Cluster()
    cluster.live(0.4)
    cluster.view({1, 2, 3}, ring=8)
    for _ in range(40):
        number = chance.choice(sorted(NAMES))
        cluster.toys[number].busy = chance.random() < 0.5
        cluster.nodes[chance.choice(sorted(NAMES))].set_standby(chance.random() < 0.4)
        cluster.live(chance.choice((0.01, 0.05, 0.3)))
    for number, toys in cluster.toys.items():
        toys.busy = False
        cluster.nodes[number].set_standby(False)
    cluster.live(3)
    assert cluster.loose() == cluster.holders() == [1]


@pytest.mark.parametrize("seed", range(8))
def test_kernels_that_are_busy_now_and_then_never_make_it_two(seed: int) -> None:
    live_with_busy_kernels(seed)


def test_a_node_that_says_too_early_that_it_is_gone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LeasedAddresses, "unguarded_gone", True)
    with pytest.raises(AssertionError, match="<= 1"):
        deque(map(live_with_busy_kernels, range(8)))
