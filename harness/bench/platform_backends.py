"""Backends for a benchmark, by the thousand, in one process: all ports from FIRST on, on ADDRESS.

Who asks to speak "echo" (RFC 9110, 7.8) hears each line again; everybody else is answered 200. A line on standard
output says that it listens; each line on standard input is answered with how many requests there have been.

Usage: platform_backends.py ADDRESS FIRST COUNT
"""

import asyncio
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"


class Backend(asyncio.Protocol):
    """One connection. Requests have no body, and come one at a time."""

    answered = 0

    def __init__(self) -> None:
        self._head, self._echoes = b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A request, or a line."""
        if self._echoes:
            self._transport.write(data)
            return
        self._head += data
        if not self._head.endswith(b"\r\n\r\n"):
            return
        Backend.answered += 1
        self._echoes = b"\r\nupgrade: echo\r\n" in self._head.lower()
        self._head = b""
        self._transport.write(UPGRADE if self._echoes else ANSWER)


async def main(address: str, first: int, count: int) -> None:
    """Until standard input ends."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Backend, address, port, backlog=1024) for port in range(first, first + count)]
    sys.stdout.write("listens\n")
    sys.stdout.flush()
    while await loop.run_in_executor(None, sys.stdin.readline):
        sys.stdout.write(f"{Backend.answered}\n")
        sys.stdout.flush()
    for server in servers:
        server.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
