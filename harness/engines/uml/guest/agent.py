"""Does in the node what the harness asks: each connection is one request."""

import _signal as signal  # type: ignore[import-not-found]
import _socket
import os
import time

from . import canary, clock, files, mapper, processes
from .commands import run
from .links import cable_is_in, plug
from .modules import load_module
from .system import Refused, read_file
from .watch import watch
from .wire import RESULT, Incoming, decode, encode, frame

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
    "read": files.read,
    "write": files.write,
    "tree": files.tree,
    "try-write": files.try_write,
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
    "patch": files.patch,
    "halt": _answer_halt,
    "watch": watch,
    "canary-send": canary.send,
    "canary-receive": canary.receive,
}
