"""Gratuitous ARP, crafted as packets: the request form and the reply form (RFC 5227, section 3; RFC 826)."""

import socket
import struct

ETHERTYPE_ARP = 0x0806
BROADCAST = b"\xff" * 6
REQUEST, REPLY = 1, 2


def gratuitous_arp(operation: int, mac: bytes, address: str) -> bytes:
    """An Ethernet frame to everybody: ``address`` is at ``mac``.

    The request form leaves the target's hardware address empty. The reply form repeats the sender's there:
    Linux takes a reply for gratuitous, and overrides a fresh entry, only then (net/ipv4/arp.c, arp_is_garp).
    """
    ip = socket.inet_aton(address)
    target_mac = b"\x00" * 6 if operation == REQUEST else mac
    ethernet = BROADCAST + mac + struct.pack("!H", ETHERTYPE_ARP)
    return ethernet + struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + mac + ip + target_mac + ip


class ArpAnnouncer:
    """Sends both forms. Its sockets stay open: the kernel takes 10 ms to close a packet socket."""

    def __init__(self) -> None:
        self._sockets: dict[str, socket.socket] = {}

    def __call__(self, interface: str, address: str) -> None:
        """Send both forms once. Raises OSError when the interface is gone or down."""
        try:
            self._send(interface, address)
        except OSError:  # the interface may be a new one of the same name
            self._sockets.pop(interface).close()
            self._send(interface, address)

    def _send(self, interface: str, address: str) -> None:
        raw = self._sockets.get(interface)
        if raw is None:
            # Protocol 0: it sends and never receives.
            raw = self._sockets[interface] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            raw.bind((interface, 0))
        mac = raw.getsockname()[4]
        for operation in (REQUEST, REPLY):
            raw.send(gratuitous_arp(operation, mac, address))
