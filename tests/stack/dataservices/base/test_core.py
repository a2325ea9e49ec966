"""Who gets to which port: whatever is declared of whatever inventory, the installer gets in, and nobody uninvited."""

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.dataservices.base.core import SSH_PORT, admits, doors_of, ruleset, settings_of
from harness.stack.dataservices.inventory.core import Inventory, Role, Server
from harness.stack.dataservices.plan.footprint import ANYBODY, EVERY, Opening, Setting, spans
from harness.stack.dataservices.plan.module import ModuleImpossible
from tests.stack.dataservices.servers import small

STRANGER = "192.0.2.77"
SERVICES = [role for role in Role if role is not Role.INSTALLER]
ports = st.one_of(
    st.integers(1, 65535), st.tuples(st.integers(1, 65535), st.integers(1, 65535)).map(lambda two: (min(two), max(two)))
)
openings = st.builds(
    Opening,
    st.lists(st.sampled_from(SERVICES), min_size=1, max_size=3).map(tuple),
    st.lists(ports, min_size=1, max_size=3).map(tuple),
    st.lists(st.one_of(st.sampled_from(SERVICES), st.just("10.42.0.0/16")), max_size=3).map(tuple),
    st.sampled_from(["tcp", "udp"]),
)


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    """An installer and some servers, of either version's addresses."""
    servers = [Server("install", frozenset({Role.INSTALLER}), "10.0.0.1", "paris", True)]
    for number in range(draw(st.integers(1, 4))):
        roles = draw(st.frozensets(st.sampled_from(SERVICES), min_size=1, max_size=2))
        address = draw(st.sampled_from([f"10.0.1.{number}", f"2001:db8::{number + 1}"]))
        servers.append(Server(f"s{number}", roles, address, "paris"))
    return Inventory(tuple(servers))


@given(inventories(), st.lists(openings, max_size=4))
def test_the_installer_always_gets_in_and_nobody_else_does_unless_it_is_said(
    inventory: Inventory, declared: list[Opening]
) -> None:
    for server in inventory.servers:
        doors = doors_of(server, inventory, declared)
        assert admits(doors, inventory.installer.address, SSH_PORT)
        invited = [one for one in declared if server.roles & set(one.roles)]
        for other in inventory.servers:
            for door in doors:
                for port in {end for span in door.ports for end in span}:
                    said = any(
                        one.protocol == door.protocol
                        and any(first <= port <= last for first, last in spans(one.ports))
                        and other.roles & {role for role in one.to if isinstance(role, Role)}
                        for one in invited
                    )
                    ssh = (door.protocol, port) == ("tcp", SSH_PORT) and inventory.installer in (server, other)
                    if other != server:
                        assert admits(doors, other.address, port, door.protocol) == bool(said or ssh)


@given(inventories(), st.lists(openings, max_size=4))
def test_a_stranger_gets_nowhere(inventory: Inventory, declared: list[Opening]) -> None:
    for server in inventory.servers:
        doors = doors_of(server, inventory, declared)
        met = {port for door in doors for span in door.ports for port in span}
        open_to_all = {SSH_PORT} if server == inventory.installer else set()
        assert {port for port in met if admits(doors, STRANGER, port)} == open_to_all


def test_what_is_for_anybody_is_for_anybody() -> None:
    balancers = Opening((Role.HAPROXY,), (5432, (6000, 6100)), ANYBODY)
    inventory = small()
    doors = doors_of(inventory.named("lb-01"), inventory, [balancers])
    assert all(admits(doors, address, 6050) for address in (STRANGER, "2001:db8::7", "10.0.0.12"))
    assert not admits(doors, STRANGER, 6101)
    assert not admits(doors, STRANGER, 5432, "udp")
    assert not admits(doors_of(inventory.named("redis-01"), inventory, [balancers]), STRANGER, 5432)


@given(inventories(), st.lists(openings, max_size=4))
def test_the_rules_name_every_network_and_port_of_every_door(inventory: Inventory, declared: list[Opening]) -> None:
    for server in inventory.servers:
        doors = doors_of(server, inventory, declared)
        text = ruleset(doors)
        assert text.count("policy drop") == 1
        assert "flush" not in text
        assert set(re.findall(r"\btable (\w+ \w+)", text)) == {"inet keyservices"}
        for door in doors:
            for network in map(ipaddress.ip_network, door.networks):
                word = "ip" if network.version == 4 else "ip6"
                of_it = [line for line in text.splitlines() if f"{word} saddr" in line or "nfproto" in line]
                assert any(f"{door.protocol} dport" in line for line in of_it)


@pytest.mark.parametrize("wrong", [0, 65536, (5, 4), -1])
def test_what_is_no_port_is_refused_where_it_is_written(wrong: int | tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="are no ports"):
        Opening((Role.REDIS,), (wrong,), ANYBODY)


def test_what_is_no_network_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.300"):
        Opening((Role.REDIS,), (1,), ("10.0.0.300/32",))


def test_a_kernel_is_told_what_its_servers_services_need() -> None:
    wanted = [Setting(EVERY, "vm.swappiness", "10"), Setting((Role.REDIS,), "vm.overcommit_memory", "1")]
    assert settings_of(small().named("lb-01"), wanted) == {"vm.swappiness": "10"}
    assert settings_of(small().named("redis-01"), wanted) == {"vm.swappiness": "10", "vm.overcommit_memory": "1"}
    with pytest.raises(ModuleImpossible, match=r"redis-01: vm\.overcommit_memory has to be 1, and 2 as well"):
        settings_of(small().named("redis-01"), [*wanted, Setting(EVERY, "vm.overcommit_memory", "2")])
