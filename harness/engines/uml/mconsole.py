"""The management console of a User-Mode Linux kernel: one datagram asks, one or more answer.

To be used in the network namespace of the kernel's process: our own name, to which it answers, counts only there.
"""

import os
import socket
import struct
from pathlib import Path

from harness.errors import EngineError

_REQUEST, _REPLY = struct.Struct("=III512s"), struct.Struct("=III")
_LARGEST_BYTES = 1 << 12
_MAGIC, _VERSION = 0xCAFEBABE, 2
_WITHIN_S = 10.0


def tell(directory: Path, command: str) -> str:
    """Have the kernel whose console is in this directory do something; gives what it says. EngineError."""
    # By way of a descriptor: the name of a socket must be short, that of the directory need not be.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        try:
            place = os.open(directory, os.O_PATH | os.O_CLOEXEC)
        except OSError as error:
            raise EngineError(f"the kernel has no console: {error}") from error
        try:
            ours.bind("")  # a name that nobody else has
            ours.settimeout(_WITHIN_S)
            text = command.encode()
            ours.sendto(_REQUEST.pack(_MAGIC, _VERSION, len(text), text), f"/proc/self/fd/{place}/mconsole")
            return _answer(ours, command)
        except OSError as error:
            raise EngineError(f"the kernel's console does not answer: {error}") from error
        finally:
            os.close(place)


def _answer(ours: socket.socket, command: str) -> str:
    said = b""
    while True:
        reply = ours.recv(_LARGEST_BYTES)
        failed, more, length = _REPLY.unpack_from(reply)
        said += reply[_REPLY.size : _REPLY.size + length].rstrip(b"\0")
        if not more:
            break
    words = said.decode(errors="replace").strip()
    if failed:
        raise EngineError(f"the kernel refuses {command!r}: {words}")
    return words
