"""A backend of the platform under test: works for a moment on each request, and notes when it began and had answered.

It runs on nodes, alone: `python3 web_server.py PORT LOG [SERVICE]`. A note is written at once, so that it is there
also when the server is killed. ``/health`` answers without a note. With a SERVICE it also notes again and again that it
runs, from its first moment to its last: what runs twice says so.
"""

import asyncio
import json
import os
import re
import signal
import sys
import time

WORK_S, RUNS_EVERY_S = 0.01, 0.05
_HEAD = re.compile(rb"^(GET|HEAD|POST) (/[^ ]*) HTTP/1\.([01])\r\n")
_NUMBER = re.compile(rb"^x-request: *([0-9]+) *\r?$", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(rb"^content-length: *([0-9]+) *\r?$", re.IGNORECASE | re.MULTILINE)


class Web:
    """Serves, and notes what it does."""

    def __init__(self, log: int) -> None:
        self._log = log
        self._name = os.uname().nodename.encode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request after the other."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                asked, length = _HEAD.match(head), _LENGTH.search(head)
                if asked is None:
                    return
                await reader.readexactly(int(length[1]) if length else 0)
                await self._one(asked[1].decode(), asked[2], head, writer)
                if asked[3] == b"0":  # whose connections are for one request (RFC 1945)
                    return
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _one(self, method: str, path: bytes, head: bytes, writer: asyncio.StreamWriter) -> None:
        number = None if path == b"/health" else _NUMBER.search(head)
        if number is not None:
            self._note(int(number[1]), method, answered=False)
            await asyncio.sleep(WORK_S)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(self._name), self._name))
        await writer.drain()
        if number is not None:
            self._note(int(number[1]), method, answered=True)

    async def run(self, service: str) -> None:
        """Say so, until the end."""
        while True:
            said = {"t_s": time.monotonic(), "event": "running", "service": service, "replica": self._name.decode()}
            os.write(self._log, json.dumps(said).encode() + b"\n")
            await asyncio.sleep(RUNS_EVERY_S)

    def _note(self, number: int, method: str, *, answered: bool) -> None:
        said = {"t_s": time.monotonic(), "event": "served", "request": number, "method": method, "answered": answered}
        os.write(self._log, json.dumps(said).encode() + b"\n")


async def main(port: int, log_path: str, service: str | None) -> None:
    """Listen on every address, until SIGTERM: as the first process of a container it gets no other end by default."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    web = Web(os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644))
    runs = None if service is None else asyncio.create_task(web.run(service))
    await asyncio.start_server(web.serve, "0.0.0.0", port, backlog=1024)
    await stop.wait()
    if runs is not None:
        runs.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None))
