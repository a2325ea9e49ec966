"""The two ends of a measured link, each a process of its own: ``python -m harness.bench.datagrams send|receive ...``.

Datagrams carry their number and when they were sent; that of their arrival is the kernel's (SO_TIMESTAMPNS), so that a
receiver who is slow to read is none who is slow to hear. Both are of one host's one clock.
"""

import json
import socket
import struct
import sys
import time
from array import array

SO_TIMESTAMPNS, SO_RCVBUFFORCE, SO_SNDBUFFORCE = 35, 33, 32
UDP_SEGMENT = 103
_BUFFER_BYTES = 64 << 20
_HEAD = struct.Struct("=Iq")
_AWAKE_S = 0.0002
_BEGINS_WITHIN_S = 30.0
"""A sender is a process, which has to start first: on a busy host not at once."""


def send(descriptor: int, target: tuple[str, int], *, count: int, per_s: float, size_bytes: int, at_once: int) -> None:
    """So many datagrams, evenly, in groups that the kernel takes with one call."""
    sender = socket.socket(fileno=descriptor)
    sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, _BUFFER_BYTES)
    sender.connect(target)
    if at_once > 1:
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size_bytes)
    group = bytearray(size_bytes * at_once)
    due_s = time.monotonic()
    for first in range(0, count, at_once):
        while (left_s := due_s - time.monotonic()) > 0:
            if left_s > 2 * _AWAKE_S:
                time.sleep(left_s - _AWAKE_S)
        now_ns = time.time_ns()
        for place in range(at_once):
            _HEAD.pack_into(group, place * size_bytes, first + place, now_ns)
        sender.send(group)
        due_s += at_once / per_s


def receive(descriptor: int, quiet_s: float) -> dict[str, list[int]]:
    """Numbers in the order of arrival, with how long each was on its way, when it came, and whether it was whole."""
    receiver = socket.socket(fileno=descriptor)
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, _BUFFER_BYTES)
    receiver.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    receiver.settimeout(_BEGINS_WITHIN_S)
    numbers, delays_ns, came_ns = array("q"), array("q"), array("q")
    room = socket.CMSG_SPACE(16)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        try:
            content, ancillary, _, _ = receiver.recvmsg(2048, room)
        except TimeoutError:
            break
        if not numbers:
            receiver.settimeout(quiet_s)
        seconds, nanoseconds = struct.unpack("=qq", ancillary[0][2])
        number, sent_ns = _HEAD.unpack_from(content)
        stamp_ns = seconds * 1_000_000_000 + nanoseconds
        numbers.append(number)
        delays_ns.append(stamp_ns - sent_ns)
        came_ns.append(stamp_ns)
    return {"numbers": numbers.tolist(), "delays_ns": delays_ns.tolist(), "came_ns": came_ns.tolist()}


if __name__ == "__main__":
    what, fd, *rest = sys.argv[1:]
    if what == "send":
        address, port, count, per_s, size_bytes, at_once = rest
        send(
            int(fd),
            (address, int(port)),
            count=int(count),
            per_s=float(per_s),
            size_bytes=int(size_bytes),
            at_once=int(at_once),
        )
    else:
        json.dump(receive(int(fd), float(rest[0])), sys.stdout)
