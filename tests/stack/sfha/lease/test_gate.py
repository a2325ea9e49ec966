"""The gate in a real kernel: what it lets through, and that it closes by itself and stays closed."""

import contextlib
import json
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from harness.stack.sfha.config.timing import KERNEL_TICK_S
from harness.stack.sfha.kernel.netlink import AddressTable
from harness.stack.sfha.kernel.nft import Nft, NftError
from harness.stack.sfha.lease import gate_form
from harness.stack.sfha.lease.gate import Gate
from harness.stack.sfha.lease.gate_form import BRIDGE, NETDEV, Form
from harness.stack.sfha.vips.arp import REPLY, REQUEST, ArpAnnouncer, gratuitous_arp
from tests.stack.sfha.kernel.kernel_rooms import Room, put_on_bridge

VIP, NODE, CLIENT = "10.9.0.100", "10.9.0.1", "10.9.0.9"
LEASE_S = 0.150
LONG_S = 5.0
"""For what has nothing to do with the end of a lease, however slow this machine is at the moment."""
HEARD_WITHIN_S = 5.0
Rooms = tuple[Room, Room]


def gate_with_address(node: Room, lease_s: float = LONG_S) -> Gate:
    node.ip("address", "add", f"{VIP}/24", "dev", "eth0")
    gate = node.call(Gate, [VIP], ["eth0"], lease_s)
    node.call(gate.install)
    return gate


def answers(client: Room, address: str = VIP, within_s: float = HEARD_WITHIN_S) -> bool:
    """Whether somebody answers an ARP request for the address, before the node answers a later one for its own."""
    return client.call(_ask_once, within_s, address)


def _ask_once(within_s: float, address: str) -> bool:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as raw:
        raw.bind(("eth0", 0x0806))
        mac = raw.getsockname()[4]
        for asked in (address, NODE):
            raw.send(_who_has(mac, "10.9.0.9", asked))
        deadline_s = time.monotonic() + within_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            raw.settimeout(left_s)
            try:
                frame = raw.recv(2048)
            except TimeoutError:
                return False
            if frame[20:22] == b"\x00\x02" and frame[28:32] in (socket.inet_aton(address), socket.inet_aton(NODE)):
                return frame[28:32] == socket.inet_aton(address)
    return False


def _who_has(mac: bytes, asker: str, target: str) -> bytes:
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + socket.inet_aton(asker)
    return b"\xff" * 6 + mac + b"\x08\x06" + body + b"\x00" * 6 + socket.inet_aton(target)


def test_it_is_closed_until_opened_and_closes_at_once_when_told(rooms: Rooms) -> None:
    node, client = rooms
    gate = gate_with_address(node)
    assert gate.egress
    assert not answers(client)
    node.call(gate.arm)
    assert not answers(client)
    node.call(gate.arm)
    assert node.call(gate.open)
    assert answers(client)
    node.call(gate.close)
    assert not answers(client)
    node.call(gate.close)


def test_it_goes_dark_by_itself_when_the_lease_ends(rooms: Rooms) -> None:
    """Bounds that hold however late the questions come: the kernel answers, at the moment of the question."""
    node, client = rooms
    gate = gate_with_address(node, LEASE_S)
    node.call(gate.arm)
    before_s = time.monotonic()
    assert node.call(gate.open)
    after_s = time.monotonic()
    asked = client.call(_ask_on, 2 * LEASE_S)
    assert max((one.began_s for one in asked if one.answered), default=0.0) < after_s + LEASE_S + KERNEL_TICK_S
    assert min(one.sent_s for one in asked if not one.answered) > before_s + LEASE_S - KERNEL_TICK_S


@dataclass(frozen=True)
class Question:
    """Sent between ``began_s`` and ``sent_s`` (CLOCK_MONOTONIC)."""

    began_s: float
    sent_s: float
    answered: bool


def _ask_on(watch_s: float) -> list[Question]:
    """Ask again and again. Every question is another asker's, so that a late answer is not taken for another one's."""
    asked: list[Question] = []
    end_s = time.monotonic() + watch_s
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as raw:
        raw.bind(("eth0", 0x0806))
        raw.settimeout(0.05)
        mac = raw.getsockname()[4]
        while (began_s := time.monotonic()) < end_s:
            asker = f"10.9.0.{101 + len(asked) % 150}"
            raw.send(_who_has(mac, asker, VIP))
            sent_s = time.monotonic()
            asked.append(Question(began_s, sent_s, _is_told(raw, asker)))
            time.sleep(0.002)  # the pace of the questions
    return asked


def _is_told(raw: socket.socket, asker: str) -> bool:
    try:
        while True:
            frame = raw.recv(2048)
            if frame[20:22] == b"\x00\x02" and frame[38:42] == socket.inet_aton(asker):
                return True
    except TimeoutError:
        return False


