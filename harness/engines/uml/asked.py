"""Asking the agent in a node with a kernel of its own, one thing after the other: what whoever heals has.

Standard modules only, and none that wait (asyncio): the keeper starts without them.
"""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.engines.uml.guest.links import ADDRESS, PORT
from harness.engines.uml.guest.wire import (
    CHUNK_BYTES,
    ERRORS,
    INPUT,
    INPUT_ENDS,
    OUTPUT,
    REQUEST,
    RESULT,
    Frames,
    decode,
    encode,
    frame,
)
from harness.errors import EngineError, FabricError
from harness.fabric.namespaces import call_in

CONNECT_S = 10.0
_ANSWER_S = 20.0


def connect(pid: int, within_s: float = CONNECT_S) -> socket.socket:
    """A connection to the agent of the node whose kernel is this process. EngineError when it does not answer."""
    namespace = Path(f"/proc/{pid}/ns/net")
    try:
        return call_in(namespace, lambda: socket.create_connection((ADDRESS, PORT), timeout=within_s))
    except (OSError, FabricError) as error:
        raise EngineError(f"the agent in the node does not answer: {error}") from error


def request_frame(request: Mapping[str, object]) -> bytes:
    """The frame that asks for something."""
    return frame(REQUEST, encode(request))


def first_frame(connection: socket.socket, wanted: bytes) -> bytes:
    """What is in the next frame of a kind. EngineError, in the agent's words, when it refuses."""
    frames = Frames()
    while data := connection.recv(CHUNK_BYTES):
        for kind, content in frames.feed(data):
            if kind == wanted:
                return content
            if kind == RESULT:
                raise EngineError(str(decode(content).get("error")))
    raise ConnectionError("the agent has gone")


def ask_now(
    pid: int, request: Mapping[str, object], content: bytes | None = None, *, within_s: float = _ANSWER_S
) -> tuple[dict[str, Any], bytes]:
    """Ask for something and wait for the answer: what it says, and what was sent along.

    Raises EngineError, and FileNotFoundError for a file that is not there.
    """
    output = {OUTPUT: bytearray(), ERRORS: bytearray()}
    try:
        with connect(pid) as connection:
            connection.settimeout(within_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sent = request_frame(request)
            if content is not None:
                sent += frame(INPUT, content) + frame(INPUT_ENDS)
            connection.sendall(sent)
            result = _result(connection, output)
    except OSError as error:
        raise EngineError(f"the agent in the node does not answer: {error}") from error
    if (words := result.get("error")) is not None:
        if result.get("errno") == 2:
            raise FileNotFoundError(words)
        raise EngineError(words)
    return result, bytes(output[OUTPUT] or output[ERRORS])


def _result(connection: socket.socket, output: Mapping[bytes, bytearray]) -> dict[str, Any]:
    frames = Frames()
    while data := connection.recv(CHUNK_BYTES):
        for kind, piece in frames.feed(data):
            if kind in output:
                output[kind].extend(piece)
            elif kind == RESULT:
                result: dict[str, Any] = decode(piece)
                return result
    raise ConnectionError("the agent has gone")
