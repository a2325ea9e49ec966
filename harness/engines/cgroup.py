"""Control groups of a run: who is in them, frozen or not, and their end (cgroups(7)).

Works where the freezer is a version 1 hierarchy (also "hybrid" hosts) and where all is version 2.
Every process of a run, launchers included, is in a group below ``/harness-RUN_ID``: that is how
everything a run ever started is found, whoever started it and whatever became of its parents. Runs
share no parent group: nobody could ever remove it without breaking a run that is just starting.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.clock import now_s
from harness.errors import EngineError, HostError

CLIENTS = "clients"
"""Below a run's group: processes beside the nodes that are to end with the run."""
GONE = 125
"""Exit code of a command that could not join its group any more."""
_POLL_S = 0.0005
_NS_PER_S = 1e9
_US_PER_S = 1e6


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """Where this host's control groups are mounted."""

    version1: tuple[tuple[str, Path], ...]
    """Controller (or ``name=...``) and mount point, one entry a controller."""
    unified: Path | None

    def controller(self, name: str) -> Path | None:
        """The version 1 mount of a controller, if it has one."""
        return dict(self.version1).get(name)

    def mounts(self) -> tuple[Path, ...]:
        """Every hierarchy once."""
        unified = () if self.unified is None else (self.unified,)
        return (*dict.fromkeys(path for _, path in self.version1), *unified)

    @classmethod
    def parse(cls, mountinfo: str) -> "Hierarchies":
        """Read the text of /proc/PID/mountinfo (proc(5))."""
        version1: list[tuple[str, Path]] = []
        unified: Path | None = None
        for line in mountinfo.splitlines():
            before, _, after = line.partition(" - ")
            kind, _, options = after.split(" ", 2)
            mount_point = Path(before.split(" ")[4])
            if kind == "cgroup2":
                unified = unified or mount_point
            elif kind == "cgroup":
                names = [name for name in options.split(",") if name not in ("rw", "ro", "xattr", "noprefix")]
                version1 += [(name, mount_point) for name in names if name not in dict(version1)]
        return cls(tuple(version1), unified)


@cache
def hierarchies() -> Hierarchies:
    """This host's control groups. Raises HostError when none are mounted."""
    found = Hierarchies.parse(Path("/proc/self/mountinfo").read_text())
    if found.controller("freezer") is None and found.unified is None:
        raise HostError("no freezer: mount control groups (mount -t cgroup2 none /sys/fs/cgroup)")
    return found


