"""Telling the neighbours where an address is now, with crafted packets.

IPv4: gratuitous ARP in the request form and the reply form (RFC 5227, section 3; RFC 826).
IPv6: an unsolicited neighbour advertisement that overrides what is known (RFC 4861, section 7.2.6).
"""

import _thread
import socket
import struct

ETHERTYPE_ARP = 0x0806
BROADCAST = b"\xff" * 6
REQUEST, REPLY = 1, 2
ETHERTYPE_IPV6 = 0x86DD
ALL_NODES = bytes.fromhex("ff020000000000000000000000000001")
ALL_NODES_MAC = bytes.fromhex("333300000001")
ICMPV6, HOP_LIMIT = 58, 255
NEIGHBOUR_ADVERTISEMENT, OVERRIDE, TARGET_LINK_LAYER_ADDRESS = 136, 0x20000000, 2


def gratuitous_arp(operation: int, mac: bytes, address: str) -> bytes:
    """An Ethernet frame to everybody: ``address`` is at ``mac``.

    The request form leaves the target's hardware address empty. The reply form repeats the sender's there:
    Linux takes a reply for gratuitous, and overrides a fresh entry, only then (net/ipv4/arp.c, arp_is_garp).
    """
    ip = socket.inet_aton(address)
    target_mac = b"\x00" * 6 if operation == REQUEST else mac
    ethernet = BROADCAST + mac + struct.pack("!H", ETHERTYPE_ARP)
    return ethernet + struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + mac + ip + target_mac + ip


def neighbour_advertisement(mac: bytes, address: str) -> bytes:
    """An Ethernet frame to all nodes: ``address`` (IPv6) is at ``mac``, whatever they knew before."""
    ip = socket.inet_pton(socket.AF_INET6, address)
    option = struct.pack("!BB", TARGET_LINK_LAYER_ADDRESS, 1) + mac
    body = struct.pack("!I", OVERRIDE) + ip + option
    pseudo = ip + ALL_NODES + struct.pack("!II", 4 + len(body), ICMPV6)
    bare = struct.pack("!BBH", NEIGHBOUR_ADVERTISEMENT, 0, 0) + body
    message = struct.pack("!BBH", NEIGHBOUR_ADVERTISEMENT, 0, internet_checksum(pseudo + bare)) + body
    # The address itself is the source, so that a closed gate lets no stale announcement out.
    header = struct.pack("!IHBB", 6 << 28, len(message), ICMPV6, HOP_LIMIT) + ip + ALL_NODES
    return ALL_NODES_MAC + mac + struct.pack("!H", ETHERTYPE_IPV6) + header + message


def internet_checksum(data: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) // 2 * 2]))
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def announcements(mac: bytes, address: str) -> tuple[bytes, ...]:
    """The frames that tell everybody."""
    if ":" in address:
        return (neighbour_advertisement(mac, address),)
    return tuple(gratuitous_arp(operation, mac, address) for operation in (REQUEST, REPLY))


class ArpAnnouncer:
    """Sends every form there is for an address. Its sockets stay open: the kernel takes 10 ms to close one."""

    def __init__(self) -> None:
        self._sockets: dict[str, socket.socket] = {}

    def __call__(self, interface: str, address: str) -> None:
        """Send each form once. Raises OSError when the interface is gone or down."""
        try:
            self._send(interface, address)
        except OSError:  # the interface may be a new one of the same name
            # Elsewhere: the kernel waits for others before it closes one, on a busy host for long.
            _thread.start_new_thread(self._sockets.pop(interface).close, ())
            self._send(interface, address)

    def _send(self, interface: str, address: str) -> None:
        raw = self._sockets.get(interface)
        if raw is None:
            # Protocol 0: it sends and never receives.
            raw = self._sockets[interface] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            raw.bind((interface, 0))
        mac = raw.getsockname()[4]
        for frame in announcements(mac, address):
            raw.send(frame)
