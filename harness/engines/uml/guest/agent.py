"""Does in the node what the harness asks: each connection is one request."""

import _signal as signal  # type: ignore[import-not-found]
import _socket
import os
import time

from . import canary, clock, mapper, processes
from .commands import run
from .links import cable_is_in, plug
from .modules import load_module
from .system import Refused, make_directories, read_file
from .watch import watch
from .wire import CHUNK_BYTES, OUTPUT, RESULT, Incoming, decode, encode, frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HALT_EVERY_S = 0.25
_TRAPS_WITHIN_S = 2.0
_LOOK_EVERY_S = 0.01


def serve(listener: _socket.socket) -> None:
    """Do what is asked, for ever; whatever process 1 is told by signals is not for us."""
    import _thread

    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    while True:
        connection = _socket.socket(fileno=listener._accept()[0])  # type: ignore[attr-defined]
        connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        _thread.start_new_thread(attend, (connection,))


def attend(connection: _socket.socket) -> None:
    """One request, from its first byte to its answer."""
    try:
        incoming = Incoming(connection)
        request = decode(incoming.next()[1])
        try:
            result = _ANSWERS[request["do"]](incoming, request)
        except (OSError, Refused) as error:
            number = error.errno if isinstance(error, OSError) else None
            result = {"error": str(error), "errno": number}
        connection.sendall(frame(RESULT, encode(result)))
    except OSError:  # whoever asked has gone
        pass
    finally:
        connection.close()


def _hello(_: Incoming, __: "dict[str, Any]") -> "dict[str, Any]":
    return {}


def _read(incoming: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    descriptor = os.open(os.path.join("/", request["path"]), os.O_RDONLY | os.O_CLOEXEC)
    try:
        while chunk := os.read(descriptor, CHUNK_BYTES):
            incoming.connection.sendall(frame(OUTPUT, chunk))
    finally:
        os.close(descriptor)
    return {}


def _write(incoming: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
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


def _patch(incoming: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    """Write into a file as it is, so that whoever has it open sees that: from an offset on, or all that is in it."""
    flags = os.O_WRONLY | os.O_CLOEXEC | (0 if request["at"] is not None else os.O_CREAT | os.O_TRUNC)
    descriptor = os.open(os.path.join("/", request["path"]), flags, 0o644)
    try:
        os.lseek(descriptor, request["at"] or 0, os.SEEK_SET)
        incoming.everything(descriptor)
    finally:
        os.close(descriptor)
    return {}


def _tree(incoming: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
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


def _answer_plug(_: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    plug(request)
    return {}


def _answer_cable(_: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    cable_is_in(request)
    return {}


def _answer_module(_: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    load_module(request["name"])
    return {}


def _answer_halt(_: Incoming, __: "dict[str, Any]") -> "dict[str, Any]":
    """Have process 1 shut the node down. There is no answer to this but the node's end."""
    _until_boot_can_be_told()
    # systemd(1) takes TERM for a request to execute itself again.
    number = signal.SIGRTMIN + 3 if read_file("/proc/1/comm").strip() == "systemd" else signal.SIGTERM
    while True:  # a process 1 that has not set up its signals yet ignores them
        os.kill(1, number)
        time.sleep(_HALT_EVERY_S)


def _until_boot_can_be_told() -> None:
    """Wait until what process 1 runs has a trap for TERM: before, it would just die, and the kernel with it."""
    deadline_s = time.monotonic() + _TRAPS_WITHIN_S
    while time.monotonic() < deadline_s and read_file("/proc/1/comm").strip() != "systemd":
        for name in os.listdir("/proc"):
            if name.isdigit() and _is_child_of_1_with_a_trap(name):
                return
        time.sleep(_LOOK_EVERY_S)


def _is_child_of_1_with_a_trap(name: str) -> bool:
    """proc_pid_status(5)."""
    try:
        lines = read_file(f"/proc/{name}/status").splitlines()
    except OSError:  # it has just ended
        return False
    fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return fields.get("PPid") == "1" and bool(int(fields.get("SigCgt", "0"), 16) >> (signal.SIGTERM - 1) & 1)


_ANSWERS = {
    "hello": _hello,
    "run": run,
    "read": _read,
    "write": _write,
    "tree": _tree,
    "plug": _answer_plug,
    "cable": _answer_cable,
    "module": _answer_module,
    "set-clock": clock.set_clock,
    "tell-clock": clock.tell_clock,
    "disk": mapper.disk,
    "tell-disk": mapper.tell_disk,
    "try-disk": mapper.try_disk,
    "try-file": mapper.try_file,
    "pace": clock.pace,
    "processes": processes.processes,
    "signal": processes.send_signal,
    "files": processes.tell_files,
    "limit-files": processes.answer_limit_files,
    "patch": _patch,
    "halt": _answer_halt,
    "watch": watch,
    "canary-send": canary.send,
    "canary-receive": canary.receive,
}
