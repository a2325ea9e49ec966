"""Whom a person means by what he writes, and faults that a topology has no place for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from scapy.layers.l2 import ARP

from harness.cluster import Cluster
from harness.errors import HarnessError, UsageError
from harness.faults.network import Bridge, Halves, Partition, Ring, WanDown
from harness.faults.packets import ArpFlood
from harness.faults.select import Selector, nodes_called, sites_called, vip_called
from harness.topology import Topology, load
from tests.clusters import unstarted

TOPOLOGIES = Path(__file__).parents[2] / "fixtures/topologies"


def test_nodes_by_their_names_all_of_them_and_those_of_a_site(five: Cluster) -> None:
    topology = five.topology
    assert nodes_called("n2")(five) == ("n2",)
    assert nodes_called("n3,n1,n3")(five) == ("n3", "n1")
    assert nodes_called("all")(five) == topology.node_names
    site = topology.nodes[0].site
    assert nodes_called(f"site:{site}")(five) == tuple(one.name for one in topology.nodes if one.site == site)


def test_sites_by_their_names_and_by_their_nodes(five: Cluster) -> None:
    first, last = five.topology.nodes[0], five.topology.nodes[-1]
    assert sites_called(first.site)(five) == (first.site,)
    assert sites_called(f"{last.name},{first.site}")(five) == tuple(dict.fromkeys((last.site, first.site)))


def test_a_site_that_is_not_there_is_told_from_the_sites(five: Cluster) -> None:
    with pytest.raises(UsageError, match=f"no site 'nowhere'; the sites are {', '.join(five.topology.site_names)} "):
        sites_called("nowhere")(five)


@pytest.mark.parametrize(
    ("select", "words", "near"),
    [
        (nodes_called, "n11", "n1"),
        (nodes_called, "holdr:web", "holder:web"),
        (nodes_called, "leadr", "leader"),
        (nodes_called, "site:dijn", "dijon"),
        (nodes_called, "holder:wb", "web"),
        (sites_called, "dijn", "dijon"),
    ],
)
def test_who_may_have_been_meant_is_proposed(
    five: Cluster, select: Callable[[str], Selector], words: str, near: str
) -> None:
    with pytest.raises(UsageError, match=f'did you mean "{near}"'):
        select(words)(five)


@pytest.mark.parametrize("words", ["nobody", "n1,nobody", "site:nowhere", "holder:nothing", "n1, n2", ""])
def test_who_is_not_there_is_named(five: Cluster, words: str) -> None:
    with pytest.raises(UsageError):
        nodes_called(words)(five)


def test_a_virtual_address_by_its_name_the_first_or_as_it_is(five: Cluster) -> None:
    name = five.topology.vips[0].name
    assert vip_called(five, name) == vip_called(five, "") == five.plan.vip(name)
    assert vip_called(five, "10.1.2.3") == "10.1.2.3"
    with pytest.raises(UsageError, match=f"there is no virtual address other; there are: .*{name}"):
        vip_called(five, "other")


@pytest.mark.parametrize("words", ["leader", "holder:", "follower:"])
def test_where_there_is_no_virtual_address_nobody_can_be_told_by_it(words: str) -> None:
    data = load(TOPOLOGIES / "three-sites.toml").to_json()
    cluster = unstarted(Topology.from_json({**data, "vips": []}))
    with pytest.raises(UsageError, match="the topology has no virtual address"):
        nodes_called(words)(cluster)


def test_a_node_may_be_called_like_a_role() -> None:
    data = load(TOPOLOGIES / "three-sites.toml").to_json()
    data["nodes"][1]["name"] = "leader"
    cluster = unstarted(Topology.from_json(data))
    assert nodes_called("leader")(cluster) == ("leader",)


def test_faults_that_need_more_nodes_or_sites_than_there_are_say_so() -> None:
    data = load(TOPOLOGIES / "three-sites.toml").to_json()
    data["sites"], data["nodes"] = data["sites"][:1], data["nodes"][:1]
    alone = unstarted(Topology.from_json(data))
    for fault in (WanDown(), Halves(), Bridge(), Ring()):
        reason = fault.lacks(alone)
        assert reason is not None, fault.name
        assert "take" in reason
        assert fault.lacks(unstarted(load(TOPOLOGIES / "three-sites.toml"))) is None


@pytest.mark.parametrize("topology", ["three-sites", "five-nodes", "seven-nodes"])
def test_in_a_ring_everybody_hears_a_majority_and_no_two_the_same(topology: str) -> None:
    cluster = unstarted(load(TOPOLOGIES / f"{topology}.toml"))
    names = set(cluster.topology.node_names)
    for _ in range(20):
        ring = Ring()
        ring.aim(cluster)
        deaf = {flow.destinations[0]: set(flow.sources) for flow in ring._flows}
        heard = [frozenset(names - deaf.get(name, set())) for name in names]
        assert len(set(heard)) == len(names)
        assert all(len(one) == len(names) // 2 + 1 for one in heard)


def test_a_bridge_sees_everybody_and_the_halves_only_it(five: Cluster) -> None:
    bridge = Bridge()
    bridge.aim(five)
    over = bridge.targets[-1].removeprefix("over ")
    halves = [set(target.split("+")) for target in bridge.targets[:-1]]
    assert set.union(*halves) | {over} == set(five.topology.node_names)
    assert all({over}.isdisjoint({*flow.sources, *flow.destinations}) for flow in bridge._flows)


def test_a_flood_of_questions_is_asked_in_nobodys_name(five: Cluster) -> None:
    """One in a node's name would move the node's address to the stranger, in all neighbours' tables."""
    flood = ArpFlood("all")
    flood._meant(five)
    asked, askers = zip(*((ARP(one[14:]).pdst, ARP(one[14:]).psrc) for one in flood._frames), strict=True)
    nodes = {five.plan.address(name) for name in five.topology.node_names}
    assert set(asked) == nodes
    everybody = nodes | {five.plan.address(one.name) for one in five.topology.clients}
    everybody |= {five.plan.vip(one.name) for one in five.topology.vips}
    assert everybody.isdisjoint(askers)
    assert len(set(askers)) > 100


def test_halves_are_as_even_as_can_be(five: Cluster) -> None:
    halves = Halves()
    halves.aim(five)
    assert sorted(len(target.split("+")) for target in halves.targets) == [2, 3]


def test_in_a_partition_nobody_is_on_two_sides(five: Cluster) -> None:
    for groups in ((["n1", "n2"], ["n2", "n3"]), (["n2"], ["n2"])):
        with pytest.raises(UsageError, match="partition: n2 is named more than once"):
            Partition(*groups).aim(five)


def test_a_partition_of_one_group_is_none(five: Cluster) -> None:
    with pytest.raises(HarnessError, match="name two groups"):
        Partition(["n1"]).aim(five)
