"""What runs in the node, as its kernel tells of it (proc(5))."""

import os

from .system import read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .wire import Incoming


def processes(_: "Incoming", __: "dict[str, Any]") -> "dict[str, Any]":
    """All of them but the kernel's own, and those that have ended: numbers, name, state, words, output, unit."""
    return {"processes": [found for name in os.listdir("/proc") if name.isdigit() and (found := _told_of(int(name)))]}


def send_signal(_: "Incoming", request: "dict[str, Any]") -> "dict[str, Any]":
    """Send a signal to a process that began at that time; one that has ended needs none."""
    found = _told_of(request["pid"])
    if found and found[1] == request["start_ticks"]:
        os.kill(request["pid"], request["signal"])
    return {}


def tell_files(_: "Incoming", request: "dict[str, Any]") -> "dict[str, Any]":
    """How many files a process may have open, and the first number that is free."""
    return {"files": list(files_of(request["pid"]))}


def answer_limit_files(_: "Incoming", request: "dict[str, Any]") -> "dict[str, Any]":
    """Limit the open files of a process that began at that time; one that has ended has none."""
    found = _told_of(request["pid"])
    if found and found[1] == request["start_ticks"]:
        limit_files(request["pid"], request["limit"])
    return {}


def files_of(pid: int) -> tuple[int, int]:
    """How many files a process may have open, and the first number that is free. ProcessLookupError."""
    import resource

    allowed, _ = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    taken, free = set(map(int, os.listdir(f"/proc/{pid}/fd"))), 0
    while free in taken:
        free += 1
    return allowed, free


def limit_files(pid: int, files: int) -> None:
    """The soft limit alone, so that it can be had back."""
    import resource

    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (files, hard))


def _told_of(pid: int) -> "list[Any]":
    place = f"/proc/{pid}"
    try:
        words = read_file(f"{place}/cmdline").rstrip("\0")
        before, _, after = read_file(f"{place}/stat").rpartition(")")
        unit = read_file(f"{place}/cgroup").strip().rpartition("/")[2]
    except (OSError, UnicodeDecodeError):  # it has just ended, or its words are no text
        return []
    fields = after.split()
    if not words or fields[0] in "ZX":
        return []
    try:
        output = os.readlink(f"{place}/fd/1")
    except OSError:
        output = ""
    numbers = [pid, int(fields[19]), int(fields[1]), int(fields[11]) + int(fields[12])]
    return [*numbers, before.partition("(")[2], fields[0], words.split("\0"), output, unit]
