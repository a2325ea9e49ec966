"""A packet socket at a port of the fabric: hears what comes in there, and says whatever it is given, word for word."""

import asyncio
import socket
from collections.abc import Callable

from harness.clock import now_s
from harness.errors import FabricError
from harness.fabric.canary import End
from harness.fabric.namespaces import call_in

ETHERTYPE_ARP, ETHERTYPE_IPV4 = 0x0806, 0x0800
_LONGEST_BYTES = 2048


class Tap:
    """To be closed soon where it is a node's: an open socket keeps the namespace of a dead node alive."""

    def __init__(self, end: End, ethertype: int) -> None:
        """Raises FabricError when there is no such port any more."""

        def opened() -> socket.socket:
            tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(ethertype))
            try:
                tap.bind((end.interface, ethertype))
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
