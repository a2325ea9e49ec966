"""Connections are handed on in both directions, each to its own end."""

import asyncio
import contextlib
import socket

from harness.forwarding import Forwarding


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says everything once more when the other side has nothing more to say."""
    writer.write(await reader.read())
    await writer.drain()
    writer.close()


async def test_what_is_said_arrives_and_so_does_the_answer() -> None:
    beyond = await asyncio.start_server(echo, "127.0.0.1", 0)
    address = beyond.sockets[0].getsockname()
    said: list[str] = []
    server = await Forwarding(lambda: socket.create_connection(address, timeout=5.0), said.append).listen(
        "127.0.0.1", 0
    )
    async with beyond, server:
        much = bytes(range(256)) * 4096
        for _ in range(3):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(much)
            writer.write_eof()
            assert await reader.read() == much
            writer.close()
    assert said == []


async def test_who_cannot_be_handed_on_is_closed_and_the_reason_told() -> None:
    said: list[str] = []

    def refuses() -> socket.socket:
        raise OSError("nobody listens there")

    server = await Forwarding(refuses, said.append).listen("127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
    assert said == ["nobody listens there"]
