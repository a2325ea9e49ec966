"""Network namespaces for tests of the kernel's part: a thread each, gone with the thread."""

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

CLONE_NEWNET = 0x40000000
Result = TypeVar("Result")


class Room:
    """A network namespace; ``call`` runs a function in it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, initializer=_leave_the_host)
        self.thread_id = self.call(threading.get_native_id)

    def call(self, function: Callable[..., Result], *arguments: object) -> Result:
        return self._thread.submit(function, *arguments).result(timeout=20)

    def ip(self, *arguments: str) -> None:
        self.call(lambda: subprocess.run(["ip", *arguments], check=True, capture_output=True))

    def close(self) -> None:
        self._thread.shutdown()


def _leave_the_host() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def two_rooms() -> tuple[Room, Room]:
    """A node (eth0, 10.9.0.1) and a client (eth0, 10.9.0.9), joined by a cable."""
    node, client = Room(), Room()
    node.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", str(client.thread_id))
    for room, address in ((node, "10.9.0.1/24"), (client, "10.9.0.9/24")):
        room.ip("address", "add", address, "dev", "eth0")
        room.ip("link", "set", "eth0", "up")
    return node, client
