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
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from harness.clock import now_s
from harness.errors import FabricError
from harness.fabric.namespaces import call_in

_ETHERTYPE_IPV4 = 0x0800
_TTL = 64
_NONCE_BYTES = 16
_EVERY_S = 0.005
_BATCH = 50
_QUIET_S = 0.03
_SLOW_BATCH, _SLOW_PAUSE_S, _SLOW_QUIET_S = 16, 0.02, 0.5
"""Where an end is in a kernel of its own: that holds 64 packets at once, and its agent says of each that it came."""
_PACKET_BYTES = 2048
_SOURCE_PORT = 9  # discard: nothing is ever sent back to it


@dataclass(frozen=True, slots=True)
class Like:
    """What a canary looks like: to which port (0: one that is free), and how long at least, IP header and all."""

    protocol: Literal["udp", "tcp"] = "udp"
    port: int = 0
    length_bytes: int = 0


ORDINARY = Like()


class Sender(Protocol):
    """What puts frames on a wire."""

    def send(self, frame: bytes) -> None:
        """Send one. BlockingIOError when it is lost already, another OSError when the cable is gone."""

    def close(self) -> None: ...


class Receiver(Protocol):
    """What takes what arrives at an end."""

    port: int
    """Where it has to be sent to."""

    async def receive(self) -> bytes:
        """The next that arrives, waited for."""

    def take(self) -> bytes | None:
        """The next that has arrived, None when there is nothing."""

    def close(self) -> None: ...


class CanaryEnd(Protocol):
    """A port of a node or client, wherever its network is."""

    @property
    def mac(self) -> str: ...

    @property
    def address(self) -> str: ...

    @property
    def wire(self) -> "End":
        """Where what comes in by its cable can be heard on this host."""

    def sender(self) -> Sender:
        """FabricError when the end is gone."""

    def receiver(self, like: Like) -> Receiver:
        """FabricError when the end is gone or has no such address."""


@dataclass(frozen=True, slots=True)
class End:
    """A port in a network namespace of this host (/proc/PID/ns/net): link, hardware and plain IPv4 address."""

    namespace: Path
    interface: str
    mac: str
    address: str

    @property
    def wire(self) -> "End":
        """The port itself."""
        return self

    def sender(self) -> Sender:
        """A packet socket in the namespace."""
        return _LocalSender(_opened(self, _sender))

    def receiver(self, like: Like) -> Receiver:
        """A socket in the namespace: an ordinary one, or, for a port that may be somebody's, one that sees all."""
        opened = _opened(self, _wiretap if like.port else _receiver)
        return _LocalReceiver(opened, like.port or opened.getsockname()[1])


async def arrives(
    source: CanaryEnd,
    destination: CanaryEnd,
    *,
    within_s: float,
    next_hop_mac: str | None = None,
    like: Like = ORDINARY,
) -> bool:
    """Whether a packet sent by ``source`` reaches ``destination``; sent again every 5 ms until ``within_s``.

    ``next_hop_mac`` is the router's, when they are on different networks. Returns as soon as one arrived.
    Raises FabricError when a namespace is gone or an end has no such link or address.
    """
    nonce = os.urandom(_NONCE_BYTES)
    async with _sockets(source, destination, like) as (sender, receiver):
        made = replace(like, port=receiver.port)
        frame = _frame(source, destination, next_hop_mac or destination.mac, made, nonce)
        return await _sent_until_seen(sender, receiver, frame, nonce, now_s() + within_s)


