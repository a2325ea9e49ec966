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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from harness.clock import now_s
from harness.errors import FabricError
from harness.fabric.namespaces import call_in

_ETHERTYPE_IPV4 = 0x0800
_TTL = 64
_NONCE_BYTES = 16
_EVERY_S = 0.005
_SOURCE_PORT = 9  # discard: nothing is ever sent back to it
Opened = TypeVar("Opened")


class Sender(Protocol):
    """What puts frames on a wire."""

    def send(self, frame: bytes) -> None:
        """Send one. OSError when the cable is gone."""

    def close(self) -> None: ...


class Receiver(Protocol):
    """An ordinary socket for UDP at an address."""

    port: int

    async def receive(self) -> bytes:
        """The next datagram that arrives, waited for."""

    def close(self) -> None: ...


class CanaryEnd(Protocol):
    """A port of a node or client, wherever its network is."""

    @property
    def mac(self) -> str: ...

    @property
    def address(self) -> str: ...

    def sender(self) -> Sender:
        """FabricError when the end is gone."""

    def receiver(self) -> Receiver:
        """FabricError when the end is gone or has no such address."""


@dataclass(frozen=True, slots=True)
class End:
    """A port in a network namespace of this host (/proc/PID/ns/net): link, hardware and plain IPv4 address."""

    namespace: Path
    interface: str
    mac: str
    address: str

    def sender(self) -> Sender:
        """A packet socket in the namespace."""
        return _opened(self, lambda: _LocalSender(self.interface))

    def receiver(self) -> Receiver:
        """A socket in the namespace."""
        return _opened(self, lambda: _LocalReceiver(self.address))


async def arrives(
    source: CanaryEnd, destination: CanaryEnd, *, within_s: float, next_hop_mac: str | None = None
) -> bool:
    """Whether a packet sent by ``source`` reaches ``destination``; sent again every 5 ms until ``within_s``.

    ``next_hop_mac`` is the router's, when they are on different networks. Returns as soon as one arrived.
    Raises FabricError when a namespace is gone or an end has no such link or address.
    """
    nonce = os.urandom(_NONCE_BYTES)
    receiver = destination.receiver()
    try:
        sender = source.sender()
        try:
            frame = _frame(source, destination, next_hop_mac or destination.mac, receiver.port, nonce)
            return await _sent_until_seen(sender, receiver, frame, nonce, now_s() + within_s)
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
            try:
                sender.send(frame)
            except OSError as error:  # the cable was pulled: nothing can arrive any more
                raise FabricError(f"the canary could not be sent: {error.strerror}") from error
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


async def _seen(receiver: Receiver, nonce: bytes) -> None:
    while await receiver.receive() != nonce:
        pass


def _opened(end: End, how: Callable[[], Opened]) -> Opened:
    try:
        return call_in(end.namespace, how)
    except OSError as error:
        raise FabricError(f"no canary at {end.address} on {end.interface}: {error.strerror}") from error


class _LocalReceiver:
    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.bind((address, 0))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]

    async def receive(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self._socket, 2048)

    def close(self) -> None:
        self._socket.close()


class _LocalSender:
    def __init__(self, interface: str) -> None:
        # Protocol 0: this socket only sends, the kernel queues nothing on it.
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        try:
            self._socket.bind((interface, 0))
        except OSError:
            self._socket.close()
            raise

    def send(self, frame: bytes) -> None:
        self._socket.send(frame)

    def close(self) -> None:
        self._socket.close()


def _frame(source: CanaryEnd, destination: CanaryEnd, next_hop_mac: str, port: int, nonce: bytes) -> bytes:
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
