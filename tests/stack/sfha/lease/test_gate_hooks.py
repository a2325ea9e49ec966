"""The gate in a real kernel: hooked on the interfaces that are there, and never renewed where a hook is gone."""

from dataclasses import replace

import pytest

from harness.stack.sfha.kernel.nft import Nft, NftError
from harness.stack.sfha.lease import gate_form
from harness.stack.sfha.lease.gate import Gate
from harness.stack.sfha.lease.gate_form import BRIDGE, NETDEV, Form
from tests.stack.sfha.kernel.kernel_rooms import Room, put_on_bridge
from tests.stack.sfha.lease.gated import LONG_S, NODE, VIP, Rooms, answers, gate_with_address, nft, reached

DIRECTIONS = ["in", "out"]


def take_chain(node: Room, form: Form, direction: str) -> None:
    """Somebody takes a chain of the gate away."""
    name = next(one.name for one in form.chains(["eth0"], egress=True) if one.inward is (direction == "in"))
    nft(node, f"flush chain {form.table} {name}\ndelete chain {form.table} {name}")


def opened(node: Room, lease_s: float = LONG_S) -> Gate:
    gate = gate_with_address(node, lease_s)
    node.call(gate.arm)
    assert node.call(gate.open)
    assert node.call(gate.renew)
    return gate


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_nothing_is_renewed_or_opened_through_a_gate_that_lost_a_chain(
    rooms: Rooms, form: Form, direction: str
) -> None:
    """Before Linux 6.16 the kernel itself takes the chains of an interface away with it."""
    node, client = rooms
    gate = opened(node)
    take_chain(node, form, direction)
    assert node.call(gate.renew) is False
    node.call(gate.close)
    node.call(gate.arm)
    assert not answers(client), "arming has put the gate up again, closed"
    assert node.call(gate.open)
    assert node.call(gate.renew)
    take_chain(node, form, direction)
    node.call(gate.close)
    node.call(gate.put_up)
    assert not answers(client)


def test_it_does_not_open_where_a_chain_is_lost_after_the_arming(rooms: Rooms, form: Form) -> None:
    node, _ = rooms
    gate = gate_with_address(node)
    node.call(gate.arm)
    take_chain(node, form, "in")
    assert node.call(gate.open) is False
    assert "lease { 0.0.0.0" not in nft(node, f"list table {form.table}")
    assert "expires" not in nft(node, f"list table {form.table}")


def test_a_gate_that_somebody_flushed_away_is_put_up_again(rooms: Rooms) -> None:
    """As `systemctl reload nftables` does where its file begins with a flush."""
    node, client = rooms
    gate = opened(node)
    nft(node, "flush ruleset")
    assert node.call(gate.renew) is False
    node.call(gate.close)
    assert not answers(client)
    node.call(gate.arm)
    assert node.call(gate.open)
    assert answers(client)


def replaced(node: Room, client: Room, form: Form) -> None:
    """The node's interface is deleted, and made again under its name."""
    node.ip("link", "delete", "eth0")
    if not form.by_device:
        put_on_bridge(node, "port0")
        node.ip("link", "set", "eth0", "up")
        return
    node.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", str(client.thread_id))
    client.ip("address", "add", "10.9.0.9/24", "dev", "eth0")
    for room in (node, client):
        room.ip("link", "set", "eth0", "up")


@pytest.mark.parametrize("chains_go_along", [True, False], ids=["before 6.16", "this kernel"])
def test_an_interface_that_is_made_again_gets_an_address_only_when_it_is_hooked(
    rooms: Rooms, form: Form, chains_go_along: bool
) -> None:
    node, client = rooms
    gate = opened(node)
    assert node.call(gate.index, "eth0") > 0
    replaced(node, client, form)
    if chains_go_along:
        for direction in DIRECTIONS:
            take_chain(node, form, direction)
    with pytest.raises(OSError, match="No such device"):
        node.call(gate.index, "eth0")
    assert node.call(gate.renew) is False
    node.call(gate.follow)
    assert node.call(gate.renew), "the lease went on for what else it guards"
    assert node.call(gate.index, "eth0") > 0
    for address in (VIP, NODE):
        node.ip("address", "add", f"{address}/32", "dev", "eth0")
    assert answers(client)
    node.call(gate.close)
    assert not answers(client)


def add_interface(node: Room, form: Form, name: str) -> None:
    """One that can be guarded."""
    of_kind = ("veth", "peer", "name", f"{name}-far") if form.by_device else ("bridge",)
    node.ip("link", "add", name, "type", *of_kind)


