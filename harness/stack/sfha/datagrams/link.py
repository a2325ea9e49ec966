"""One UDP socket on the mesh address. What comes from unknown addresses, or without the sender's seal, is dropped."""

import os
import socket
import struct
from array import array
from collections.abc import Iterable

from ..config.load import Mesh, MeshNode
from .core.curve import WrongKey, key_from_text, shared_secret
from .core.encoding import MAX_DATAGRAM_BYTES
from .core.seals import LIFE_BYTES, OVERHEAD_BYTES, SECRET_BYTES, Seals
from .unsealed import Unsealed

PORT = 7778
_ATTACH_FILTER = 26
_LOAD_HALF, _SKIP_UNLESS, _RETURN = 0x28, 0x15, 0x06
_PLAIN = ord("[")
_RECEIVED_BYTES = MAX_DATAGRAM_BYTES + OVERHEAD_BYTES


class DatagramLink:
    """Talks to the peers' daemons. Sending never blocks and never fails loudly: datagrams may be lost."""

    def __init__(self, mesh: Mesh, unsealed: Unsealed | None = None, port: int = PORT) -> None:
        """Raises OSError when the mesh address is not there."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        _take_only_from(self._socket, port)
        self._socket.bind((mesh.own.address, port))
        self._port = port
        self._private_key = mesh.private_key
        self._secrets: dict[str, bytes | None] = {}
        self._seals = Seals(mesh.own.node_id, os.urandom(LIFE_BYTES), os.urandom(SECRET_BYTES))
        self._unsealed = unsealed or Unsealed()
        self.refused = 0
        self.send_errors = 0
        self.set_peers(mesh.peers)
        for node in self._targets:  # who is there gives its pass while this node is still starting
            if node not in self._unsealed:
                self._send(node, self._seals.hello(node))

    def set_peers(self, peers: Iterable[MeshNode]) -> None:
        """Talk to these from now on, and listen to nobody else. One whose key is none is left out."""
        able = {peer: secret for peer in peers if (secret := self.secret_with(peer.public_key)) is not None}
        self._seals.set_peers({peer.node_id: secret for peer, secret in able.items()})
        self._targets = {peer.node_id: (peer.address, self._port) for peer in able}
        self._nodes = {(peer.address, self._port): peer.node_id for peer in able}

    def secret_with(self, public_key: str) -> bytes | None:
        """What this node has in common with the one that has this key, and with nobody else; None for no key."""
        if public_key not in self._secrets:
            try:
                keys = key_from_text(self._private_key), key_from_text(public_key)
                self._secrets[public_key] = shared_secret(*keys)
            except WrongKey:
                self._secrets[public_key] = None
        return self._secrets[public_key]

    @property
    def unsealed(self) -> list[int]:
        """The peers that are heard though they do not seal: they have yet to be upgraded."""
        return self._unsealed.among(self._targets)

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def send(self, to: int | None, datagram: bytes) -> None:
        """Send to one peer, or to all of them (None)."""
        for node in self._targets if to is None else (to,) if to in self._targets else ():
            if node in self._unsealed:
                self._send(node, datagram)
                if self._unsealed.is_to_be_asked(node):
                    self._send(node, self._seals.hello(node))
            else:
                self._send(node, self._seals.seal(node, datagram))

    def _send(self, node: int, datagram: bytes) -> None:
        try:
            self._socket.sendto(datagram, self._targets[node])
        except OSError:
            self.send_errors += 1

    def receive(self) -> tuple[int, bytes] | None:
        """A message that has arrived, with the node that sent it. There may be more: the descriptor tells."""
        try:
            datagram, source = self._socket.recvfrom(_RECEIVED_BYTES)
        except OSError:  # nothing there, or an ICMP error for an earlier sending; the socket is fine
            return None
        node = self._nodes.get(source)
        if node is None:
            self.refused += 1
            return None
        opened = self._seals.open(node, datagram)
        if opened is None:
            if node in self._unsealed and datagram and datagram[0] == _PLAIN:
                return node, datagram
            self.refused += 1
            return None
        if node in self._unsealed:
            self._unsealed.heard_sealed(node)
        for reply in opened.replies:
            self._send(node, reply)
        return None if opened.message is None else (node, opened.message)

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


def _take_only_from(link: socket.socket, port: int) -> None:
    """Have the kernel drop what comes from other ports: who has no rights has no other, and must not fill the queue.

    A classic packet filter of four instructions; it sees the datagram from its UDP header on.
    """
    program = ((_LOAD_HALF, 0, 0, 0), (_SKIP_UNLESS, 0, 1, port), (_RETURN, 0, 0, 0xFFFF), (_RETURN, 0, 0, 0))
    text = array("B", b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    link.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", len(program), text.buffer_info()[0]))
