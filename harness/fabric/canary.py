"""A canary: one real packet that does, or does not, get from one namespace to another.

It is a UDP packet (RFC 768) in an Ethernet frame built here, with both hardware addresses known,
so it depends on one direction only: no ARP, whose failures linger for a second, and no answer.
The receiver is an ordinary socket: the packet has passed the destination's whole network stack.
Both sockets are closed before returning: an open one would keep a dead node's namespace alive.
"""

import asyncio
import errno
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.clock import now_s
from harness.errors import FabricError
from harness.fabric.namespaces import call_in

_ETHERTYPE_IPV4 = 0x0800
_TTL = 64
_NONCE_BYTES = 16
_EVERY_S = 0.005
_BATCH = 50
_QUIET_S = 0.03
_SOURCE_PORT = 9  # discard: nothing is ever sent back to it


@dataclass(frozen=True, slots=True)
class End:
    """A port of a node or client: its namespace (/proc/PID/ns/net), link, hardware and plain IPv4 address."""

    namespace: Path
    interface: str
    mac: str
    address: str


@dataclass(frozen=True, slots=True)
class Like:
    """What a canary looks like: to which port (0: one that is free), and how long at least, IP header and all."""

    protocol: Literal["udp", "tcp"] = "udp"
    port: int = 0
    length_bytes: int = 0


ORDINARY = Like()


async def arrives(
    source: End, destination: End, *, within_s: float, next_hop_mac: str | None = None, like: Like = ORDINARY
) -> bool:
    """Whether a packet sent by ``source`` reaches ``destination``; sent again every 5 ms until ``within_s``.

    ``next_hop_mac`` is the router's, when they are on different networks. Returns as soon as one arrived.
    Raises FabricError when a namespace is gone or an end has no such link or address.
    """
    nonce = os.urandom(_NONCE_BYTES)
    async with _sockets(source, destination, like) as (sender, receiver, port):
        made = replace(like, port=port)
        frame = _frame(source, destination, next_hop_mac or destination.mac, made, nonce)
        return await _sent_until_seen(sender, receiver, frame, nonce, now_s() + within_s)


async def how_many_arrive(source: End, destination: End, *, count: int, next_hop_mac: str | None = None) -> int:
    """How many of so many packets, sent as fast as they are taken, arrive within a moment of the last."""
    seen: set[bytes] = set()
    async with _sockets(source, destination, ORDINARY) as (sender, receiver, port):
        made = Like(port=port)
        for number in range(count):
            nonce = number.to_bytes(_NONCE_BYTES, "big")
            _send(sender, _frame(source, destination, next_hop_mac or destination.mac, made, nonce))
            if number % _BATCH == 0:
                await _collect(receiver, seen, 0.0)
        await _collect(receiver, seen, _QUIET_S)
    return len(seen)


async def _collect(receiver: socket.socket, seen: set[bytes], quiet_s: float) -> None:
    """Take what has arrived, until nothing has for a while."""
    while True:
        try:
            while True:
                seen.add(receiver.recv(2048))
        except BlockingIOError:
            pass
        before = len(seen)
        await asyncio.sleep(quiet_s)
        if not quiet_s or (len(seen) == before and not _waits(receiver)):
            return


def _waits(receiver: socket.socket) -> bool:
    try:
        return bool(receiver.recv(2048, socket.MSG_PEEK))
    except BlockingIOError:
        return False


@asynccontextmanager
async def _sockets(
    source: End, destination: End, like: Like
) -> AsyncIterator[tuple[socket.socket, socket.socket, int]]:
    """Sender, receiver and the port to send to."""
    receiver = _opened(destination, _wiretap if like.port else _receiver)
    try:
        sender = _opened(source, _sender)
        try:
            yield sender, receiver, like.port or receiver.getsockname()[1]
        finally:
            # The kernel waits some 20 ms for its other processors before a packet socket is closed.
            await asyncio.to_thread(sender.close)
            if like.port:
                await asyncio.to_thread(receiver.close)
    finally:
        receiver.close()


async def _sent_until_seen(
    sender: socket.socket, receiver: socket.socket, frame: bytes, nonce: bytes, deadline_s: float
) -> bool:
    while True:
        late = now_s() >= deadline_s
        _send(sender, frame)
        if await _seen(receiver, nonce):
            return True
        if late:
            return False


def _send(sender: socket.socket, frame: bytes) -> None:
    try:
        sender.send(frame)
    except BlockingIOError:  # the queue of the link is full: lost, as any packet would be
        pass
    except OSError as error:
        if error.errno not in (
            errno.ENETDOWN,
            errno.ENOBUFS,
        ):  # without a carrier nothing arrives, and that is what is to be seen
            raise FabricError(f"the canary could not be sent: {error.strerror}") from error


async def _seen(receiver: socket.socket, nonce: bytes) -> bool:
    try:
        async with asyncio.timeout(_EVERY_S):
            while True:
                if nonce in await asyncio.get_running_loop().sock_recv(receiver, 2048):
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


def _wiretap(end: End) -> socket.socket:
    """Sees every packet that comes in by the link, whoever has the port; not past the node's own filters."""
    receiver = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.htons(_ETHERTYPE_IPV4))
    try:
        receiver.bind((end.interface, _ETHERTYPE_IPV4))
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


def _frame(source: End, destination: End, next_hop_mac: str, like: Like, nonce: bytes) -> bytes:
    ethernet = _mac_bytes(next_hop_mac) + _mac_bytes(source.mac) + struct.pack("!H", _ETHERTYPE_IPV4)
    head_bytes = 20 + (20 if like.protocol == "tcp" else 8)
    content = nonce + bytes(max(0, like.length_bytes - head_bytes - len(nonce)))
    if like.protocol == "tcp":
        # A lone acknowledgement, its checksum wrong: whoever listens there does not even look at it.
        body = struct.pack("!HHIIBBHHH", _SOURCE_PORT, like.port, 0, 0, 5 << 4, 0x10, 0, 0, 0) + content
    else:
        body = struct.pack("!HHHH", _SOURCE_PORT, like.port, 8 + len(content), 0) + content  # no checksum (RFC 768)
    protocol = socket.IPPROTO_TCP if like.protocol == "tcp" else socket.IPPROTO_UDP
    addresses = socket.inet_aton(source.address) + socket.inet_aton(destination.address)
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, _TTL, protocol, 0) + addresses
    checksum = struct.pack("!H", _checksum(header))
    return ethernet + header[:10] + checksum + header[12:] + body


def _checksum(header: bytes) -> int:
    """The one's complement sum over 16-bit words (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))