def test_an_interface_that_is_away_does_not_keep_the_lease_of_others(rooms: Rooms, form: Form) -> None:
    node, client = rooms
    add_interface(node, form, "lan1")
    node.ip("address", "add", f"{VIP}/24", "dev", "eth0")
    gate = node.call(Gate, [VIP, "10.8.0.100"], ["eth0", "lan1", "lan2"], LONG_S)
    node.call(gate.put_up)
    node.call(gate.arm)
    assert node.call(gate.open)
    node.ip("link", "delete", "lan1")
    node.call(gate.follow)
    assert node.call(gate.renew)
    assert answers(client)
    add_interface(node, form, "lan2")
    node.call(gate.follow)
    assert node.call(gate.index, "lan2") > 0
    assert node.call(gate.renew)


@pytest.mark.parametrize("form", [BRIDGE], ids=["bridge"], indirect=True)
def test_where_bridges_alone_can_be_guarded_no_other_interface_gets_an_address(rooms: Rooms) -> None:
    node, client = rooms
    node.ip("link", "add", "lan1", "type", "veth", "peer", "name", "lan1-far")
    node.ip("address", "add", f"{VIP}/24", "dev", "eth0")
    gate = node.call(Gate, [VIP, "10.8.0.100"], ["eth0", "lan1"], LONG_S)
    node.call(gate.put_up)
    with pytest.raises(OSError, match=r"lan1 is no bridge, and nftables of this kernel guards nothing else"):
        node.call(gate.index, "lan1")
    node.call(gate.arm)
    assert node.call(gate.open)
    assert node.call(gate.renew)
    assert answers(client)
    node.ip("link", "delete", "lan1")
    add_interface(node, BRIDGE, "lan1")
    node.call(gate.follow)
    assert node.call(gate.index, "lan1") > 0


@pytest.mark.parametrize("form", [BRIDGE], ids=["bridge"], indirect=True)
def test_what_a_bridge_forwards_for_others_passes_a_closed_gate(rooms: Rooms) -> None:
    """A guest of this node reaches the holder of the address, on another node, through the same bridge."""
    node, client = rooms
    guest = Room()
    node.ip("link", "add", "port1", "type", "veth", "peer", "name", "eth0", "netns", str(guest.thread_id))
    node.ip("link", "set", "port1", "master", "eth0", "up")
    guest.ip("address", "add", "10.9.0.33/24", "dev", "eth0")
    guest.ip("link", "set", "eth0", "up")
    gate = node.call(Gate, [VIP], ["eth0"], LONG_S)
    node.call(gate.install)
    client.ip("address", "add", f"{VIP}/24", "dev", "eth0")
    try:
        assert any(reached(guest, VIP) for _ in range(10)), "its link takes a second to be up"
    finally:
        guest.close()


def test_a_kernel_without_either_family_says_so(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    node, _ = rooms
    neither = replace(NETDEV, family="decnet")
    monkeypatch.setattr(gate_form, "FORMS", (neither,))
    gate = node.call(Gate, [VIP], ["eth0"], LONG_S)
    with pytest.raises(NftError):
        node.call(gate.put_up)


def test_the_other_family_is_taken_where_the_first_is_not_offered(
    rooms: Rooms, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, client = rooms
    run = Nft.run

    def without_the_other(nft: Nft, commands: str) -> str:
        if f"add table {other.table}" in commands:
            raise NftError("Error: Could not process rule: Operation not supported")
        return run(nft, commands)

    other = NETDEV if form is BRIDGE else BRIDGE
    monkeypatch.setattr(gate_form, "FORMS", (other, form))
    monkeypatch.setattr(Nft, "run", without_the_other)
    gate_with_address(node)
    assert form.table in nft(node, "list tables")
    assert not answers(client)


def test_an_interface_is_followed_where_the_table_is_gone_too(rooms: Rooms, form: Form) -> None:
    node, client = rooms
    gate = opened(node)
    nft(node, "flush ruleset")
    replaced(node, client, form)
    node.call(gate.follow)
    assert node.call(gate.index, "eth0") > 0
    assert node.call(gate.renew) is False
    for address in (VIP, NODE):
        node.ip("address", "add", f"{address}/32", "dev", "eth0")
    assert not answers(client)


ODD_NAMES = [
    "inet",
    "bridge",
    "0lan",
    "a-b",
    "devname.100",
    "é",
    "x;y",
    "e{",
    "$x",
    "#x",
    "flags",
    "it's",
    "b\\n",
    "@a",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_that_an_interface_can_have_is_hooked(rooms: Rooms, name: str) -> None:
    node, client = rooms
    node.ip("link", "set", "eth0", "down")
    node.ip("link", "set", "eth0", "name", name)
    node.ip("link", "set", name, "up")
    node.ip("address", "add", f"{VIP}/24", "dev", name)
    gate = node.call(Gate, [VIP], [name], LONG_S)
    node.call(gate.install)
    assert not answers(client)
    node.call(gate.arm)
    assert node.call(gate.open)
    assert node.call(gate.renew)
    assert answers(client)


def test_asking_what_the_kernel_offers_changes_nothing(rooms: Rooms, form: Form) -> None:
    node, _ = rooms
    assert node.call(lambda: gate_form.offered(Nft(dry_run=True))) is form
    assert nft(node, "list tables") == ""
