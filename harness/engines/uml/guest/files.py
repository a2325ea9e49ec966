"""Files of the node: read, written, changed in place, tried."""

import os

from .system import make_directories
from .wire import CHUNK_BYTES, OUTPUT, Incoming, frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PAGE_BYTES = 4096


def read(incoming: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    descriptor = os.open(os.path.join("/", request["path"]), os.O_RDONLY | os.O_CLOEXEC)
    try:
        while chunk := os.read(descriptor, CHUNK_BYTES):
            incoming.connection.sendall(frame(OUTPUT, chunk))
    finally:
        os.close(descriptor)
    return {}


def write(incoming: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    path = os.path.join("/", request["path"])
    make_directories(os.path.dirname(path))
    path = os.path.realpath(path)
    fresh = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.fresh")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        incoming.everything(descriptor)
        os.fchmod(descriptor, request["mode"])
    finally:
        os.close(descriptor)
    os.replace(fresh, path)
    return {}


def patch(incoming: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    """Write into a file as it is, so that whoever has it open sees that: from an offset on, or all that is in it."""
    flags = os.O_WRONLY | os.O_CLOEXEC | (0 if request["at"] is not None else os.O_CREAT | os.O_TRUNC)
    descriptor = os.open(os.path.join("/", request["path"]), flags, 0o644)
    try:
        os.lseek(descriptor, request["at"] or 0, os.SEEK_SET)
        incoming.everything(descriptor)
    finally:
        os.close(descriptor)
    return {}


def tree(incoming: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    """The regular files below a directory, one after the other; of longer ones, the end. Gives names and sizes."""
    sizes: list[tuple[str, int]] = []
    for parent, _, names in os.walk(request["directory"]):
        for path in (os.path.join(parent, name) for name in names):
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as stream:
                stream.seek(max(0, os.fstat(stream.fileno()).st_size - request["limit_bytes"]))
                content = stream.read()
            sizes.append((path, len(content)))
            for begin in range(0, len(content), CHUNK_BYTES):
                incoming.connection.sendall(frame(OUTPUT, content[begin : begin + CHUNK_BYTES]))
    return {"sizes": sizes}


def try_write(_: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    """Why a page cannot be written to a new file; 0 when it can."""
    return {"number": cannot_write(request["path"])}


def cannot_write(path: str) -> int:
    """An error number, or 0; in any case no file is left."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, bytes(_PAGE_BYTES))
        finally:
            os.close(descriptor)
            os.unlink(path)
    except OSError as error:
        return error.errno or 5
    return 0