class Cgroup:
    """One group and all below it, by its path from the root of every hierarchy ("harness-RUN_ID/NODE")."""

    def __init__(self, path: str, on: Hierarchies | None = None) -> None:
        self.path = path
        self.on = on or hierarchies()
        """Where this host's control groups are."""
        freezer = self.on.controller("freezer")
        self._version1 = freezer is not None
        mount = freezer or self.on.unified
        if mount is None:
            raise HostError("no freezer: neither version 1 nor version 2 control groups are mounted")
        self.directory = mount / path
        """The group in the hierarchy that tracks and freezes."""

    @classmethod
    def of(cls, pid: int) -> "Cgroup":
        """The group that a process is in, in the hierarchy that tracks and freezes. OSError when it has ended."""
        lines = (line.split(":", 2) for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines())
        paths = {controller: path for _, controllers, path in lines for controller in controllers.split(",")}
        return cls((paths["freezer"] if hierarchies().controller("freezer") else paths[""]).lstrip("/"))

    def create(self) -> None:
        """Make the group in the tracking hierarchy; one that exists is fine."""
        self.directory.mkdir(parents=True, exist_ok=True)

    def account(self) -> None:
        """Have the processor time of the group counted, and limited when somebody asks, where that is a hierarchy."""
        for mount in filter(None, map(self.on.controller, ("cpuacct", "cpu"))):
            (mount / self.path).mkdir(parents=True, exist_ok=True)

    def everywhere(self) -> tuple[Path, ...]:
        """The group's directory in each hierarchy in which it exists."""
        return tuple(mount / self.path for mount in self.on.mounts() if (mount / self.path).is_dir())

    def processes(self) -> tuple[int, ...]:
        """Process ids (as the host sees them) in the group and all below it."""
        return tuple(pid for group in _below(self.directory) for pid in _members(group))

    def _everyone(self) -> tuple[int, ...]:
        """Also those that a runtime, killed half-way, has moved into some hierarchies and not yet into the others."""
        found = (pid for directory in self.everywhere() for group in _below(directory) for pid in _members(group))
        return tuple(dict.fromkeys(found))

    def cpu_used_s(self) -> float:
        """Processor time used in the group and below since it was made, in seconds; 0.0 when it is not there."""
        accounting = self.on.controller("cpuacct")
        try:
            if accounting is not None:
                return int((accounting / self.path / "cpuacct.usage").read_text()) / _NS_PER_S
            text = (self.directory / "cpu.stat").read_text()
        except OSError:
            return 0.0
        return int(dict(line.split() for line in text.splitlines())["usage_usec"]) / _US_PER_S

    def frozen(self) -> bool:
        """Whether every process of the group is frozen."""
        if self._version1:
            return _read(self.directory / "freezer.state") == "FROZEN"
        return "frozen 1" in _read(self.directory / "cgroup.events").splitlines()

    def freezing(self) -> bool:
        """Whether the group was told to freeze, done or not."""
        if self._version1:
            return _read(self.directory / "freezer.self_freezing") == "1"
        return _read(self.directory / "cgroup.freeze") == "1"

    def freeze(self, within_s: float = 5.0) -> None:
        """Freeze everything; returns when nothing runs any more. Raises EngineError when that takes too long."""
        deadline_s = now_s() + within_s
        while True:
            # Version 1 may get stuck half-way when a process forks meanwhile: asking again makes it go on.
            self._ask_to_freeze(True)
            for _ in range(20):
                if self.frozen():
                    return
                time.sleep(_POLL_S)
            if now_s() > deadline_s:
                self._ask_to_freeze(False)
                raise EngineError(f"{self.path} does not freeze within {within_s:g} s")

    def thaw(self, within_s: float = 5.0) -> None:
        """Let everything go on; a group that is not frozen, or not there, is no error."""
        deadline_s = now_s() + within_s
        for group in _below(self.directory):
            self._ask_to_freeze(False, group)
        while self.freezing() or self.frozen():
            if now_s() > deadline_s:
                raise EngineError(f"{self.path} does not thaw within {within_s:g} s")
            time.sleep(_POLL_S)

    def _ask_to_freeze(self, freeze: bool, group: Path | None = None) -> None:
        if self._version1:
            file, text = "freezer.state", "FROZEN" if freeze else "THAWED"
        else:
            file, text = "cgroup.freeze", "1" if freeze else "0"
        try:
            ((group or self.directory) / file).write_text(text)
        except OSError as error:
            if freeze:
                raise EngineError(f"cannot freeze {self.path}: {error.strerror}") from error

    def kill(self, first: int | None = None, within_s: float = 10.0) -> None:
        """SIGKILL everything in the group and below, frozen or not; returns when nothing is left.

        ``first``, process 1 of a pid namespace, is killed before the others: the kernel then ends
        everything in that namespace before any of it can react.
        """
        deadline_s = now_s() + within_s
        if first is not None:
            _kill(first)
        while pids := self._everyone():
            for pid in pids:
                _kill(pid)
            if self._version1:  # a frozen process takes its SIGKILL when thawed; version 2 needs no thaw
                self.thaw()
            if now_s() > deadline_s:
                raise EngineError(f"{self.path}: processes {pids} survive SIGKILL for {within_s:g} s")
            time.sleep(_POLL_S)

    def remove(self, within_s: float = 5.0) -> None:
        """Remove the empty group, and all below it, from every hierarchy; one that is not there is no error."""
        deadline_s = now_s() + within_s
        for directory in self.everywhere():
            for group in sorted(_below(directory), key=lambda path: -len(path.parts)):
                while not _removed(group):  # a process that has just died may still hold it
                    if now_s() > deadline_s:
                        raise EngineError(f"control group {group} is still in use after {within_s:g} s")
                    time.sleep(_POLL_S)

    def joining(self) -> tuple[str, ...]:
        """The words to put before a command so that it runs in this group from its first instruction on.

        When the group is gone (its run has ended meanwhile), the command does not run at all: exit code GONE.
        """
        groups = dict.fromkeys((self.directory, *self.everywhere()))
        join = "".join(f"echo $$ > {_quoted(group / 'cgroup.procs')} || exit {GONE}; " for group in groups)
        return ("/bin/sh", "-c", f'{join}exec "$@"', "sh")


def _below(directory: Path) -> Iterator[Path]:
    """The directory and all below it; what vanishes meanwhile is passed over."""
    if directory.is_dir():
        yield from (Path(parent) for parent, _, _ in os.walk(directory))


def _members(group: Path) -> tuple[int, ...]:
    try:
        return tuple(int(line) for line in (group / "cgroup.procs").read_text().split())
    except OSError:
        return ()


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"
