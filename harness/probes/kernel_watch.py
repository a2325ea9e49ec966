"""Watching a node whose kernel is its own: what that kernel says goes through the agent in the node.

The agent stamps by the node's clock what it receives by netlink; questions for the time, asked all along, say what that
is on ours, and within what error, which is recorded. The death of the node is seen from outside, as everywhere.
"""

import contextlib
import socket
from collections.abc import Callable

from harness.clock import now_s
from harness.engines.uml.asked import connect, request_frame
from harness.engines.uml.clocks import NodeClock, Reading
from harness.engines.uml.guest.watch import CLOCK, QUESTION, STAMP
from harness.engines.uml.guest.wire import CHUNK_BYTES, INPUT, OUTPUT, SIZE, Frames, frame
from harness.errors import FabricError
from harness.events import NodeClockMapped, WatchEnded, WatchStarted
from harness.history import Recorder
from harness.probes import netlink
from harness.probes.commands import WatchNode
from harness.probes.reactor import Reactor
from harness.probes.watched_node import WatchedNode

ASK_EVERY_S = 0.25
_BEGIN_WITHIN_S = 10.0
_FIRST_QUESTIONS = 12
_ERROR_STEP_S = 0.0005
"""An error that changes by less is not worth an event."""


class KernelWatch(WatchedNode):
    """The watch of a node on a kernel of its own."""

    def __init__(
        self, command: WatchNode, reactor: Reactor, recorder: Recorder, begun: Callable[[BaseException | None], None]
    ) -> None:
        """As every watch."""
        self._since_s = now_s()
        self._clock = NodeClock()
        self._told_error_s = float("inf")
        self._asked: dict[int, float] = {}
        self._number = 0
        self._frames = Frames()
        super().__init__(command, reactor, recorder, begun)

    @property
    def _connection(self) -> socket.socket:
        return self._sockets[0]

    def _open_sources(self, pid: int) -> None:
        """Asks for the time first, so that everything that follows can be told when it was."""
        self._sockets = (connect(pid, within_s=_BEGIN_WITHIN_S),)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.sendall(request_frame({"do": "watch", "protocols": self._protocols()}))
        self._receive_until_watched()

    def _follow_sources(self) -> None:
        self._reactor.watch(self._connection.fileno(), self._ready)
        self._ask_again()

    def _close_sources(self) -> float:
        t_s = now_s()
        with contextlib.suppress(OSError):
            self._take_all()
        self._connection.close()
        return t_s

    def _protocols(self) -> list[tuple[int, int, list[str]]]:
        elements = [
            netlink.dump_elements(3, self._names.table, name, family)
            for family in netlink.GATE_FAMILIES
            for name in (self._names.guarded_set, self._names.lease_set)
        ]
        return [
            (
                netlink.NETLINK_ROUTE,
                netlink.ROUTE_GROUPS,
                [netlink.dump_links(1).hex(), netlink.dump_addresses(2).hex()],
            ),
            (netlink.NETLINK_NETFILTER, netlink.NFTABLES_GROUPS, [one.hex() for one in elements]),
        ]

    def _receive_until_watched(self) -> None:
        """Keep what comes at first until it can be told when it was."""
        early: list[bytes] = []
        watched = False
        while not watched or len(self._asked) or self._number < _FIRST_QUESTIONS:
            if watched and not self._asked:
                self._ask()
            data = self._connection.recv(CHUNK_BYTES)
            if not data:
                raise FabricError(f"the agent in node {self._node} ended")
            answered_s = now_s()
            for kind, content in self._frames.feed(data):
                if kind == OUTPUT:
                    early.append(content)
                elif kind == SIZE:
                    watched = True
                elif kind == INPUT:
                    self._answered(content, answered_s)
        # From when on it was asked for: what came before it answered is read, and until it has, there is no cable.
        self._recorder.record(WatchStarted(t_s=self._since_s, what="addresses", target=self._node))
        for content in early:
            self._take(content)
        self._record(self._gate.feed(netlink.Committed(), now_s()))
        self._connection.setblocking(False)

    # --- what the node says ---------------------------------------------------------------------------

    def _ready(self) -> None:
        try:
            self._take_all()
        except OSError:  # the node is about to be dead, or the agent alone: then nothing is watched any more
            self._reactor.forget(self._connection.fileno())
            self._recorder.record(WatchEnded(t_s=now_s(), what="addresses", target=self._node))

    def _take_all(self) -> None:
        while True:
            try:
                data = self._connection.recv(CHUNK_BYTES)
            except BlockingIOError:
                return
            if not data:
                raise ConnectionError
            answered_s = now_s()
            for kind, content in self._frames.feed(data):
                if kind == INPUT:
                    self._answered(content, answered_s)
                elif kind == OUTPUT:
                    self._take(content)

    def _take(self, content: bytes) -> None:
        said_s, number = STAMP.unpack_from(content)
        t_s, _ = self._clock.mapped(said_s)
        for message in netlink.messages(content[STAMP.size :]):
            if number == 0:
                if change := netlink.route_change(message):
                    self._record(self._addresses.feed(change, t_s))
            else:
                for found in netlink.gate_changes(message, self._names.table):
                    self._record(self._gate.feed(found, t_s))

    # --- what time it is there -------------------------------------------------------------------------

    def _ask(self) -> None:
        self._number += 1
        self._asked[self._number] = now_s()
        self._connection.send(frame(INPUT, QUESTION.pack(self._number)))

    def _ask_again(self) -> None:
        if not self._open:
            return
        with contextlib.suppress(OSError):  # it is paused, or dead: the next question comes soon
            self._ask()
        self._reactor.at(now_s() + ASK_EVERY_S, self._ask_again)

    def _answered(self, content: bytes, answered_s: float) -> None:
        number, said_s = CLOCK.unpack(content)
        if (asked_s := self._asked.pop(number, None)) is None:
            return
        self._clock.feed(Reading(asked_s, said_s, answered_s))
        low_s, high_s = self._clock.difference_s(answered_s)
        error_s = (high_s - low_s) / 2
        if abs(error_s - self._told_error_s) > _ERROR_STEP_S:
            self._told_error_s = error_s
            offset_s = (low_s + high_s) / 2
            self._record([NodeClockMapped(t_s=answered_s, node=self._node, offset_s=offset_s, error_s=error_s)])
