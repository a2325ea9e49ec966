"""Canaries from and to a node with a kernel of its own, by the agent in it."""

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from harness.engines.uml.asked import connect, first_frame, request_frame
from harness.engines.uml.guest.wire import CHUNK_BYTES, INPUT, OUTPUT, STARTED, Frames, decode, frame
from harness.engines.uml.launch import BRIDGE
from harness.errors import EngineError, FabricError
from harness.fabric.canary import End, Like


@dataclass(frozen=True, slots=True)
class KernelEnd:
    """The node's end of its cable, by the process that is its kernel."""

    pid: int
    interface: str
    mac: str
    address: str

    @property
    def wire(self) -> End:
        """What the cable is plugged into, in the network namespace of the kernel's process."""
        return End(Path(f"/proc/{self.pid}/ns/net"), BRIDGE, self.mac, self.address)

    def sender(self) -> "_Sender":
        """What has the agent put frames on the wire."""
        connection, _ = self._asked({"do": "canary-send", "interface": self.interface})
        return _Sender(connection)

    def receiver(self, like: Like) -> "_Receiver":
        """What the agent passes on of what arrives."""
        request = {"do": "canary-receive", "address": self.address, "interface": self.interface, "port": like.port}
        connection, said = self._asked(request)
        return _Receiver(connection, cast(int, decode(said)))

    def _asked(self, request: dict[str, object]) -> tuple[socket.socket, bytes]:
        try:
            connection = connect(self.pid)
        except EngineError as error:
            raise FabricError(f"no canary at {self.address}: {error}") from error
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request_frame(request))
            return connection, first_frame(connection, STARTED)
        except (OSError, EngineError) as error:
            connection.close()
            raise FabricError(f"no canary at {self.address} on {self.interface}: {error}") from error


class _Sender:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, content: bytes) -> None:
        self._connection.sendall(frame(INPUT, content))

    def close(self) -> None:
        self._connection.close()


class _Receiver:
    def __init__(self, connection: socket.socket, port: int) -> None:
        self._connection, self.port = connection, port
        self._connection.setblocking(False)
        self._frames = Frames()
        self._arrived: list[bytes] = []

    async def receive(self) -> bytes:
        while not self._arrived:
            self._note(await asyncio.get_running_loop().sock_recv(self._connection, CHUNK_BYTES))
        return self._arrived.pop(0)

    def take(self) -> bytes | None:
        if not self._arrived:
            with suppress(BlockingIOError):
                self._note(self._connection.recv(CHUNK_BYTES))
        return self._arrived.pop(0) if self._arrived else None

    def _note(self, data: bytes) -> None:
        if not data:
            raise ConnectionError("the agent in the node has ended")
        self._arrived += [content for kind, content in self._frames.feed(data) if kind == OUTPUT]

    def close(self) -> None:
        self._connection.close()