async def how_many_arrive(
    source: CanaryEnd, destination: CanaryEnd, *, count: int, next_hop_mac: str | None = None, besides_s: float = 0.0
) -> int:
    """How many of so many packets, sent as fast as they are taken, arrive within a moment (and ``besides_s``) of the
    last."""
    seen: set[bytes] = set()
    is_quick = isinstance(source, End) and isinstance(destination, End)
    async with _sockets(source, destination, ORDINARY) as (sender, receiver):
        made = Like(port=receiver.port)
        for number in range(count):
            nonce = number.to_bytes(_NONCE_BYTES, "big")
            _send(sender, _frame(source, destination, next_hop_mac or destination.mac, made, nonce))
            if number % (_BATCH if is_quick else _SLOW_BATCH) == 0:
                await asyncio.sleep(0.0 if is_quick else _SLOW_PAUSE_S)
                await _collect(receiver, seen, 0.0)
        await _collect(receiver, seen, (_QUIET_S if is_quick else _SLOW_QUIET_S) + besides_s)
    return len(seen)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A canary of a train that came: its number, when, how long it was on its way, and whether it is another by now."""

    number: int
    at_s: float
    delay_s: float
    changed: bool


@dataclass(frozen=True, slots=True)
class Train:
    """Canaries one after the other: how many, how long each (as an IP packet), and how far apart."""

    count: int
    every_s: float = 0.0
    length_bytes: int = 100
    last_within_s: float = 0.1
    """How long after the last was sent another may still come."""


async def ride(
    source: CanaryEnd, destination: CanaryEnd, train: Train, next_hop_mac: str | None = None
) -> list[Arrival]:
    """Send a train; gives what came of it, in the order in which it came, more than once if it came more than once."""
    sent_s: list[float] = []
    found: list[Arrival] = []
    async with _sockets(source, destination, ORDINARY) as (sender, receiver):
        made = Like(port=receiver.port, length_bytes=train.length_bytes)
        contents = [number.to_bytes(_NONCE_BYTES, "big") for number in range(train.count)]
        frames = [_frame(source, destination, next_hop_mac or destination.mac, made, one) for one in contents]
        hearing = asyncio.ensure_future(_heard(receiver, frames, sent_s, found))
        try:
            due_s = now_s()
            for number, frame in enumerate(frames):
                sent_s.append(now_s())
                _send(sender, frame)
                due_s += train.every_s
                if train.every_s or number % _BATCH == 0:
                    await asyncio.sleep(max(0.0, due_s - now_s()))
            await asyncio.wait([hearing], timeout=train.last_within_s)
            if hearing.done():
                hearing.result()
        finally:
            hearing.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await hearing
    return found


async def _heard(receiver: Receiver, frames: list[bytes], sent_s: list[float], found: list[Arrival]) -> None:
    while True:
        content, at_s = await receiver.receive(), now_s()
        number = int.from_bytes(content[:_NONCE_BYTES], "big")
        if number < len(sent_s):
            found.append(Arrival(number, at_s, at_s - sent_s[number], not frames[number].endswith(content)))
        else:
            found.append(Arrival(-1, at_s, 0.0, changed=True))


async def _collect(receiver: Receiver, seen: set[bytes], quiet_s: float) -> None:
    """Take what has arrived, until nothing has for a while."""
    arrived: set[bytes] | None = None
    while arrived is None or arrived:
        seen.update(iter(receiver.take, None))
        await asyncio.sleep(quiet_s)
        if not quiet_s:
            return
        arrived = set(iter(receiver.take, None))
        seen |= arrived


@asynccontextmanager
async def _sockets(source: CanaryEnd, destination: CanaryEnd, like: Like) -> AsyncIterator[tuple[Sender, Receiver]]:
    receiver = destination.receiver(like)
    try:
        sender = source.sender()
        try:
            yield sender, receiver
        finally:
            # The kernel waits some 20 ms for its other processors before a packet socket is closed.
            await asyncio.to_thread(sender.close)
    finally:
        receiver.close()


async def _sent_until_seen(sender: Sender, receiver: Receiver, frame: bytes, nonce: bytes, deadline_s: float) -> bool:
    seen = asyncio.ensure_future(_seen(receiver, nonce))
    try:
        while True:
            late = now_s() >= deadline_s
            _send(sender, frame)
            await asyncio.wait([seen], timeout=_EVERY_S)
            if seen.done():
                seen.result()
                return True
            if late:
                return False
    finally:
        seen.cancel()
        with suppress(asyncio.CancelledError, OSError):
            await seen


def _send(sender: Sender, frame: bytes) -> None:
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


async def _seen(receiver: Receiver, nonce: bytes) -> None:
    while nonce not in await receiver.receive():
        pass


@dataclass(frozen=True, slots=True)
class _LocalSender:
    socket: socket.socket

    def send(self, frame: bytes) -> None:
        self.socket.send(frame)

    def close(self) -> None:
        self.socket.close()


@dataclass(slots=True)
class _LocalReceiver:
    socket: socket.socket
    port: int

    async def receive(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.socket, _PACKET_BYTES)

    def take(self) -> bytes | None:
        try:
            return self.socket.recv(_PACKET_BYTES)
        except BlockingIOError:
            return None

    def close(self) -> None:
        self.socket.close()


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


def _frame(source: CanaryEnd, destination: CanaryEnd, next_hop_mac: str, like: Like, nonce: bytes) -> bytes:
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
