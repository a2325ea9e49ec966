"""Watching one node from inside its network namespace: addresses, gate, and its death.

The sockets are opened in the namespace and polled from outside. Opening them and reading the present
state may wait long for the kernel's one lock on links and addresses (tearing down a dead node's
namespace holds it), so a thread does that while the observer goes on. The sockets keep the namespace of a
dead node alive, and with it a kernel that goes on answering for its addresses: so the node's
process 1 is watched too, and everything is closed the moment it is gone.
"""

import os
import select
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from harness.clock import now_s
from harness.errors import FabricError, HarnessError
from harness.events import Event, ObserverStalled, WatchEnded, WatchStarted
from harness.fabric.namespaces import call_in
from harness.history import Recorder
from harness.probes import netlink
from harness.probes.commands import WatchNode
from harness.probes.presence import AddressTracker, GateNames, GateTracker
from harness.probes.reactor import Reactor

_SO_RCVBUFFORCE = 33
_RECEIVE_BUFFER_BYTES = 4 << 20
_DATAGRAM_BYTES = 1 << 17
_DUMP_TIMEOUT_S = 2.0


class NodeWatch:
    """The watch of one node, from construction to :meth:`close`."""

    def __init__(
        self, command: WatchNode, reactor: Reactor, recorder: Recorder, begun: Callable[[BaseException | None], None]
    ) -> None:
        """Begins to watch; ``begun`` is called when everything is watched, or with what was in the way of it.

        Raises FabricError when the node is dead already.
        """
        self._node = command.node
        self._reactor = reactor
        self._recorder = recorder
        self._names = GateNames(command.table, command.lease_set, command.guarded_set)
        self._addresses = AddressTracker(command.node, command.addresses)
        self._gate = GateTracker(command.node, command.addresses, self._names)
        self._sockets: tuple[socket.socket, ...] = ()
        self._begun = begun
        self._open = True
        try:
            self._process = os.pidfd_open(command.pid)
        except OSError as error:
            raise FabricError(f"node {command.node} has no process {command.pid} any more: {error.strerror}") from error
        namespace = Path(f"/proc/{command.pid}/ns/net")
        threading.Thread(target=self._begin, args=(namespace,), daemon=True).start()

    def _begin(self, namespace: Path) -> None:
        """Subscribes first and reads the present state after, so that nothing falls in between."""
        try:
            self._sockets = self._route, self._nft = call_in(namespace, _subscribe)
            self._recorder.record(WatchStarted(t_s=now_s(), what="addresses", target=self._node))
            self._read_present_state()
        except (HarnessError, OSError) as error:
            failure = error
            self._reactor.hand_over(lambda: self._watching(failure))
        else:
            self._reactor.hand_over(lambda: self._watching(None))

    def _watching(self, failure: BaseException | None) -> None:
        if self._open and failure is None:
            self._reactor.watch(self._route.fileno(), self._route_ready)
            self._reactor.watch(self._nft.fileno(), self._nft_ready)
            self._reactor.watch(self._process, self._died)
        else:
            self._open = False
            self._let_go()
        self._begun(failure)

    def close(self) -> None:
        """Let go of the namespace; says that the addresses are gone when the node is dead."""
        if not self._open:
            return
        self._open = False
        if self._sockets and self._reactor.forget(self._process):
            self._let_go()

    def _let_go(self) -> None:
        dead = bool(select.select((self._process,), (), (), 0)[0])
        for opened in self._sockets:
            self._reactor.forget(opened.fileno())
            opened.close()
        os.close(self._process)
        if self._sockets:
            t_s = now_s()
            if dead:
                self._record(self._addresses.gone(t_s))
            self._recorder.record(WatchEnded(t_s=t_s, what="addresses", target=self._node))

    def _died(self) -> None:
        self.close()

    def _route_ready(self) -> None:
        for datagram, t_s in self._receive(self._route):
            for message in netlink.messages(datagram):
                if change := netlink.route_change(message):
                    self._record(self._addresses.feed(change, t_s))

    def _nft_ready(self) -> None:
        for datagram, t_s in self._receive(self._nft):
            for message in netlink.messages(datagram):
                for change in netlink.gate_changes(message, self._names.table):
                    self._record(self._gate.feed(change, t_s))

    def _receive(self, source: socket.socket) -> list[tuple[bytes, float]]:
        received: list[tuple[bytes, float]] = []
        while True:
            try:
                datagram = source.recv(_DATAGRAM_BYTES)
                received.append((datagram, now_s()))
            except BlockingIOError:
                return received
            except OSError:  # ENOBUFS: the kernel dropped messages, so look at everything afresh
                self._recorder.record(ObserverStalled(t_s=now_s(), gap_s=_DUMP_TIMEOUT_S))
                self._read_present_state()
                return received

    def _read_present_state(self) -> None:
        present: dict[tuple[str, int], netlink.AddressChange] = {}
        for request in (netlink.dump_links(1), netlink.dump_addresses(2)):
            for message, t_s in _dump(self._route, request):
                change = netlink.route_change(message)
                if isinstance(change, netlink.AddressChange):
                    # Notifications come in between the answers, in the order in which things happened.
                    present.pop((change.address, change.index), None)
                    if change.present:
                        present[change.address, change.index] = change
                elif change:
                    self._record(self._addresses.feed(change, t_s))
        self._record(self._addresses.reconcile(present.values(), now_s()))
        for set_name in (self._names.guarded_set, self._names.lease_set) if self._names.table else ():
            for family in netlink.GATE_FAMILIES:
                for message, t_s in _dump(self._nft, netlink.dump_elements(3, self._names.table, set_name, family)):
                    for found in netlink.gate_changes(message, self._names.table):
                        self._record(self._gate.feed(found, t_s))
            self._record(self._gate.feed(netlink.Committed(), now_s()))

    def _record(self, events: list[Event]) -> None:
        for event in events:
            self._recorder.record(event)


def _subscribe() -> tuple[socket.socket, socket.socket]:
    route = _netlink_socket(netlink.NETLINK_ROUTE, netlink.ROUTE_GROUPS)
    try:
        return route, _netlink_socket(netlink.NETLINK_NETFILTER, netlink.NFTABLES_GROUPS)
    except OSError:
        route.close()
        raise


def _netlink_socket(protocol: int, groups: int) -> socket.socket:
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
    opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
    opened.bind((0, groups))
    return opened


def _dump(source: socket.socket, request: bytes) -> list[tuple[netlink.Message, float]]:
    """Everything that comes until the dump ends: its answers and, in between, notifications."""
    source.send(request)
    found: list[tuple[netlink.Message, float]] = []
    while select.select((source,), (), (), _DUMP_TIMEOUT_S)[0]:
        datagram, t_s = source.recv(_DATAGRAM_BYTES), now_s()
        for message in netlink.messages(datagram):
            if netlink.ends_dump(message):
                return found
            found.append((message, t_s))
    return found
