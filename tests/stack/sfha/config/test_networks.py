"""Whether the mesh has a network of its own."""

from ipaddress import IPv4Network

import pytest

from harness.stack.sfha.config.load import Vip
from harness.stack.sfha.config.networks import (
    CANDIDATES,
    Taken,
    free_network,
    overlapping,
    taken_of,
    vip_inside,
)

ADDRESSES = [
    {"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
    {"ifname": "eth0", "addr_info": [{"local": "192.0.2.7", "prefixlen": 24}]},
    {"ifname": "ppp0", "addr_info": [{"local": "10.5.0.1", "address": "10.6.0.1", "prefixlen": 32}]},
    {"ifname": "wg-sfha", "addr_info": [{"local": "10.90.0.1", "prefixlen": 24}]},
    {},
]
ROUTES = [
    {"dst": "default", "dev": "eth0"},
    {"dst": "192.0.2.0/24", "dev": "eth0"},
    {"dst": "10.91.0.0/16", "dev": "tun0"},
    {"dst": "10.94.0.1", "dev": "eth0"},
    {"dst": "10.90.0.0/24", "dev": "wg-sfha"},
    {"type": "blackhole", "dst": "10.95.0.0/16"},
]
TAKEN = taken_of(ADDRESSES, ROUTES, but="wg-sfha")


def test_addresses_and_routes_take_networks_but_not_the_default_and_our_own() -> None:
    assert [(str(one.network), one.interface) for one in TAKEN] == [
        ("192.0.2.0/24", "eth0"),
        ("10.5.0.1/32", "ppp0"),
        ("10.6.0.1/32", "ppp0"),
        ("10.91.0.0/16", "tun0"),
        ("10.94.0.1/32", "eth0"),
        ("10.95.0.0/16", "-"),
    ]


@pytest.mark.parametrize(
    ("network", "interface"),
    [
        ("192.0.2.0/24", "eth0"),
        ("192.0.2.128/29", "eth0"),
        ("192.0.0.0/16", "eth0"),
        ("10.91.7.0/24", "tun0"),
        ("10.94.0.0/24", "eth0"),
        ("10.90.0.0/24", None),
        ("10.92.0.0/24", None),
    ],
)
def test_what_overlaps_is_found(network: str, interface: str | None) -> None:
    other = overlapping(IPv4Network(network), TAKEN)
    assert (other and other.interface) == interface


def test_a_free_network_is_offered() -> None:
    assert str(free_network(TAKEN)) == "10.90.0.0/24"
    assert str(free_network(TAKEN, ["10.90.0.9", "fd00::1"])) == "10.92.0.0/24"
    everything = Taken(IPv4Network("0.0.0.0/1"), "tun0"), Taken(IPv4Network("128.0.0.0/1"), "tun0")
    assert free_network(everything) is None
    assert all(network.is_private or str(network).startswith("100.64.") for network in CANDIDATES)


def test_nothing_known_takes_nothing() -> None:
    assert taken_of([], [], but="wg-sfha") == taken_of(None, None, but="wg-sfha") == ()


def test_a_vip_inside_is_found() -> None:
    inside, outside = Vip("a", "10.90.0.4", 24, "eth0"), Vip("b", "192.0.2.100", 24, "eth0")
    six = Vip("c", "fd00::100", 64, "eth0")
    assert vip_inside(IPv4Network("10.90.0.0/24"), [six, outside, inside]) == inside
    assert vip_inside(IPv4Network("10.90.0.0/24"), [six, outside]) is None
