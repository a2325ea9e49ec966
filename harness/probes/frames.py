"""ARP and TCP frames on an Ethernet wire: what to let through, what they say, and one to send. Pure.

RFC 826 (ARP), RFC 5227 (announcements and probes), RFC 9293 (TCP); the filter is classic BPF as
in linux/filter.h.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal

ETHERTYPE_ARP, ETHERTYPE_IPV4 = 0x0806, 0x0800
BROADCAST = b"\xff" * 6
_ETHERNET = struct.Struct("!6s6sH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_REQUEST, _REPLY = 1, 2
_PROTOCOL_TCP = 6
_SYN_OR_RST = 0x06

_LD_W_ABS, _LD_H_ABS, _LD_B_ABS, _LD_B_IND, _LDX_MSH = 0x20, 0x28, 0x30, 0x50, 0xB1
_JEQ, _JSET, _RET = 0x15, 0x45, 0x06
_ANCILLARY_PACKET_TYPE = 0xFFFFF004
_PACKET_OUTGOING = 4
_WHOLE_FRAME = 256


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody spoke for an address: how, and from which MAC."""

    what: Literal["arp-reply", "announcement-request", "announcement-reply", "tcp"]
    address: str
    mac: str


def read(frame: bytes) -> Seen | None:
    """What a frame that passed the filter says, or None when it speaks for nobody."""
    if len(frame) < _ETHERNET.size:
        return None
    destination, source, ethertype = _ETHERNET.unpack_from(frame)
    if ethertype == ETHERTYPE_IPV4 and len(frame) >= _ETHERNET.size + 20:
        return Seen("tcp", str(IPv4Address(frame[26:30])), source.hex(":"))
    if ethertype != ETHERTYPE_ARP or len(frame) < _ETHERNET.size + _ARP.size:
        return None
    _, _, _, _, operation, sender_mac, sender, _, target = _ARP.unpack_from(frame, _ETHERNET.size)
    address, mac = str(IPv4Address(sender)), (source if _one_bit_apart(sender_mac, source) else sender_mac).hex(":")
    if operation == _REQUEST:
        return Seen("announcement-request", address, mac) if sender == target else None
    if operation == _REPLY:
        unasked = sender == target or destination == BROADCAST
        return Seen("announcement-reply" if unasked else "arp-reply", address, mac)
    return None


def _one_bit_apart(one: bytes, other: bytes) -> bool:
    """ARP has no checksum: of a frame that was damaged on the way, the MAC that it names is not its sender's."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count() == 1


def who_has(address: str, asker_mac: bytes, asked_mac: bytes = BROADCAST) -> bytes:
    """An ARP probe (RFC 5227, 2.1.1) for an address.

    The sender's IP is all zeros and its MAC belongs to nobody, so the question and its answer teach
    no ARP cache anything, neither the nodes' nor the client's: a client that is stuck on a dead MAC
    stays stuck, as it would without us. ``asked_mac`` is who is asked: all, or one alone.
    """
    body = _ARP.pack(1, ETHERTYPE_IPV4, 6, 4, _REQUEST, asker_mac, bytes(4), bytes(6), IPv4Address(address).packed)
    return (_ETHERNET.pack(asked_mac, asker_mac, ETHERTYPE_ARP) + body).ljust(60, b"\0")


def answers_filter(addresses: Sequence[str]) -> bytes:
    """A classic BPF program: incoming ARP from these addresses, and their TCP segments with SYN or RST."""
    count = len(addresses)
    values = [int(IPv4Address(address)) for address in addresses]
    # Positions in the program: 0 not ours, 2 ethertype, 5 ARP block, then the TCP block, reject, accept.
    tcp = 5 + count
    reject = tcp + 4 + count + 3
    accept = reject + 1
    code: list[tuple[int, int, int, int]] = []

    def jump(operation: int, value: int, yes: int, no: int) -> None:
        here = len(code) + 1
        code.append((operation, yes - here, no - here, value))

    def load(operation: int, offset: int) -> None:
        code.append((operation, 0, 0, offset))

    load(_LD_H_ABS, _ANCILLARY_PACKET_TYPE)
    jump(_JEQ, _PACKET_OUTGOING, reject, 2)
    load(_LD_H_ABS, 12)
    jump(_JEQ, ETHERTYPE_ARP, 4, tcp)
    load(_LD_W_ABS, 28)
    for position, value in enumerate(values):
        jump(_JEQ, value, accept, reject if position == count - 1 else len(code) + 1)
    jump(_JEQ, ETHERTYPE_IPV4, tcp + 1, reject)
    load(_LD_B_ABS, 23)
    jump(_JEQ, _PROTOCOL_TCP, tcp + 3, reject)
    load(_LD_W_ABS, 26)
    for position, value in enumerate(values):
        jump(_JEQ, value, tcp + 4 + count, reject if position == count - 1 else len(code) + 1)
    load(_LDX_MSH, 14)
    load(_LD_B_IND, 14 + 13)
    jump(_JSET, _SYN_OR_RST, accept, reject)
    code += [(_RET, 0, 0, 0), (_RET, 0, 0, _WHOLE_FRAME)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
