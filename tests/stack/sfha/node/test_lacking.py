"""A node that cannot offer an address: others take over, and it says why. Wired as in the daemon, in virtual time."""

import pytest

from harness.stack.sfha.config.load import Unsafe
from harness.stack.sfha.membership.core import DISCONNECTED
from harness.stack.sfha.vips.interface import Link
from harness.stack.sfha.vips.offer import LINK_REST_S, WAY_LOST_FOR_S
from harness.stack.sfha.vips.orders import Answer, Order
from tests.stack.sfha.node.world import VIP
from tests.stack.sfha.node.world import Cluster as PlainCluster


class Cluster(PlainCluster):
    """Three nodes with interfaces."""

    def __init__(self) -> None:
        super().__init__()
        self.links = {number: toys.links for number, toys in self.toys.items()}

    def change(self, number: int, link: Link | None) -> None:
        """The kernel says that eth0 is this now."""
        links = self.toys[number].links.links
        links.pop("eth0", None)
        if link is not None:
            links["eth0"] = link
        self.nodes[number].links_changed()


@pytest.fixture
def cluster() -> Cluster:
    """Up, quorate, the address on node 1."""
    cluster = Cluster()
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(0.4)
    assert cluster.holders() == [1]
    return cluster


def moves(cluster: Cluster) -> int:
    return cluster.toys[3].names().count("leader-elected")


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (None, "there is no interface eth0"),
        (Link(2, up=False, carrier=False), "interface eth0 is down"),
        (Link(2, carrier=False), "interface eth0 has no link (cable, switch or peer)"),
    ],
)
def test_others_take_over_and_give_it_back_once(cluster: Cluster, now: Link | None, why: str) -> None:
    before = moves(cluster)
    cluster.change(1, now)
    cluster.pass_time(0.1)
    assert cluster.holders() == [2]
    assert ("vip-not-offered", {"vip": "web", "why": why}) in cluster.toys[1].events
    assert cluster.nodes[3].status().nodes[0].lacks == 1
    cluster.change(1, Link(2))
    cluster.pass_time(LINK_REST_S - 0.2)
    assert cluster.holders() == [2]
    cluster.pass_time(0.4)
    assert cluster.holders() == [1]
    assert moves(cluster) == before + 2


def test_an_address_that_was_given_by_hand_is_left_to_others(cluster: Cluster) -> None:
    cluster.links[1].own.add(VIP.address)
    cluster.nodes[1].links_changed()
    cluster.pass_time(0.1)
    assert cluster.holders() == [2]
    (web,) = cluster.nodes[1].status().vips
    assert web.lacks is not None
    assert web.lacks["key"] == "link.own"


def test_where_nobody_can_offer_it_the_leader_stays_and_claims_nothing(cluster: Cluster) -> None:
    before = moves(cluster)
    for number in (2, 3, 1):
        cluster.change(number, Link(2, carrier=False))
    cluster.pass_time(0.5)
    (web,) = cluster.nodes[1].status().vips
    assert not web.held
    assert web.error == "interface eth0 has no link (cable, switch or peer)"
    announced = len(cluster.toys[1].announced)
    cluster.change(1, Link(2))
    cluster.pass_time(0.1)
    assert cluster.holders() == [1]
    assert cluster.nodes[1].status().vips[0].held
    assert len(cluster.toys[1].announced) > announced, "its neighbours are told at once"
    for number in (2, 3):
        cluster.change(number, Link(2))
    cluster.pass_time(4)
    assert cluster.holders() == [1]
    assert moves(cluster) == before