@pytest.mark.parametrize("first", ["open", "renew"])
def test_an_old_decision_cannot_open_it_again(rooms: Rooms, first: str) -> None:
    node, client = rooms
    gate = gate_with_address(node, LEASE_S)
    node.call(gate.arm)
    late: Callable[[], bool] = gate.open
    if first == "renew":
        assert node.call(gate.open)
        assert node.call(gate.renew)
        late = gate.renew
    time.sleep(LEASE_S + KERNEL_TICK_S)  # not waiting for something to happen: it is the freeze itself
    assert node.call(late) is False
    assert not answers(client)
    node.call(gate.arm)
    assert node.call(gate.open)
    assert answers(client)


def test_opening_uses_the_arming_up(rooms: Rooms) -> None:
    node, _ = rooms
    gate = gate_with_address(node)
    node.call(gate.arm)
    assert node.call(gate.open)
    node.call(gate.close)
    assert node.call(gate.open) is False
    assert node.call(gate.renew) is False


def test_a_stale_announcement_does_not_leave_the_node(rooms: Rooms) -> None:
    node, client = rooms
    gate = gate_with_address(node)
    assert _announcements_heard(node, client, 0.1) == []
    node.call(gate.arm)
    assert node.call(gate.open)
    assert _announcements_heard(node, client, 0.1) == [REQUEST, REPLY]


def test_on_kernels_without_an_egress_hook_no_question_comes_in(rooms: Rooms) -> None:
    """Neither who has the address, nor anything from clients that know it: they have it in their caches for minutes."""
    node, client = rooms
    node.ip("address", "add", f"{VIP}/24", "dev", "eth0")
    gate = node.call(lambda: Gate([VIP], ["eth0"], LONG_S, guard_egress=False))
    node.call(gate.install)
    assert gate.egress is False
    assert not answers(client)
    client.ip("neighbour", "replace", VIP, "lladdr", mac_of(node), "dev", "eth0", "nud", "permanent")
    node.ip("neighbour", "replace", "10.9.0.9", "lladdr", mac_of(client), "dev", "eth0", "nud", "permanent")
    assert not reached(client, VIP)
    node.call(gate.arm)
    assert node.call(gate.open)
    assert reached(client, VIP)


def test_a_stale_packet_does_not_leave_the_node(rooms: Rooms) -> None:
    node, client = rooms
    node.ip("neighbour", "replace", "10.9.0.9", "lladdr", mac_of(client), "dev", "eth0", "nud", "permanent")
    gate = gate_with_address(node)
    assert not heard_from(node, client, VIP, CLIENT, NODE)
    node.call(gate.arm)
    assert node.call(gate.open)
    assert heard_from(node, client, VIP, CLIENT, NODE)


def test_a_stale_packet_of_an_ipv6_address_does_not_leave_the_node(rooms: Rooms) -> None:
    node, client = rooms
    client.ip("address", "add", "fd00:9::9/64", "dev", "eth0", "nodad")
    for address in (SIX, "fd00:9::1"):
        node.ip("address", "add", f"{address}/64", "dev", "eth0", "nodad")
    node.ip("neighbour", "replace", "fd00:9::9", "lladdr", mac_of(client), "dev", "eth0", "nud", "permanent")
    gate = node.call(Gate, [VIP, SIX], ["eth0", "eth0"], LONG_S)
    node.call(gate.install)
    assert not heard_from(node, client, SIX, "fd00:9::9", "fd00:9::1")
    node.call(gate.arm)
    assert node.call(gate.open)
    assert heard_from(node, client, SIX, "fd00:9::9", "fd00:9::1")


def mac_of(room: Room) -> str:
    shown = room.call(lambda: subprocess.check_output(["ip", "-json", "link", "show", "eth0"], text=True))
    return str(json.loads(shown)[0]["address"])


def heard_from(node: Room, client: Room, source: str, target: str, own: str) -> bool:
    """Whether a datagram in the name of an address reaches the client, before a later one in the node's own name.

    Sent again until one does: a link that is just up takes no IPv6 for a moment.
    """
    family = socket.AF_INET6 if ":" in source else socket.AF_INET

    def listen() -> socket.socket:
        opened = socket.socket(family, socket.SOCK_DGRAM)
        opened.bind((target, 9))
        opened.settimeout(0.1)
        return opened

    def send() -> None:
        for sender in (source, own):
            with socket.socket(family, socket.SOCK_DGRAM) as opened, contextlib.suppress(PermissionError):
                opened.bind((sender, 0))
                opened.sendto(b"stale", (target, 9))

    deadline_s = time.monotonic() + HEARD_WITHIN_S
    with client.call(listen) as opened:
        while time.monotonic() < deadline_s:
            node.call(send)
            with contextlib.suppress(TimeoutError):
                return str(opened.recvfrom(64)[1][0]) == source
    raise TimeoutError(f"nothing of {source} nor of {own} reaches {target}")


