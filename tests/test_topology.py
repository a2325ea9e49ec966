"""Topology files: what is accepted, what is refused in which words, and what the votes imply."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.topology import Topology, load

FIXTURES = Path(__file__).parent.parent / "fixtures" / "topologies"


def drawn(**changes: Any) -> dict[str, Any]:
    """A valid drawing with two sites, changed."""
    plain: dict[str, Any] = {
        "name": "drawn",
        "sites": [{"name": "dijon"}, {"name": "thory"}],
        "nodes": [{"name": "n1", "site": "dijon"}, {"name": "n2", "site": "thory"}],
    }
    return plain | changes


@pytest.mark.parametrize("file", sorted(FIXTURES.glob("*.toml")), ids=lambda file: file.stem)
def test_every_topology_of_this_suite_loads_and_survives_the_history(file: Path) -> None:
    topology = load(file)
    assert Topology.from_json(topology.to_json()) == topology
    if file.stem == "one-node":  # for what concerns nobody else: nothing to hold, and nobody who calls
        assert (topology.vips, topology.clients) == ((), ())
        return
    if file.stem == "moosefs":  # its client is one of its nodes
        assert (topology.vip("master").interface, topology.clients) == ("eth0", ())
        return
    assert topology.client("user").place == "wan"
    if file.stem in ("services", "platform", "containers", "ten-sites"):
        # Whoever is in front has an address of his own.
        assert topology.vips == ()
        return
    assert topology.vip("web").interface == "eth0"


def test_node_ids_count_from_one_in_the_order_of_the_file_unless_given() -> None:
    nodes = [{"name": "a", "site": "dijon"}, {"name": "b", "site": "thory", "id": 7}, {"name": "c", "site": "thory"}]
    assert [node.id for node in Topology.from_json(drawn(nodes=nodes)).nodes] == [1, 7, 3]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lan": "flat"}, ["lan:", "'stretched' or 'routed'"]),
        ({"site": []}, ["site: unknown key", 'did you mean "sites"?', "allowed: clients, lan"]),
        ({"nodes": [{"name": "n1", "site": "dijon", "vote": 2}]}, ["nodes[0].vote: unknown key", 'mean "votes"?']),
        ({"nodes": [{"name": "N1", "site": "dijon"}]}, ["nodes[0].name: 'N1' is no name; allowed: 1 to 11 of a-z"]),
        ({"nodes": [{"name": "n1", "site": "dijon", "votes": "1"}]}, ["nodes[0].votes:", "integer", "given: '1'"]),
        ({"nodes": [{"name": "n1", "site": "dijon", "votes": True}]}, ["nodes[0].votes:", "integer"]),
        ({"nodes": [{"name": "n1", "site": "dijon", "id": 0}]}, ["nodes[0].id:", "greater than or equal to 1"]),
        ({"nodes": [{"name": "n1"}]}, ["nodes[0].site: is missing"]),
        ({"nodes": []}, ["nodes: is empty; at least 1"]),
        ({"nodes": "n1"}, ["nodes:", "tuple"]),
        ({"nodes": [{"name": f"n{n}", "site": "dijon"} for n in range(65)]}, ["nodes: too many; allowed: at most 64"]),
        ({"nodes": [{"name": "n1", "site": "dijn"}]}, ["nodes[0].site: there is no site 'dijn'", 'mean "dijon"?']),
        ({"nodes": [{"name": "n1", "site": "dijon"}]}, ["sites[1]: site 'thory' has no node"]),
        ({"nodes": [{"name": "n1", "site": s} for s in ("dijon", "thory")]}, ["nodes[1].name: 'n1' is already"]),
        ({"clients": [{"name": "n1"}]}, ["clients[0].name: 'n1' is already that of nodes[0]"]),
        ({"clients": [{"name": "user", "place": "paris"}]}, ["clients[0].place: there is no site", "allowed: dijon"]),
        ({"sites": [{"name": "wan"}], "nodes": [{"name": "n1", "site": "wan"}]}, ['sites[0].name: "wan" means']),
        ({"links": [{"name": "l1", "site": "x"}]}, ["links[0].site: there is no site 'x'"]),
        ({"vips": [{"name": "web", "address": "10.1.2.100"}]}, ["vips[0].address: needs a fixed service network"]),
        ({"vips": [{"name": "web", "address": "10.1.2"}]}, ["vips[0].address: '10.1.2' is no IPv4 address"]),
        (
            {"subnet": "10.1.2.0/24", "vips": [{"name": "web", "address": "10.1.3.100"}]},
            ["vips[0].address:", "allowed: 10.1.2.100 to 10.1.2.199"],
        ),
        ({"subnet": "10.1.2.0/16"}, ["subnet:", "such as 10.77.1.0/24"]),
        ({"subnet": "127.0.0.0/24"}, ["subnet: '127.0.0.0/24' has no addresses that hosts can have"]),
        ({"subnet": "224.0.0.0/24"}, ["subnet:", "such as 10.77.1.0/24"]),
        ({"subnet": "0.0.0.0/24"}, ["subnet:", "such as 10.77.1.0/24"]),
        ({"subnet": "255.255.255.0/24"}, ["subnet:", "such as 10.77.1.0/24"]),
        ({"subnet": "169.254.7.0/24"}, ["subnet:", "such as 10.77.1.0/24"]),
        (
            {"nodes": [{"name": "localhost", "site": "dijon"}, {"name": "n2", "site": "thory"}]},
            ["nodes[0].name: 'localhost' means something else already; allowed: any other name"],
        ),
        (
            {"nodes": [{"name": "n1", "site": "dijon"}, {"name": "wan", "site": "thory"}]},
            ["nodes[1].name: 'wan' means something else already"],
        ),
        (
            {"nodes": [{"name": "thory", "site": "dijon"}, {"name": "n2", "site": "thory"}]},
            ["nodes[0].name: 'thory' means a site already"],
        ),
        ({"clients": [{"name": "dijon"}]}, ["clients[0].name: 'dijon' means a site already"]),
        ({"subnet": "10.1.2.0/24", "lan": "routed"}, ["subnet: a routed LAN has one network per site"]),
        ({"vips": [{"name": "web", "interface": "eth1"}]}, ["vips[0].interface:", "'eth0'"]),
    ],
)
def test_a_mistake_is_refused_with_its_place_and_what_is_allowed(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        Topology.from_json(drawn(**changes), "my.toml")
    assert all(line.startswith("my.toml: ") for line in str(refused.value).splitlines())
    for word in words:
        assert word in str(refused.value)


def test_a_topology_whose_nodes_have_no_votes_is_refused() -> None:
    nodes = [{"name": "n1", "site": "dijon", "votes": 0}, {"name": "n2", "site": "thory", "votes": 0}]
    with pytest.raises(UsageError, match="no node has a vote"):
        Topology.from_json(drawn(nodes=nodes))


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        Topology.from_json(drawn(lan="flat", nodes=[{"name": "N", "site": "dijon", "vote": 1}]), "my.toml")
    assert len(str(refused.value).splitlines()) == 3


@pytest.mark.parametrize("content", ["name = ", "\x00", "[[nodes]]\nname = 'a'\n[nodes]\n"])
def test_a_file_that_is_not_toml_is_refused_with_its_name(tmp_path: Path, content: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(content)
    with pytest.raises(UsageError, match=r"bad\.toml: is not TOML"):
        load(file)


def test_a_file_that_is_not_there_or_not_text_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml: there is no such topology file"):
        load(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"binary\.toml: cannot be read"):
        load(tmp_path / "binary.toml")


def test_a_name_that_is_not_in_the_topology_is_refused_with_those_that_are() -> None:
    topology = Topology.from_json(drawn())
    for ask in (topology.node, topology.vip, topology.client, topology.nodes_of, topology.place_of):
        with pytest.raises(UsageError, match="allowed: "):
            ask("dijon2")
    with pytest.raises(UsageError, match='did you mean "n1"'):
        topology.has_quorum(["n11"])


def sides_of_cut(topology: Topology, site: str) -> list[tuple[str, ...]]:
    """Those inside of a site, and those outside."""
    inside = topology.nodes_of(site)
    return [inside, tuple(name for name in topology.node_names if name not in inside)]


def test_three_sites_survive_any_one_of_them_and_no_wan() -> None:
    topology = load(FIXTURES / "three-sites.toml")
    assert topology.quorum_votes == 2
    assert topology.quorate_nodes(sides_of_cut(topology, "dijon")) == ("n2", "n3")
    assert topology.quorate_nodes(sides_of_cut(topology, "thory")) == ("n1", "n3")
    assert topology.quorate_nodes(sides_of_cut(topology, "lyon")) == ("n1", "n2")
    assert topology.minority_nodes_when_wan_down() == ("n1", "n2", "n3")


def test_two_sites_survive_only_the_smaller() -> None:
    topology = load(FIXTURES / "two-sites.toml")
    assert topology.quorate_nodes(sides_of_cut(topology, "dijon")) == topology.nodes_of("dijon") == ("n1", "n2")
    assert topology.quorate_nodes(sides_of_cut(topology, "thory")) == ("n1", "n2")
    assert topology.minority_nodes_when_wan_down() == ("n3",)


def test_an_even_split_leaves_nobody_quorate() -> None:
    topology = Topology.from_json(drawn())
    assert topology.quorum_votes == 2
    assert topology.quorate_nodes(sides_of_cut(topology, "dijon")) == ()
    assert topology.minority_nodes_when_wan_down() == ("n1", "n2")


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    votes = draw(st.lists(st.integers(0, 4), min_size=1, max_size=9).filter(any))
    places = [draw(st.integers(0, 3)) for _ in votes]
    used = sorted(set(places))
    nodes = [
        {"name": f"n{index}", "site": f"s{place}", "votes": vote}
        for index, (place, vote) in enumerate(zip(places, votes, strict=True))
    ]
    return Topology.from_json({"name": "any", "sites": [{"name": f"s{place}"} for place in used], "nodes": nodes})


@settings(max_examples=150, deadline=None)
@given(topologies(), st.data())
def test_no_split_ever_leaves_two_groups_with_quorum(topology: Topology, data: st.DataObject) -> None:
    sides = [data.draw(st.integers(0, 2)) for _ in topology.nodes]
    groups = [
        [name for name, side in zip(topology.node_names, sides, strict=True) if side == wanted] for wanted in range(3)
    ]
    assert sum(topology.has_quorum(group) for group in groups) <= 1
    assert topology.has_quorum(topology.node_names)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"x = " + b"9" * 5000, "has a number that is too long"),
        (b"x = " + b"[" * 3000 + b"]" * 3000, "is nested too deeply for a topology"),
        (b"x = " + b"[" * 100_000, "is nested too deeply for a topology"),
        (b'name = "a"\n\xff = 1\n', "line 2 is not text in UTF-8"),
        (b"x" * 2_000_000, "is too large for a topology; allowed: 1,048,576 bytes"),
        (b'name = "' + b"y" * 100_000, "is not TOML"),
        (b'name = "' + b"y" * 100_000 + b'"', "name:"),
    ],
)
def test_a_file_that_is_no_topology_is_refused_in_short_lines(tmp_path: Path, text: bytes, why: str) -> None:
    (tmp_path / "my.toml").write_bytes(text)
    with pytest.raises(UsageError) as refused:
        load(tmp_path / "my.toml")
    assert why in str(refused.value)
    assert all(len(line) < 400 for line in str(refused.value).splitlines())


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    text = "name = 'x'\n[[sites]]\nname = 's'\n[[nodes]]\nname = 'n1'\nsite = 's'\n"
    (tmp_path / "my.toml").write_text(text, encoding="utf-8-sig")
    assert load(tmp_path / "my.toml").node_names == ("n1",)