def orders_around(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What node 1 has done from now on, the gate's following among it; it is the only one with an interface."""
    for number in (2, 3):
        cluster.change(number, None)
    cluster.pass_time(0.01)
    toys, done = cluster.toys[1], list[str]()
    executed = toys._executed

    def executes(order: Order) -> Answer:
        done.append(type(order).__name__)
        return executed(order)

    monkeypatch.setattr(toys, "follow", lambda: done.append("hooked"))
    monkeypatch.setattr(toys, "_executed", executes)
    return done


def test_a_new_interface_of_the_name_gets_the_address_after_the_gate_was_hooked(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one is no more, and the address with it."""
    done = orders_around(cluster, monkeypatch)
    cluster.change(1, Link(9))
    cluster.pass_time(0.01)
    assert done == ["hooked", "Removal", "Put"]
    assert cluster.holders() == [1]


def test_from_an_interface_that_has_another_name_the_address_is_taken_before_the_gate_lets_go_of_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = orders_around(cluster, monkeypatch)
    toys = cluster.toys[1]
    toys.busy = True
    toys.links.links["lan9"] = toys.links.links["eth0"]
    cluster.change(1, Link(9))
    cluster.pass_time(1.0)
    assert done == [], "the kernel was busy for longer than the lease"
    toys.busy = False
    cluster.pass_time(0.3)
    assert done[:3] == ["Removal", "hooked", "Put"]
    assert cluster.holders() == [1]


def test_a_gate_that_would_let_go_of_an_address_is_not_armed(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """To arm is to follow interfaces. The lease is lost while the kernel is busy with the removal."""
    orders_around(cluster, monkeypatch)
    toys = cluster.toys[1]
    toys.busy = True
    toys.links.links["lan9"] = toys.links.links["eth0"]
    cluster.change(1, Link(9))
    cluster.nodes[1].membership_reported(DISCONNECTED)
    cluster.pass_time(0.01)
    cluster.view({1, 2, 3}, ring=16)
    before = toys.names().count("lease-requested")
    cluster.pass_time(1.0)
    assert toys.names().count("lease-requested") == before
    toys.busy = False
    cluster.pass_time(0.5)
    assert cluster.holders() == [1]


def test_an_address_that_cannot_be_taken_away_does_not_keep_the_gate_from_following(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends by itself."""
    done = orders_around(cluster, monkeypatch)
    toys = cluster.toys[1]
    toys.removal_error = True
    toys.links.links["lan9"] = toys.links.links["eth0"]
    cluster.change(1, Link(9))
    cluster.pass_time(0.5)
    assert done[:3] == ["Removal", "hooked", "Put"]
    assert cluster.holders() == [1]


def test_news_that_the_kernel_refuses_a_renewal_for_are_followed_before_the_lease_is_lost(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys = cluster.toys[1]
    renew, hooked = toys.renew, list[str]()
    monkeypatch.setattr(toys, "renew", lambda: bool(hooked) and renew())
    monkeypatch.setattr(toys, "follow", lambda: hooked.append("eth0"))
    cluster.links[1].links["eth0"] = Link(9)
    cluster.links[1].unread = True
    cluster.pass_time(0.3)
    assert cluster.holders() == [1]
    assert "lease-lost" not in toys.names()


def test_an_interface_that_is_missing_at_the_start_costs_nothing_but_its_address() -> None:
    cluster = Cluster()
    cluster.links[1].links.clear()
    cluster.nodes[1] = cluster._node(1, Unsafe())
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(0.4)
    assert cluster.holders() == [2]
    assert cluster.nodes[1].status().ready
    cluster.dead.add(3)
    cluster.view({1, 2}, ring=9)
    cluster.pass_time(1)
    assert cluster.holders() == [2], "node 1 votes"
    cluster.change(1, Link(7))
    cluster.pass_time(0.3)
    assert cluster.holders() == [1]


def test_a_node_without_a_gate_votes_and_leads_last() -> None:
    cluster = Cluster()
    cluster.toys[1].gate_broken = "Operation not permitted"
    cluster.nodes[1] = cluster._node(1, Unsafe())
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(0.4)
    assert cluster.holders() == [2]
    cluster.toys[1].gate_broken = ""
    cluster.pass_time(3)
    assert cluster.holders() == [1]


def test_who_has_lost_its_default_route_gives_way_unless_it_is_back_at_once(cluster: Cluster) -> None:
    lost = cluster.links[1].ways_lost
    for stays_s, holder in ((WAY_LOST_FOR_S - 0.1, 1), (WAY_LOST_FOR_S + 0.1, 2)):
        lost.add("eth0")
        cluster.nodes[1].links_changed()
        cluster.pass_time(stays_s)
        assert cluster.holders() == [holder]
        lost.clear()
        cluster.nodes[1].links_changed()
        cluster.pass_time(0.1)
        assert cluster.holders() == [holder]
    assert "default route by eth0" in str(cluster.toys[1].events)
    cluster.pass_time(LINK_REST_S)
    assert cluster.holders() == [1]


def test_where_all_have_lost_it_nobody_moves(cluster: Cluster) -> None:
    before = moves(cluster)
    for number in (2, 1, 3):
        cluster.links[number].ways_lost.add("eth0")
        cluster.nodes[number].links_changed()
    cluster.pass_time(2.0)
    assert cluster.holders() == [1]
    assert moves(cluster) <= before + 2
