"""Watching the wire at a client: who speaks for the addresses, stamped by the kernel.

Optionally asks, too: an ARP probe at a fixed rate makes whoever holds an address say so.
"""

import ctypes
import hashlib
import socket
import struct
import time
from pathlib import Path
from typing import Literal

from harness.clock import now_s
from harness.events import Announced, ArpAnswered, Event, TcpAnswered, WatchEnded, WatchStarted
from harness.fabric.namespaces import call_in
from harness.history import Recorder
from harness.probes import frames
from harness.probes.commands import WatchWire
from harness.probes.reactor import Reactor

_SO_ATTACH_FILTER = 26
_SO_TIMESTAMPNS = 35
_ETH_P_ALL = 0x0003
_FRAME_BYTES = 256
_TCP_NOT_MORE_OFTEN_THAN_S = 0.001
_STAMP_AGE_LIMIT_S = 5.0


class WireWatch:
    """The watch at one client's interface, from construction to :meth:`close`."""

    def __init__(self, command: WatchWire, reactor: Reactor, recorder: Recorder) -> None:
        """Raises FabricError when the namespace is gone, OSError when the interface is not there."""
        self._client = command.client
        self._only_known = command.only_known
        self._nodes = {mac.lower(): node for mac, node in command.nodes.items()}
        self._reactor = reactor
        self._recorder = recorder
        self._tcp_seen_s: dict[tuple[str, str], float] = {}
        self._socket = call_in(Path(command.namespace), lambda: _packet_socket(command))
        asker_mac = b"\x02" + hashlib.sha256(command.client.encode()).digest()[:5]
        # Who notes certain nodes alone asks them alone: others would have to hear it, wherever the network leads.
        known = [bytes.fromhex(mac.replace(":", "")) for mac in command.nodes] if command.only_known else []
        self._questions = [
            frames.who_has(address, asker_mac, asked)
            for address in command.addresses
            for asked in known or [frames.BROADCAST]
        ]
        self._ask_every_s = command.ask_every_s
        self._ask_due_s = now_s()
        recorder.record(WatchStarted(t_s=now_s(), what="wire", target=command.client))
        reactor.watch(self._socket.fileno(), self._ready)
        if self._ask_every_s > 0:
            self._ask()

    def close(self) -> None:
        """Stop watching and asking."""
        if self._socket.fileno() < 0:
            return
        self._ready()
        self._reactor.forget(self._socket.fileno())
        self._socket.close()
        self._recorder.record(WatchEnded(t_s=now_s(), what="wire", target=self._client))

    def _ask(self) -> None:
        if self._socket.fileno() < 0:
            return
        for question in self._questions:
            try:
                self._socket.send(question)
            except OSError:  # no buffer, or the link is down just now: the next question comes soon
                break
        self._ask_due_s = max(self._ask_due_s + self._ask_every_s, now_s())
        self._reactor.at(self._ask_due_s, self._ask)

    def _ready(self) -> None:
        while True:
            try:
                frame, ancillary, _, _ = self._socket.recvmsg(_FRAME_BYTES, 64)
            except BlockingIOError:
                return
            except OSError:  # the link went down; what comes after it is up again is seen again
                return
            if seen := frames.read(frame):
                self._note(seen, _stamp_s(ancillary))

    def _note(self, seen: frames.Seen, t_s: float) -> None:
        client, address, mac, node = self._client, seen.address, seen.mac, self._nodes.get(seen.mac)
        if self._only_known and node is None:
            return
        event: Event
        if seen.what == "tcp":
            if t_s - self._tcp_seen_s.get((address, mac), 0.0) < _TCP_NOT_MORE_OFTEN_THAN_S:
                return
            self._tcp_seen_s[address, mac] = t_s
            event = TcpAnswered(t_s=t_s, client=client, address=address, mac=mac, node=node)
        elif seen.what == "arp-reply":
            event = ArpAnswered(t_s=t_s, client=client, address=address, mac=mac, node=node)
        else:
            form: Literal["request", "reply"] = "request" if seen.what == "announcement-request" else "reply"
            event = Announced(t_s=t_s, client=client, address=address, mac=mac, node=node, form=form)
        self._recorder.record(event)


def _packet_socket(command: WatchWire) -> socket.socket:
    program = frames.answers_filter(command.addresses)
    buffer = ctypes.create_string_buffer(program)
    # struct sock_fprog of linux/filter.h: number of instructions, then a pointer to them.
    descriptor = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    try:
        # The filter goes in before the socket is bound, so that nothing unwanted is ever queued.
        opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, descriptor)
        opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        opened.bind((command.interface, _ETH_P_ALL))
    except OSError:
        opened.close()
        raise
    return opened


def _stamp_s(ancillary: list[tuple[int, int, bytes]]) -> float:
    """The kernel's time of arrival (which is wall-clock time) on the run clock."""
    here_s = now_s()
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("@qq", data[:16])
            age_s: float = (time.time_ns() - (seconds * 1_000_000_000 + nanoseconds)) / 1e9
            # Somebody set the wall clock in between when this does not hold.
            if 0.0 <= age_s < _STAMP_AGE_LIMIT_S:
                return here_s - age_s
    return here_s
