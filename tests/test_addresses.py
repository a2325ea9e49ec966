"""Addresses of a run: all different, inside their networks, the same whenever they are asked for."""

import ipaddress
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.addresses import AddressPlan
from harness.errors import UsageError
from harness.topology import Topology


def topology(lan: Literal["stretched", "routed"], nodes: int = 64, **more: Any) -> Topology:
    plain = {
        "name": "many",
        "lan": lan,
        "sites": [{"name": f"s{index}"} for index in range(min(16, nodes))],
        "nodes": [{"name": f"n{index}", "site": f"s{index % 16}"} for index in range(nodes)],
        "vips": [{"name": f"v{index}"} for index in range(64)],
        "clients": [{"name": f"c{index}", "place": f"s{index}" if index < nodes else "wan"} for index in range(16)],
    }
    return Topology.from_json(plain | more)


LARGEST = {lan: topology(lan) for lan in ("stretched", "routed")}


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["stretched", "routed"]), st.text(min_size=1, max_size=30))
def test_no_two_things_of_a_run_share_an_address(lan: str, run_id: str) -> None:
    drawn = LARGEST[lan]
    plan = AddressPlan(drawn, run_id)
    addresses = [
        *(plan.address(name) for name in drawn.endpoints),
        *(plan.mesh_address(name) for name in drawn.node_names),
        *(plan.vip(vip.name) for vip in drawn.vips),
    ]
    macs = [plan.mac(name) for name in drawn.endpoints]
    if lan == "routed":
        places = (*drawn.site_names, "wan")
        addresses += [plan.gateway(place) for place in places]
        macs += [plan.gateway_mac(place) for place in places]
        assert len({plan.network(place) for place in places}) == len(places)
    assert len(set(addresses)) == len(addresses)
    assert len(set(macs)) == len(macs)
    for name in drawn.endpoints:
        place = drawn.place_of(name)
        assert ipaddress.IPv4Address(plan.address(name)) in ipaddress.IPv4Network(plan.network(place))
    for name in drawn.node_names:
        assert ipaddress.IPv4Address(plan.mesh_address(name)) in ipaddress.IPv4Network(plan.mesh_network)


def test_runs_differ_and_a_run_is_always_the_same() -> None:
    drawn = topology("stretched", 3)
    macs = {AddressPlan(drawn, f"run-{number}").mac("n0") for number in range(200)}
    assert len(macs) == 200
    assert AddressPlan(drawn, "run-1").address("n0") == AddressPlan(drawn, "run-1").address("n0")


def test_a_fixed_network_and_fixed_virtual_addresses_are_kept() -> None:
    vips = [{"name": "web"}, {"name": "db", "address": "10.77.1.100"}, {"name": "mail"}]
    plan = AddressPlan(topology("stretched", 3, subnet="10.77.1.0/24", vips=vips, clients=[]), "any")
    assert [plan.vip(name) for name in ("web", "db", "mail")] == ["10.77.1.101", "10.77.1.100", "10.77.1.102"]
    assert plan.address("n2") == "10.77.1.3"


def test_what_is_not_there_has_no_address() -> None:
    plan = AddressPlan(topology("stretched", 3, clients=[]), "any")
    for ask in (plan.address, plan.vip, plan.mesh_address, plan.mac, plan.network, plan.gateway, plan.gateway_mac):
        with pytest.raises(UsageError):
            ask("nowhere")
