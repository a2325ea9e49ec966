"""One UDP socket on the mesh address; datagrams of unknown addresses are dropped."""

import socket
from collections.abc import Mapping

from .wire import MAX_DATAGRAM_BYTES

PORT = 7778


class DatagramLink:
    """Talks to the peers' daemons. Sending never blocks and never fails loudly: datagrams may be lost."""

    def __init__(self, own_address: str, peers: Mapping[int, str], port: int = PORT) -> None:
        """Raises OSError when the mesh address is not there."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((own_address, port))
        self._port = port
        self.set_peers(peers)
        self.unknown_senders = 0
        self.send_errors = 0

    def set_peers(self, peers: Mapping[int, str]) -> None:
        """Talk to these from now on (node id to mesh address), and listen to nobody else."""
        self._targets = {node: (address, self._port) for node, address in peers.items()}
        self._nodes = {address: node for node, address in peers.items()}

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def send(self, to: int | None, datagram: bytes) -> None:
        """Send to one peer, or to all of them (None)."""
        targets = self._targets.values() if to is None else [self._targets[to]] if to in self._targets else []
        for address in targets:
            try:
                self._socket.sendto(datagram, address)
            except OSError:
                self.send_errors += 1

    def receive(self) -> tuple[int, bytes] | None:
        """A datagram that has arrived, with the node that sent it. There may be more: the descriptor tells."""
        try:
            datagram, (address, _port) = self._socket.recvfrom(MAX_DATAGRAM_BYTES)
        except OSError:  # nothing there, or an ICMP error for an earlier sending; the socket is fine
            return None
        node = self._nodes.get(address)
        if node is None:
            self.unknown_senders += 1
            return None
        return node, datagram

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()
