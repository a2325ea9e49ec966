"""A command in a node with a kernel of its own, with the streams of a process of ours: it ends when that does.

Run as a program, this is the process that stands for such a command (spawn); standard modules only.
"""

import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

from harness.engines.uml.guest.wire import (
    CHUNK_BYTES,
    ERRORS,
    INPUT,
    INPUT_ENDS,
    OUTPUT,
    REQUEST,
    RESULT,
    SIZE,
    Frames,
    decode,
    encode,
    frame,
)

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_TARGETS = {OUTPUT: _STDOUT, ERRORS: _STDERR}
POWER_LOST = 128 + signal.SIGKILL
OUTPUT_CLOSED = 128 + signal.SIGPIPE
_CODE = "import sys; sys.path.insert(0, {root!r}); from harness.engines.uml.relay import main; main()"


def relaying(connection: int, request: Mapping[str, object]) -> list[str]:
    """The command line of a process that stands for a command; it is to inherit the connection."""
    root = str(Path(__file__).parents[3])
    return [sys.executable, "-ISc", _CODE.format(root=root), str(connection), json.dumps(request)]


def main() -> None:
    """Relay between our streams and the command."""
    descriptor, request = sys.argv[1:]
    with socket.socket(fileno=int(descriptor)) as connection:
        os._exit(Relay(connection, with_stdin=True).run(json.loads(request)))


class Relay:
    """Carries our standard streams to and from a command; returns its exit code."""

    def __init__(self, connection: socket.socket, *, with_stdin: bool) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._reads_stdin = with_stdin
        self._to_send = b""
        self._frames = Frames()
        self._exit_code: int | None = None

    def run(self, request: Mapping[str, object], *, process: int | None = None) -> int:
        """From the request to the command's end. ``process`` ends with the node, as a descriptor (pidfd_open(2))."""
        self._to_send += frame(REQUEST, encode(request))
        while self._exit_code is None:
            sources = [self._connection.fileno(), *((process,) if process is not None else ())]
            if self._reads_stdin and len(self._to_send) < CHUNK_BYTES:
                sources.append(_STDIN)
            readable, writable, _ = select.select(sources, [self._connection] if self._to_send else [], [])
            if writable:
                self._send()
            if self._connection.fileno() in readable:
                self._receive()
            if _STDIN in readable:
                self._read_stdin()
            if process in readable and self._exit_code is None:
                return POWER_LOST
        return self._exit_code

    def resize(self, rows: int, columns: int) -> None:
        """Our terminal has another size now."""
        self._to_send += frame(SIZE, struct.pack("!HH", rows, columns))
        self._send()

    def _send(self) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                self._to_send = self._to_send[self._connection.send(self._to_send) :]
            except ConnectionError:
                self._to_send = b""  # what follows from it is seen where we read

    def _receive(self) -> None:
        try:
            data = self._connection.recv(CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._exit_code = POWER_LOST
            return
        for kind, content in self._frames.feed(data):
            if kind == RESULT:
                result = decode(content)
                if "error" in result:
                    os.write(_STDERR, f"{result['error']}\n".encode())
                self._exit_code = int(result.get("exit_code", 1))
            elif kind in _TARGETS and not _write_all(_TARGETS[kind], content):
                self._exit_code = OUTPUT_CLOSED

    def _read_stdin(self) -> None:
        try:
            chunk = os.read(_STDIN, CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        self._to_send += frame(INPUT, chunk) if chunk else frame(INPUT_ENDS)
        self._reads_stdin = bool(chunk)


def own_size() -> tuple[int, int]:
    """Rows and columns of our terminal."""
    return termios.tcgetwinsize(_STDOUT)


def _write_all(target: int, data: bytes) -> bool:
    """Write to one of our outputs; whether somebody still reads there."""
    while data:
        try:
            data = data[os.write(target, data) :]
        except BlockingIOError:  # somebody we share it with has made it so
            select.select([], [target], [])
        except OSError:
            return False
    return True


if __name__ == "__main__":
    main()
