"""The gate in a real kernel: what it lets through, and that it closes by itself and stays closed."""

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from harness.stack.sfha.config.timing import KERNEL_TICK_S
from harness.stack.sfha.kernel.netlink import AddressTable
from harness.stack.sfha.kernel.nft import NftError
from harness.stack.sfha.lease.gate import Gate
from harness.stack.sfha.vips.arp import REPLY, REQUEST, ArpAnnouncer, gratuitous_arp
from tests.stack.sfha.kernel.kernel_rooms import Room
from tests.stack.sfha.lease.gated import (
    CLIENT,
    HEARD_WITHIN_S,
    LEASE_S,
    LONG_S,
    NODE,
    VIP,
    Rooms,
    answers,
    gate_with_address,
    reached,
    who_has,
)


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
            raw.send(who_has(mac, asker, VIP))
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
