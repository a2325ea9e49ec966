"""What is outside of the cluster but within reach of its nodes: a power switch, and a place that services write to.

The harness itself serves both, at a client's address in its namespace. So nodes reach them over the same fabric, and
through the same cuts, as they reach that client.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal, Self

from harness.addresses import POWER_PORT, WRITES_PORT
from harness.clock import now_s
from harness.cluster import Cluster
from harness.errors import HarnessError
from harness.events import ServiceWrote
from harness.fabric.namespaces import call_in
from harness.history import Recorder

BACKLOG = 64
Answers = Literal["well", "with an error", "never"]


class PowerSwitch:
    """Switches nodes on and off over HTTP: `GET /NODE` answers on or off, `POST /NODE/off` and `POST /NODE/on` switch.

    Like a switched power strip, it answers when it is done. ``answers`` says how it behaves.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.answers: Answers = "well"
        self.switched_off: list[str] = []
        self._cluster = cluster
        self._server: asyncio.Server | None = None
        self._one_at_a_time = asyncio.Lock()
        cluster.attach(self)

    async def begin(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, sock=_listen(self._cluster, POWER_PORT))

    async def finish(self) -> None:
        """Nothing to read back."""

    async def close(self) -> None:
        """Stop listening. Idempotent."""
        if self._server is not None:
            self._server.close()
            self._server = None

    @asynccontextmanager
    async def answering(self, how: Answers) -> AsyncIterator[Self]:
        """Have it answer like this for the length of a block."""
        before, self.answers = self.answers, how
        self._cluster.note(f"the power switch answers {how}")
        try:
            yield self
        finally:
            self.answers = before
            self._cluster.note(f"the power switch answers {before} again")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
            method, path, _ = head.split("\r\n", 1)[0].split(" ", 2)
            if self.answers == "never":
                await reader.read()  # until the other side gives up
                return
            try:
                status, body = await self._do(method, path.strip("/").split("/"))
            except HarnessError as error:
                if self._server is not None:  # else the cluster is ending; nobody else would hear of it
                    self._cluster.record_failure(f"switching the power: {method} {path}", error)
                status, body = "500 Internal Server Error", "the power strip could not do it"
            text = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
            writer.write(text.encode())
            await writer.drain()
        except (ValueError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _do(self, method: str, words: list[str]) -> tuple[str, str]:
        if self.answers != "well":
            return "503 Service Unavailable", "the power strip is out of order"
        if words[0] not in self._cluster.topology.node_names:
            return "404 Not Found", "no such outlet"
        node = words[0]
        async with self._one_at_a_time:
            match method, words[1:]:
                case "GET", []:
                    pass
                case "POST", ["off"]:
                    if self._cluster.is_up(node):
                        self._cluster.note(f"the power switch turns {node} off")
                        await self._cluster.power_cut(node)
                        self.switched_off.append(node)
                case "POST", ["on"]:
                    if not self._cluster.is_up(node):
                        await self._cluster.power_on(node)
                case _:
                    return "405 Method Not Allowed", "GET /NODE, POST /NODE/off or POST /NODE/on"
        return "200 OK", "on" if self._cluster.is_up(node) else "off"


class WriteRecorder:
    """Takes lines from services on the nodes, one connection a writer; every line is an event of the history.

    The line is a JSON list of the service's and the node's name.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._connections = 0
        self._server: asyncio.Server | None = None
        self._recorder: Recorder | None = None
        cluster.attach(self)

    async def begin(self) -> None:
        """Listen."""
        self._recorder = Recorder(self._cluster.history_path)
        self._server = await asyncio.start_server(self._serve, sock=_listen(self._cluster, WRITES_PORT))

    async def finish(self) -> None:
        """What was written is in the history already."""

    async def close(self) -> None:
        """Stop listening. Idempotent."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        connection = self._connections
        with suppress(ValueError, ConnectionError):
            while line := await reader.readline():
                service, node = map(str, json.loads(line))
                if self._recorder is not None and self._server is not None:
                    self._recorder.record(ServiceWrote(t_s=now_s(), node=node, service=service, connection=connection))
        writer.close()


def _listen(cluster: Cluster, port: int) -> socket.socket:
    client = cluster.topology.clients[0].name
    namespace = cluster.life.machines.client_namespaces.get(client)
    if namespace is None:
        raise HarnessError(f"client {client} has no place yet")
    address = (cluster.plan.address(client), port)
    listening = call_in(namespace, lambda: socket.create_server(address, backlog=BACKLOG))
    listening.setblocking(False)
    return listening
