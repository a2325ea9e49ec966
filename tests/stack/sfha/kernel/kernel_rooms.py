"""Network namespaces for tests of the kernel's part: a thread each, gone with the thread."""

import ctypes
import os
import socket
import subprocess
import threading
import time
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
    # On one processor, what is sent first arrives first: tests tell silence by what they hear of a later packet.
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def two_rooms(*, on_bridge: bool = False) -> tuple[Room, Room]:
    """A node (eth0, 10.9.0.1) and a client (eth0, 10.9.0.9), joined by a cable; eth0 of the node may be a bridge."""
    node, client = Room(), Room()
    end = "port0" if on_bridge else "eth0"
    node.ip("link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", str(client.thread_id))
    if on_bridge:
        put_on_bridge(node, end)
    for room, address in ((node, "10.9.0.1/24"), (client, "10.9.0.9/24")):
        room.ip("address", "add", address, "dev", "eth0")
        room.ip("link", "set", "eth0", "up")
    client.call(wait_until_reached, "10.9.0.1")
    for room in (node, client):
        room.ip("neighbour", "flush", "dev", "eth0")
    return node, client


def wait_until_reached(address: str) -> None:
    """Until it refuses a connection. A link, more so a port of a bridge, is up some time after it was told to be."""
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        try:
            socket.create_connection((address, 9), timeout=0.1).close()
        except ConnectionRefusedError:
            return
        except OSError:
            continue
    raise TimeoutError(f"{address} is not reached")


def put_on_bridge(node: Room, port: str) -> None:
    """The node's eth0 is a new bridge with this port, which stays up: a link that was down takes a second to be up."""
    node.ip("link", "add", "eth0", "type", "bridge", "stp_state", "0", "mcast_snooping", "0")
    node.ip("link", "set", port, "master", "eth0", "up")
