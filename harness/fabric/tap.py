"""A packet socket at a port of the fabric: hears what comes in there, and says whatever it is given, word for word."""

import asyncio
import ctypes
import errno
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from harness.clock import now_s
from harness.errors import FabricError
from harness.fabric.canary import End
from harness.fabric.namespaces import call_in
from harness.fabric.sieve import Sieve

ETHERTYPE_ARP, ETHERTYPE_IPV4 = 0x0806, 0x0800
ANY_ETHERTYPE = 0x0003
"""What a bridge takes away before anybody who asks for a type of frames could have it is heard as well (if_ether.h)."""
_LONGEST_BYTES = 2048
_SO_ATTACH_FILTER = 26
_SOL_PACKET, _IGNORE_OUTGOING = 263, 23


class Tap:
    """To be closed soon where it is a node's: an open socket keeps the namespace of a dead node alive."""

    def __init__(self, end: End, ethertype: int, only: Sieve = ()) -> None:
        """Raises FabricError when there is no such port any more."""

        def opened() -> socket.socket:
            tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(ethertype))
            try:
                if only:
                    _attach(tap, only)
                if end.interface:
                    tap.bind((end.interface, ethertype))
                else:
                    tap.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
                    _forget(tap)
            except OSError:
                tap.close()
                raise
            return tap

        try:
            self._socket = call_in(end.namespace, opened)
        except OSError as error:
            raise FabricError(f"nobody can listen at {end.address}: {error.strerror}") from error

    def say(self, frame: bytes) -> None:
        """Send a frame; one that the link does not take at this moment is lost. FabricError when the link is gone."""
        try:
            self._socket.send(frame)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # packet(7): the queue of the link is full
                raise FabricError(f"the stranger cannot send: {error.strerror}") from error

    async def next(self) -> bytes:
        """The next frame that comes in. FabricError when the link is gone."""
        try:
            return await asyncio.get_running_loop().sock_recv(self._socket, _LONGEST_BYTES)
        except OSError as error:
            raise FabricError(f"the stranger cannot hear: {error.strerror}") from error

    async def count(self, is_wanted: Callable[[bytes], bool], *, within_s: float, enough: int) -> int:
        """How many such frames come in, until there are enough or the time is over."""
        found, deadline_s = 0, now_s() + within_s
        while found < enough and (left_s := deadline_s - now_s()) > 0:
            try:
                found += is_wanted(await asyncio.wait_for(self.next(), left_s))
            except TimeoutError:
                break
        return found

    async def close(self) -> None:
        """In a thread: the kernel waits some 20 ms for its other processors before it closes a packet socket."""
        await asyncio.to_thread(self._socket.close)


def _forget(tap: socket.socket) -> None:
    """What came in before it heard only what it is to hear."""
    with suppress(BlockingIOError):
        while True:
            tap.recv(_LONGEST_BYTES)


def _attach(tap: socket.socket, sieve: Sieve) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in sieve))
    tap.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(sieve), ctypes.addressof(code)))