def _announcements_heard(node: Room, client: Room, within_s: float) -> list[int]:
    def listen() -> socket.socket:
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
        raw.bind(("eth0", 0x0806))
        raw.settimeout(within_s)
        return raw

    heard: list[int] = []
    with client.call(listen) as raw:
        announcer = node.call(ArpAnnouncer)
        node.call(_ignoring_refusal, announcer)
        try:
            while len(heard) < 2:
                frame = raw.recv(2048)
                if frame[28:32] == frame[38:42] == socket.inet_aton(VIP):
                    heard.append(int.from_bytes(frame[20:22]))
        except TimeoutError:
            pass
    return heard


def _ignoring_refusal(announcer: ArpAnnouncer) -> None:
    with contextlib.suppress(OSError):  # ENOBUFS is how the kernel says that the gate dropped it
        announcer("eth0", VIP)


def test_the_holders_announcement_reaches_a_node_whose_gate_is_closed(rooms: Rooms) -> None:
    """Else other nodes of the cluster would keep the MAC of a dead holder."""
    node, client = rooms
    gate = node.call(Gate, [VIP], ["eth0"], LEASE_S)
    node.call(gate.install)
    mac = b"\x02\x00\x00\x00\x00\x07"
    node.ip("neighbour", "replace", VIP, "lladdr", "02:00:00:00:00:01", "dev", "eth0", "nud", "stale")
    client.call(_send_frame, gratuitous_arp(REPLY, mac, VIP))
    deadline_s = time.monotonic() + 2
    seen = ""
    while "02:00:00:00:00:07" not in seen and time.monotonic() < deadline_s:
        seen = node.call(lambda: subprocess.check_output(["ip", "neighbour"], text=True))
    assert "02:00:00:00:00:07" in seen


def _send_frame(frame: bytes) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("eth0", 0))
        raw.send(frame)


def test_other_addresses_pass(rooms: Rooms) -> None:
    node, client = rooms
    gate_with_address(node)
    assert answers(client, NODE)


def test_an_interface_that_is_not_there_is_named(rooms: Rooms) -> None:
    node, _ = rooms
    gate = node.call(Gate, [VIP], ["eth7"], LEASE_S)
    with pytest.raises(NftError, match=r"eth7|No such file"):
        node.call(gate.install)
    with pytest.raises(NftError, match="eth7"):
        node.call(gate.arm)


def test_two_addresses_open_and_close_together(rooms: Rooms) -> None:
    node, _ = rooms
    gate = node.call(Gate, [VIP, "10.9.0.101"], ["eth0", "eth0"], LONG_S)
    node.call(gate.install)
    node.call(gate.arm)
    assert node.call(gate.open)
    assert node.call(gate.renew)
    node.call(gate.close)
    assert node.call(gate.renew) is False


SIX = "fd00:9::100"


def reached(client: Room, address: str) -> bool:
    """Whether a kernel answers there: nobody listens, so the answer is a refusal."""

    def knock() -> bool:
        try:
            socket.create_connection((address, 9), timeout=0.5).close()
        except ConnectionRefusedError:
            return True
        except OSError:  # nobody answers, or nobody says who has the address
            return False
        return True

    return client.call(knock)


def test_an_ipv6_address_is_guarded_in_the_same_way(rooms: Rooms) -> None:
    node, client = rooms
    client.ip("address", "add", "fd00:9::9/64", "dev", "eth0", "nodad")
    gate = node.call(Gate, [VIP, SIX], ["eth0", "eth0"], 2.0)
    node.call(gate.install)
    table = node.call(AddressTable)
    node.call(table.put, "eth0", SIX, 64, 60)
    assert (SIX, 64) in node.call(table.addresses, "eth0")
    assert not reached(client, SIX)
    node.call(gate.arm)
    assert node.call(gate.open)
    node.call(node.call(ArpAnnouncer), "eth0", SIX)  # the client is between two questions, a second apart
    assert reached(client, SIX)
    node.call(gate.close)
    assert not reached(client, SIX)
    assert node.call(table.remove, "eth0", SIX, 64)
    assert not node.call(table.remove, "eth0", SIX, 64)


DIRECTIONS = ["in", "out"]


def nft(node: Room, commands: str) -> str:
    return node.call(
        lambda: subprocess.run(["nft", "-f", "-"], input=commands, check=True, capture_output=True, text=True).stdout
    )


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
