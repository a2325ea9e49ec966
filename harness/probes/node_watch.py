"""Watching one node from inside its network namespace: addresses and gate.

The sockets are opened in the namespace and polled from outside. Opening them and reading the present
state may wait long for the kernel's one lock on links and addresses (tearing down a dead node's
namespace holds it). The sockets keep the namespace of a dead node alive, and with it a kernel that goes on
answering for its addresses: so they are closed the moment the node's process 1 is gone.
"""

import select
import socket
from pathlib import Path

from harness.clock import now_s
from harness.events import ObserverStalled, WatchStarted
from harness.fabric.namespaces import call_in
from harness.probes import netlink
from harness.probes.watched_node import WatchedNode

_SO_RCVBUFFORCE = 33
_RECEIVE_BUFFER_BYTES = 4 << 20
_DATAGRAM_BYTES = 1 << 17
_DUMP_TIMEOUT_S = 2.0


class NodeWatch(WatchedNode):
    """The watch of a node on this kernel."""

    def _open_sources(self, pid: int) -> None:
        """Subscribes first and reads the present state after, so that nothing falls in between."""
        self._sockets = self._route, self._nft = call_in(Path(f"/proc/{pid}/ns/net"), _subscribe)
        self._recorder.record(WatchStarted(t_s=now_s(), what="addresses", target=self._node))
        self._read_present_state()

    def _follow_sources(self) -> None:
        self._reactor.watch(self._route.fileno(), self._route_ready)
        self._reactor.watch(self._nft.fileno(), self._nft_ready)

    def _close_sources(self) -> float:
        for opened in self._sockets:
            opened.close()
        return now_s()

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
