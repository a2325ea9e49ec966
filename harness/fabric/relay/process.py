"""The relay's process: ``python -m harness.fabric.relay.process DIRECTORY``, a child of the keeper, in the fabric.

What the fabric's rules send into one end of a cable comes out at the other, where we listen. The mark of a packet says
which class it is of (upper half) and where it entered the fabric (lower half). A class is a direction of a link and a
port; when a packet's time has come it is sent out of that port, with the same mark: the rules there know by it that it
has been here.
"""

import contextlib
import ctypes
import heapq
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time
from typing import Any

from harness.fabric.relay.core import Pipe, changed
from harness.fabric.relay.names import CLASS_SHIFT, LISTENS, SOCKET_NAME

SO_RCVMARK, SO_MARK = 75, 36
SO_TIMESTAMPNS = 35
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
PACKET_STATISTICS, SOL_PACKET = 6, 263
PACKET_OUTGOING = 4
PR_SET_PDEATHSIG, PR_SET_TIMERSLACK = 1, 29
_ETH_P_ALL = 0x0003
_BUFFER_BYTES = 64 << 20
_FRAME_BYTES = 65536
_BATCH = 64
_PRIORITY = 10
_ANCILLARY_BYTES = socket.CMSG_SPACE(16) + socket.CMSG_SPACE(4)
_LATE_S = 0.001


def main(directory: str) -> None:
    """Relay until the keeper ends us, or ends itself."""
    libc = ctypes.CDLL(None, use_errno=True)
    keeper = os.getppid()
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != keeper:
        return
    libc.prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_IGN)
    tap = _opened_tap()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"{directory}/{SOCKET_NAME}")
    listener.listen(16)
    relay = Relay(listener, tap)
    os.write(1, b"ready\n")
    relay.run()


def _opened_tap() -> socket.socket:
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, _BUFFER_BYTES)
    tap.setsockopt(socket.SOL_SOCKET, SO_RCVMARK, 1)
    tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    tap.bind((LISTENS, _ETH_P_ALL))
    return tap


def before_others() -> str:
    """Have the processor whenever we want it, as far as we may: who comes late is not what was asked for."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
        return "real time"
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
        return "highest priority"
    return "no priority"


class Relay:
    """Receives, waits, sends."""

    def __init__(self, listener: socket.socket, tap: socket.socket) -> None:
        self._tap = tap
        self._listener = listener
        self._connections: dict[int, tuple[socket.socket, bytes]] = {}
        self._pipes: list[Pipe] = []
        self._classes: dict[int, tuple[Pipe, str]] = {}
        self._senders: dict[int, socket.socket] = {}
        self._waiting: list[tuple[float, int, int, bytes]] = []
        self._number = 0
        self._scheduling = before_others()
        self.counted = {"received": 0, "sent": 0, "unsent": 0, "overrun": 0, "late": 0}
        self.latest_s = 0.0

    def run(self) -> None:
        """For good. A person's frame of mind: the due first, then what came, then who asks."""
        import gc

        gc.disable()  # nothing here is in a circle, and a collection is a delay
        while True:
            now_s = time.monotonic()
            left_s = max(0.0, self._waiting[0][0] - now_s) if self._waiting else None
            sources = [self._tap, self._listener, *(one for one, _ in self._connections.values())]
            readable, _, _ = select.select(sources, (), (), left_s)
            if self._tap in readable:
                self._receive()
            self._send_due()
            for one in readable:
                if one is self._listener:
                    accepted, _ = one.accept()
                    self._connections[accepted.fileno()] = (accepted, b"")
                elif one is not self._tap:
                    self._serve(one)

    # --- packets ---------------------------------------------------------------------------------------

    def _receive(self) -> None:
        receive, classes, waiting = self._tap.recvmsg, self._classes, self._waiting
        now_s = time.monotonic()
        stamps_to_run_clock_s = now_s - time.time()
        for _ in range(_BATCH):
            try:
                frame, ancillary, _, address = receive(_FRAME_BYTES, _ANCILLARY_BYTES)
            except BlockingIOError:
                return
            except OSError:  # the link is down: nobody sends anything here then
                return
            if address[2] == PACKET_OUTGOING:
                continue
            arrived_s, mark = now_s, 0
            for _, kind, data in ancillary:
                if kind == SO_MARK:
                    (mark,) = struct.unpack("=I", data)
                elif kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("=qq", data)
                    # Not in the future, and not long ago: the host's clock may have been set.
                    stamp_s = seconds + nanoseconds / 1e9 + stamps_to_run_clock_s
                    arrived_s = min(stamp_s, now_s + 0.01) if stamp_s > now_s - 1.0 else now_s
            known = classes.get(mark >> CLASS_SHIFT)
            if known is None:
                continue
            self.counted["received"] += 1
            for due_s, bit in known[0].departures(arrived_s, len(frame)):
                self._number += 1
                heapq.heappush(waiting, (due_s, self._number, mark, changed(frame, bit)))

    def _send_due(self) -> None:
        waiting, senders = self._waiting, self._senders
        now_s, sent = time.monotonic(), 0
        while waiting and waiting[0][0] <= now_s and sent < _BATCH:
            due_s, _, mark, frame = heapq.heappop(waiting)
            late_s = now_s - due_s
            self.latest_s = max(self.latest_s, late_s)
            self.counted["late"] += late_s > _LATE_S
            sent += 1
            try:
                senders[mark].send(frame)
            except KeyError:
                self._send_anew(mark, frame)
            except OSError:  # the cable was pulled, and may be a new one of the same name by now
                senders.pop(mark).close()
                self._send_anew(mark, frame)
            now_s = time.monotonic()
        self.counted["sent"] += sent

    def _send_anew(self, mark: int, frame: bytes) -> None:
        known = self._classes.get(mark >> CLASS_SHIFT)
        if known is None:
            return
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        try:
            sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, _BUFFER_BYTES)
            sender.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
            sender.bind((known[1], 0))
            sender.send(frame)
            self._senders[mark] = sender
        except OSError:
            self.counted["unsent"] += 1
            sender.close()

    # --- requests --------------------------------------------------------------------------------------

    def _serve(self, connection: socket.socket) -> None:
        descriptor = connection.fileno()
        try:
            received = connection.recv(65536)
        except OSError:
            received = b""
        if not received:
            del self._connections[descriptor]
            connection.close()
            return
        *lines, rest = (self._connections[descriptor][1] + received).split(b"\n")
        self._connections[descriptor] = (connection, rest)
        for line in lines:
            try:
                answer = self._answer(json.loads(line))
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            with contextlib.suppress(OSError):
                connection.sendall(json.dumps(answer).encode() + b"\n")

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["do"]:
            case "pipe":  # a direction of a link: its character, and the port that each of its classes leaves by
                pipe = Pipe(request["character"], random.Random(request["seed"]).random)
                self._classes |= {int(number): (pipe, port) for number, port in request["classes"].items()}
                return {"scheduling": self._scheduling}
            case "count":
                statistics = self._tap.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
                self.counted["overrun"] += struct.unpack("=II", statistics)[1]
                answer = self.counted | {"latest_s": self.latest_s, "scheduling": self._scheduling}
                self.latest_s = 0.0
                return answer
            case other:
                return {"error": f"unknown request {other!r}"}


if __name__ == "__main__":
    main(sys.argv[1])
