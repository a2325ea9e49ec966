"""How much of a resource a control group may use, and how often it came up against that (cgroups(7), both versions)."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.engines.cgroup import Cgroup
from harness.errors import EngineError

Resource = Literal["cpu", "memory", "pids", "memory-soft"]
"""*memory-soft*: who has more gives some back, and nobody is killed while there is some to give (version 1 has but one
limit for both)."""


@dataclass(frozen=True, slots=True)
class _Files:
    """Where one version of the control groups keeps a limit, and counts: a word of a line, and the number after it."""

    limit: str
    unlimited: str
    used: str
    counter: str
    counted: str


_VERSION_1: dict[Resource, _Files] = {
    "cpu": _Files("cpu.cfs_quota_us", "-1", "", "cpu.stat", "nr_throttled"),
    "memory": _Files("memory.limit_in_bytes", "-1", "memory.usage_in_bytes", "memory.oom_control", "oom_kill"),
    "pids": _Files("pids.max", "max", "pids.current", "pids.events", "max"),
    "memory-soft": _Files(
        "memory.limit_in_bytes", "-1", "memory.usage_in_bytes", "memory.stat", "workingset_refault_file"
    ),
}
_VERSION_2: dict[Resource, _Files] = {
    "cpu": _Files("cpu.max", "max", "", "cpu.stat", "nr_throttled"),
    "memory": _Files("memory.max", "max", "memory.current", "memory.events", "oom_kill"),
    "pids": _Files("pids.max", "max", "pids.current", "pids.events", "max"),
    "memory-soft": _Files("memory.high", "max", "memory.current", "memory.stat", "workingset_refault_file"),
}


def _place(group: Cgroup, resource: Resource) -> tuple[Path, _Files]:
    """Raises EngineError where nobody limits this resource."""
    found, controller = group.on, resource.partition("-")[0]
    mount, files = found.controller(controller), _VERSION_1[resource]
    if mount is None and found.unified is not None:
        mount, files = found.unified, _VERSION_2[resource]
    directory = None if mount is None else mount / group.path
    if directory is None or not (directory / files.limit).exists():
        raise EngineError(f"no controller {controller} for the control group {group.path}")
    return directory, files


def lacks(group: Cgroup, resource: Resource) -> str | None:
    """Why a group cannot be limited in this resource; None when it can."""
    try:
        _place(group, resource)
    except EngineError as error:
        controller = resource.partition("-")[0]
        return (
            f"{error}: mount that controller (mount -t cgroup -o {controller}), or give it to all groups of version 2"
        )
    return None


def limit(group: Cgroup, resource: Resource, amount: int) -> None:
    """Allow it this much: bytes, processes, or microseconds of processor time in each tenth of a second.

    Memory that is in use already stays so where the kernel cannot take it back (version 1): then as little as it can.
    """
    directory, files = _place(group, resource)
    try:
        (directory / files.limit).write_text(str(amount))
    except OSError as error:
        raise EngineError(f"cannot limit {resource} of {group.path} to {amount}: {error.strerror}") from error


def lift(group: Cgroup, resource: Resource) -> None:
    """Allow all of it again; a group that is gone is no error."""
    try:
        directory, files = _place(group, resource)
        (directory / files.limit).write_text(files.unlimited)
    except (EngineError, FileNotFoundError):
        return
    except OSError as error:
        raise EngineError(f"cannot lift the limit on {resource} of {group.path}: {error.strerror}") from error


def is_limited(group: Cgroup, resource: Resource) -> bool:
    """Whether there is a limit now (version 1 says "none" of memory by a number larger than any)."""
    try:
        directory, files = _place(group, resource)
        text = (directory / files.limit).read_text().split()[0]
    except (EngineError, OSError):
        return False
    return text not in (files.unlimited, "max") and int(text) < 1 << 62


def in_use(group: Cgroup, resource: Resource) -> int:
    """How much memory, or how many processes, it has now."""
    directory, files = _place(group, resource)
    return int((directory / files.used).read_text())


def kept_bytes(group: Cgroup) -> int:
    """How much of its memory is no copy of a file, and so cannot simply be taken back."""
    directory, files = _place(group, "memory-soft")
    of_all = "total_" if files.unlimited == "-1" else ""  # what is in groups below is counted apart in version 1
    of_files = sum(_counted(directory / files.counter, f"{of_all}{name}_file") for name in ("active", "inactive"))
    return max(0, in_use(group, "memory-soft") - of_files)


def refusals(group: Cgroup, resource: Resource) -> int:
    """How often the kernel held it up, refused it a process, or killed one of its own for want of memory.

    Of soft memory: how many pages were taken back, and then needed again.

    Where a container has groups of its own below, the kernel may count there; only compare it with an earlier count.
    """
    directory, files = _place(group, resource)
    return sum(_counted(Path(below) / files.counter, files.counted) for below, _, _ in os.walk(directory))


def _counted(file: Path, what: str) -> int:
    try:
        lines = [line.split() for line in file.read_text().splitlines()]
    except OSError:  # a group that is just going away
        return 0
    return next((int(words[1]) for words in lines if words[0] == what), 0)
