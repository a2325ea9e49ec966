"""TCP connections of this host handed on to somewhere else, such as a port inside a node."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

CHUNK_BYTES = 1 << 16
Connect = Callable[[], socket.socket]
"""A connected socket to the other side. Raises OSError or HarnessError."""


class Forwarding:
    """Listens, and hands every connection on. What cannot be connected is closed at once, and ``say`` is told why."""

    def __init__(self, connect: Connect, say: Callable[[str], None]) -> None:
        self._connect, self._say = connect, say
        self._handing: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """From now on. Raises OSError."""
        return await asyncio.start_server(self._accepted, host, port)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            beyond = await asyncio.to_thread(self._connect)
        except Exception as error:  # whatever it is, it concerns this connection alone
            self._say(str(error))
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection(sock=beyond)
        ways = (
            asyncio.create_task(_hand_on(reader, there_writer)),
            asyncio.create_task(_hand_on(there_reader, writer)),
        )
        self._handing.update(ways)
        for way in ways:
            way.add_done_callback(self._handing.discard)
        await asyncio.gather(*ways, return_exceptions=True)
        for one in (writer, there_writer):
            one.transport.abort()


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One way, to its end: the other one may go on."""
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
