"""A canary: one real packet that does, or does not, get from one namespace to another.

It is a UDP packet (RFC 768) in an Ethernet frame built here, with both hardware addresses known,
so it depends on one direction only: no ARP, whose failures linger for a second, and no answer.
The receiver is an ordinary socket: the packet has passed the destination's whole network stack.
Both sockets are closed before returning: an open one would keep a dead node's namespace alive.
"""

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.clock import now_s
from harness.errors import FabricError
from harness.fabric.namespaces import call_in

_ETHERTYPE_IPV4 = 0x0800
_TTL = 64
_NONCE_BYTES = 16
_EVERY_S = 0.005
_SOURCE_PORT = 9  # discard: nothing is ever sent back to it


@dataclass(frozen=True, slots=True)
class End:
    """A port of a node or client: its namespace (/proc/PID/ns/net), link, hardware and plain IPv4 address."""

    namespace: Path
    interface: str
    mac: str
    address: str


async def arrives(source: End, destination: End, *, within_s: float, next_hop_mac: str | None = None) -> bool:
    """Whether a packet sent by ``source`` reaches ``destination``; sent again every 5 ms until ``within_s``.

    ``next_hop_mac`` is the router's, when they are on different networks. Returns as soon as one arrived.
    Raises FabricError when a namespace is gone or an end has no such link or address.
    """
    nonce = os.urandom(_NONCE_BYTES)
    receiver = _opened(destination, _receiver)
    try:
        sender = _opened(source, _sender)
        try:
            frame = _frame(source, destination, next_hop_mac or destination.mac, receiver.getsockname()[1], nonce)
            return await _sent_until_seen(sender, receiver, frame, nonce, now_s() + within_s)
        finally:
            # The kernel waits some 20 ms for its other processors before a packet socket is closed.
            await asyncio.to_thread(sender.close)
    finally:
        receiver.close()


async def _sent_until_seen(
    sender: socket.socket, receiver: socket.socket, frame: bytes, nonce: bytes, deadline_s: float
) -> bool:
    while True:
        late = now_s() >= deadline_s
        try:
            sender.send(frame)
        except OSError as error:  # the cable was pulled: nothing can arrive any more
            raise FabricError(f"the canary could not be sent: {error.strerror}") from error
        if await _seen(receiver, nonce):
            return True
        if late:
            return False


async def _seen(receiver: socket.socket, nonce: bytes) -> bool:
    try:
        async with asyncio.timeout(_EVERY_S):
            while True:
                if await asyncio.get_running_loop().sock_recv(receiver, 2048) == nonce:
                    return True
    except TimeoutError:
        return False


def _opened(end: End, how: Callable[[End], socket.socket]) -> socket.socket:
    try:
        return call_in(end.namespace, lambda: how(end))
    except OSError as error:
        raise FabricError(f"no canary at {end.address} on {end.interface}: {error.strerror}") from error


def _receiver(end: End) -> socket.socket:
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        receiver.bind((end.address, 0))
    except OSError:
        receiver.close()
        raise
    return receiver


def _sender(end: End) -> socket.socket:
    # Protocol 0: this socket only sends, the kernel queues nothing on it.
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    try:
        sender.bind((end.interface, 0))
    except OSError:
        sender.close()
        raise
    return sender


def _frame(source: End, destination: End, next_hop_mac: str, port: int, nonce: bytes) -> bytes:
    ethernet = _mac_bytes(next_hop_mac) + _mac_bytes(source.mac) + struct.pack("!H", _ETHERTYPE_IPV4)
    udp = struct.pack("!HHHH", _SOURCE_PORT, port, 8 + len(nonce), 0) + nonce  # checksum 0: not used (RFC 768)
    addresses = socket.inet_aton(source.address) + socket.inet_aton(destination.address)
    length = 20 + len(udp)
    header = struct.pack("!BBHHHBBH", 0x45, 0, length, 0, 0, _TTL, socket.IPPROTO_UDP, 0) + addresses
    checksum = struct.pack("!H", _checksum(header))
    return ethernet + header[:10] + checksum + header[12:] + udp


def _checksum(header: bytes) -> int:
    """The one's complement sum over 16-bit words (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))
