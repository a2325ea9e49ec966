"""What /proc says of a process (proc(5))."""

import os
import re
from pathlib import Path

from harness.errors import HarnessError

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def _fields_after_name(pid: int) -> list[str]:
    # The second field, the name, may hold spaces and brackets: count from the last bracket.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError as error:
        raise HarnessError(f"process {pid} is gone") from error


def command_words(pid: int) -> tuple[str, ...]:
    """The words of its command line; none for a process that is gone, a zombie or a thread of the kernel."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # ENOENT before the file is open, ESRCH after
        return ()
    return tuple(line.decode(errors="replace").rstrip("\0").split("\0")) if line else ()


def process_name(pid: int) -> str:
    """Its name (at most 15 characters); empty for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def process_state(pid: int) -> str:
    """One letter: R running, S sleeping, D waiting for disk, T stopped, Z zombie."""
    return _fields_after_name(pid)[0]


def parent_pid(pid: int) -> int:
    """The parent's process id; 0 for one whose parent is in another process namespace."""
    return int(_fields_after_name(pid)[1])


def session_id(pid: int) -> int:
    """The session it is in (setsid(2))."""
    return int(_fields_after_name(pid)[3])


def begins_its_namespace(pid: int) -> bool:
    """Whether it is process 1 of a process namespace right below ours; False for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    return any(line.split()[0] == "NSpid:" and line.split()[2:] == ["1"] for line in lines if line)


def process_start_ticks(pid: int) -> int:
    """When the process started, in clock ticks since boot: with the id, a name nobody else ever has."""
    return int(_fields_after_name(pid)[19])


def processor_time_s(pid: int, *, with_children: bool = False) -> float:
    """Processor time used so far, user and system, in seconds; of children it has waited for as well, if wanted."""
    return sum(map(int, _fields_after_name(pid)[11 : 15 if with_children else 13])) / _TICKS_PER_S


def memory_bytes(pid: int) -> int:
    """Its proportional share of the memory it uses (PSS, proc_pid_smaps(5)); 0 when it has ended."""
    try:
        rows = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]]
    except OSError:
        return 0
    return next((int(row[1]) << 10 for row in rows if row[0] == "Pss:"), 0)


def host_memory_bytes(what: str) -> int:
    """A line of /proc/meminfo, such as MemTotal or MemAvailable."""
    kibibytes = re.findall(rf"^{what}:\s*(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)[0]
    return int(kibibytes) << 10


def memory_limits_bytes(process: Path = Path("/proc/self")) -> list[int]:
    """The limits that its control group, and those above it, set to its memory, of both versions (cgroups(7)).

    Version 1 says "none" by a number larger than any memory.
    """
    rows = (line.split(":", 2) for line in (process / "cgroup").read_text().splitlines())
    paths = {controller: path for _, controllers, path in rows for controller in controllers.split(",")}
    limits = []
    for line in (process / "mountinfo").read_text().splitlines():
        mount, _, filesystem = line.partition(" - ")
        root, mount_point = mount.split(" ")[3:5]
        kind, _, options = filesystem.split(" ", 2)
        if kind == "cgroup2":
            path, name = paths.get("", "/"), "memory.max"
        elif kind == "cgroup" and "memory" in options.split(","):
            path, name = paths.get("memory", "/"), "memory.limit_in_bytes"
        else:
            continue
        # A container may see its group only from the root of its own mount on.
        below = os.path.relpath(path, root) if Path(path).is_relative_to(root) else "."
        group = Path(mount_point, below)
        while group.is_relative_to(mount_point):
            limits += _numbers(group / name)
            group = group.parent
    return limits


def _numbers(file: Path) -> list[int]:
    """The number in a file, if there is one."""
    try:
        text = file.read_text().strip()
    except OSError:
        return []
    return [int(text)] if text.isdecimal() else []
