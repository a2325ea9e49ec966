"""Where flows are dropped: exactly what was asked for, and no later than it can be."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.fabric.layout import Drop, Flow, Layout, cut_site, drop, isolate, partition, wan_down
from harness.topology import WAN, Topology


def draw(lan: str = "stretched", clients: tuple[str, ...] = (WAN,)) -> Topology:
    plain: dict[str, Any] = {
        "name": "drawn",
        "lan": lan,
        "sites": [{"name": "dijon"}, {"name": "thory"}],
        "nodes": [
            {"name": "n1", "site": "dijon"},
            {"name": "n2", "site": "dijon"},
            {"name": "n3", "site": "thory"},
        ],
        "clients": [{"name": f"c{index}", "place": place} for index, place in enumerate(clients)],
    }
    return Topology.from_json(plain)


def path(layout: Layout, source: str, destination: str) -> list[str]:
    """The ports a packet leaves by, written down independently of the code under test."""
    here, there = layout.topology.place_of(source), layout.topology.place_of(destination)
    ports = []
    if here != there and layout.routed:
        ports.append("wan-up" if here == WAN else f"u-{here}")
    elif here != there:
        ports += [f"u-{here}"] if here != WAN else []
        ports += [f"w-{there}"] if there != WAN else []
    return [*ports, f"p-{destination}"]


def dropped(layout: Layout, drops: tuple[Drop, ...]) -> set[tuple[str, str]]:
    names = layout.topology.endpoints
    return {
        (source, destination)
        for source in names
        for destination in names
        if source != destination
        and any(
            layout.marks[source] in one.marks and set(one.ports) & set(path(layout, source, destination))
            for one in drops
        )
    }


def wanted(flows: tuple[Flow, ...] | list[Flow]) -> set[tuple[str, str]]:
    return {(a, b) for flow in flows for a in flow.sources for b in flow.destinations if a != b}


@st.composite
def layouts_and_flows(draw: st.DrawFn) -> tuple[Layout, list[Flow]]:
    places = draw(st.lists(st.integers(0, 3), min_size=1, max_size=6))
    client_places = draw(st.lists(st.sampled_from([WAN, *(f"s{place}" for place in set(places))]), max_size=3))
    topology = Topology.from_json(
        {
            "name": "any",
            "lan": draw(st.sampled_from(["stretched", "routed"])),
            "sites": [{"name": f"s{place}"} for place in sorted(set(places))],
            "nodes": [{"name": f"n{index}", "site": f"s{place}"} for index, place in enumerate(places)],
            "clients": [{"name": f"c{index}", "place": place} for index, place in enumerate(client_places)],
        }
    )
    some = st.lists(st.sampled_from(topology.endpoints), unique=True).map(tuple)
    return Layout(topology), draw(st.lists(st.builds(Flow, some, some), max_size=3))


@settings(max_examples=400, deadline=None)
@given(layouts_and_flows())
def test_exactly_the_flows_asked_for_are_dropped(case: tuple[Layout, list[Flow]]) -> None:
    layout, flows = case
    assert dropped(layout, layout.drops(flows)) == wanted(flows)


def test_a_cut_site_is_dropped_on_its_own_uplink_in_both_directions() -> None:
    topology = draw()
    assert Layout(topology).drops(cut_site(topology, "dijon")) == (
        Drop((1, 2), ("u-dijon",)),
        Drop((3, 1001), ("w-dijon",)),
    )


def test_a_cut_site_of_a_routed_lan_still_reaches_its_own_router() -> None:
    topology = draw(lan="routed")
    assert Layout(topology).drops(cut_site(topology, "dijon")) == (
        Drop((1, 2), ("p-c0", "p-n3")),
        Drop((3, 1001), ("p-n1", "p-n2")),
    )


def test_a_flow_to_one_of_two_nodes_of_a_site_is_dropped_at_that_node() -> None:
    topology = draw()
    assert Layout(topology).drops(drop("n3", "n1")) == (Drop((3,), ("p-n1",)),)


def test_with_the_wan_down_clients_on_it_reach_every_site() -> None:
    topology = draw(clients=(WAN, "thory"))
    cut = wanted(wan_down(topology))
    assert ("n1", "n3") in cut
    assert ("c1", "n1") in cut
    assert not {(a, b) for a, b in cut if "c0" in (a, b)}
    assert ("n1", "n2") not in cut


def test_a_partition_leaves_those_in_no_group_alone() -> None:
    assert wanted(partition(["n1", "c0"], ["n3"])) == {("n1", "n3"), ("n3", "n1"), ("c0", "n3"), ("n3", "c0")}


def test_an_isolated_node_is_cut_from_everybody() -> None:
    assert wanted(isolate(draw(), "n2")) == {(a, b) for n in ("n1", "n3", "c0") for a, b in (("n2", n), (n, "n2"))}


@pytest.mark.parametrize("lan", ["stretched", "routed"])
def test_link_names_fit_the_kernel_and_never_clash(lan: str) -> None:
    site, node = "x" * 11, "y" * 11
    topology = Topology.from_json(
        {"name": "long", "lan": lan, "sites": [{"name": site}], "nodes": [{"name": node, "site": site}]}
    )
    layout = Layout(topology)
    links = [layout.port(node)]
    for place in layout.places:
        links += [layout.bridge(place), layout.uplink(place), layout.far_end(place)]
    assert max(map(len, links)) <= 15
    assert len(set(links)) == len(links)


def test_unknown_names_are_refused() -> None:
    topology = draw()
    with pytest.raises(UsageError):
        cut_site(topology, "paris")
    with pytest.raises(UsageError):
        isolate(topology, "n9")
    with pytest.raises(UsageError, match="n9"):
        Layout(topology).drops(drop("n1", "n9"))


def way(layout: Layout, source: str, destination: str) -> list[str]:
    """All interfaces by which a packet leaves on its way, the router's own among them."""
    there = layout.topology.place_of(destination)
    ports = path(layout, source, destination)
    if layout.routed and len(ports) > 1:
        ports.insert(1, "wan-far" if there == WAN else f"w-{there}")
    return ports


@pytest.mark.parametrize("lan", ["stretched", "routed"])
@given(data=st.data())
@settings(max_examples=200)
def test_every_packet_of_a_flow_is_met_just_once_and_no_other(lan: str, data: st.DataObject) -> None:
    clients = data.draw(st.lists(st.sampled_from([WAN, "dijon", "thory"]), max_size=3).map(tuple))
    layout = Layout(draw(lan, clients))
    some = st.lists(st.sampled_from(layout.topology.endpoints), min_size=1, unique=True).map(tuple)
    flow = Flow(data.draw(some), data.draw(some))
    passages = layout.passages(flow)
    for source in layout.topology.endpoints:
        for destination in layout.topology.endpoints:
            if source != destination:
                ports = way(layout, source, destination)
                met = sum(one.port in ports and layout.marks[source] in one.marks for one in passages)
                assert met == (source in flow.sources and destination in flow.destinations), (source, destination)
