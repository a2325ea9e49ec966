"""Removing what dead runs left behind, and only that.

A run is dead when neither its owner nor its keeper lives. A run's directory is made before anything else of the run and
removed after everything else, so whatever names a run without a directory is a leftover too. Everything here may be
killed at any point, and two processes may do it at once: a step that finds its work done goes on to the next.
"""

import fcntl
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness.clock import now_s
from harness.engines.cgroup import Cgroup, hierarchies
from harness.engines.daemons import known_daemons
from harness.engines.remains import Daemon, instances_of, noted_daemon
from harness.errors import EngineError, HarnessError, HostError
from harness.procfs import command_words, parent_pid
from harness.rundir import (
    MAKING,
    OWNER_FILE,
    RUNS,
    ProcessName,
    RunDirectory,
    calling_user,
    disks_of_elsewhere,
    disks_root,
    group_prefix,
)

_TEMPORARY = Path("/tmp")
_TRIES = 5
_LOOK_EVERY_S = 0.02
_ATTENDANTS_S = 1.0


@dataclass(frozen=True, slots=True)
class Remains:
    """A dead run and what is left of it."""

    run_id: str
    leftovers: tuple[str, ...]


def find_dead_runs() -> list[Remains]:
    """Every dead run of which something is left on this host (disks: in this user's cache).

    A daemon that does not answer is passed over; its runs are found once it does.
    """
    # The directories are listed last: a run that starts meanwhile makes its own before anything else.
    groups = (path.name for mount in hierarchies().mounts() for path in _directories(mount))
    prefix = group_prefix()
    named = {name.removeprefix(prefix) for name in groups if name.startswith(prefix)}
    named |= {path.name for path in _disks() if not disks_of_elsewhere(path)}
    for daemon in known_daemons():
        with suppress(EngineError):
            named |= daemon.runs()
    named |= {path.name for path in _directories(RUNS) if not path.name.startswith(".")}
    return [Remains(run_id, tuple(leftovers(run_id))) for run_id in sorted(named) if not _lives(run_id)]


def reap(dry_run: bool = False, *, everybodys: bool = False) -> list[Remains]:
    """Remove every dead run of this user, or of everybody; returns what was (with ``dry_run``: would be) removed.

    Raises HarnessError when something could not be removed, after having tried everything else.
    """
    found = [one for one in find_dead_runs() if everybodys or RunDirectory(one.run_id).is_of(calling_user())]
    if dry_run:
        return found
    failures: list[str] = []
    for remains in found:
        try:
            destroy(RunDirectory(remains.run_id), only_dead=True)
        except (HarnessError, OSError) as error:
            failures.append(f"run {remains.run_id}: {error}")
    for making in _directories(RUNS):
        if making.name.startswith(MAKING) and not _maker_lives(making.name):
            shutil.rmtree(making, ignore_errors=True)
    if failures:
        raise HarnessError("could not be removed: " + "; ".join(failures))
    return found


def destroy(run: RunDirectory, *, only_dead: bool = False) -> None:
    """Remove everything of a run, alive or dead: processes, control groups, disks, its directory.

    Faults are not healed: they act on nodes and on the fabric, and go with them.

    A living keeper is not killed: it calls this itself, when told to end (see harness.keeper). With ``only_dead`` a run
    that lives is left alone: a new one may have taken the name since somebody looked. Raises EngineError when processes
    or groups cannot be removed; the run's directory stays then.
    """
    with _alone(run.path) as mine:
        if not mine or (only_dead and _lives(run.run_id)):
            return
        cgroup = Cgroup(run.cgroup)
        cgroup.kill()  # at once, whatever a daemon takes its time for
        daemons = _daemons(run)
        for daemon in daemons:
            daemon.remove(run.run_id, under_way=_is_being_made(run))
        _end(cgroup)
        if any(daemon.kind == "lxd" for daemon in daemons):
            _end_attendants(run.run_id)
        for disks in _places_of_disks(run):
            _remove_tree(disks)
        _remove_tree(run.path)


def leftovers(run_id: str) -> list[str]:
    """Everything on this host that belongs to the run: a line each, of what it is and where."""
    run = RunDirectory(run_id)
    cgroup = Cgroup(run.cgroup)
    names = re.compile(f"{_whole(re.escape(run_id))}|{_instances(run_id)}").search
    processes = set(cgroup.processes()) | set(_processes_of(names))
    found = [f"process {pid} ({_command(pid)})" for pid in sorted(processes)]
    found += [f"control group {path}" for path in cgroup.everywhere()]
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    found += [f"mount {line.split()[4]}" for line in mounts if names(line)]
    found += [f"network namespace {path}" for path in _entries(Path("/run/netns")) if names(path.name)]
    found += [f"link {path.name}" for path in _entries(Path("/sys/class/net")) if names(_alias(path))]
    for daemon in _daemons(run):
        with suppress(EngineError):
            found += [f"{daemon.kind} container {name}" for name in daemon.containers(run_id)]
    found += [f"temporary {path}" for path in _entries(_TEMPORARY) if names(path.name)]
    places = {*_places_of_disks(run), run.path}
    found += [f"directory {path}" for path in sorted(places) if path.exists()]
    return found


def _lives(run_id: str) -> bool:
    run = RunDirectory(run_id)
    try:
        return run.owner().lives()
    except HarnessError:
        return (run.path / OWNER_FILE).exists()  # of another version of the harness, maybe: we cannot tell


def _maker_lives(name: str) -> bool:
    try:
        pid, start_ticks = name.removeprefix(MAKING + ".").split(".")[:2]
        return ProcessName(int(pid), int(start_ticks)).lives()
    except ValueError:
        return False


def _daemons(run: RunDirectory) -> set[Daemon]:
    """The daemons that may have containers of the run: the one its directory names, or any, without a directory."""
    noted = noted_daemon(run.path)
    if noted is not None or run.path.exists():
        return {noted} if noted else set()
    return set(filter(Daemon.answers, known_daemons()))


def _is_being_made(run: RunDirectory) -> bool:
    """Whether its owner died while making a node: what it asked a daemon for may still come."""
    return any(not run.node_note(node.name).exists() for node in _directories(run.path / "nodes"))


def _end(cgroup: Cgroup) -> None:
    for _ in range(_TRIES):
        cgroup.kill()
        with suppress(EngineError):  # a launcher of a living owner may have slipped in: kill again
            cgroup.remove(within_s=1.0)
            return
    cgroup.remove()


def _end_attendants(run_id: str) -> None:
    """End what LXD runs beside the instances of this run, which are gone by now.

    It ends by itself a moment later, unless a node died while it was starting. Then LXD, told to end, would wait a
    minute for it.
    """
    names = re.compile(_instances(run_id)).search
    began_s = now_s()
    while (left := list(_processes_of(names))) and now_s() < began_s + 2 * _ATTENDANTS_S:
        if now_s() > began_s + _ATTENDANTS_S:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(_LOOK_EVERY_S)


def _instances(run_id: str) -> str:
    """Matches the names of a run's instances in LXD."""
    return _whole(f"{instances_of(run_id)}[0-9a-f]+")


def _whole(pattern: str) -> str:
    return rf"(?<![a-z0-9-]){pattern}(?![a-z0-9-])"


def _places_of_disks(run: RunDirectory) -> set[Path]:
    found = set()
    with suppress(HarnessError):
        found.add(run.disks)
    with suppress(HostError):
        found.add(disks_root() / run.run_id)
    return found


def _disks() -> list[Path]:
    with suppress(HostError):  # a user without a home has none
        return _directories(disks_root())
    return []


def _entries(parent: Path) -> list[Path]:
    try:
        return sorted(parent.iterdir())
    except OSError:
        return []


def _directories(parent: Path) -> list[Path]:
    return [path for path in _entries(parent) if path.is_dir()]


def _processes_of(names: Callable[[str], object]) -> Iterator[int]:
    """Processes with the run's id on their command line (keeper, launchers, tools), except us and our ancestors."""
    ours = set(_ancestors(os.getpid()))
    for directory in _entries(Path("/proc")):
        if directory.name.isdecimal() and (pid := int(directory.name)) not in ours and names(_command(pid)):
            yield pid


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 0:
        yield pid
        try:
            pid = parent_pid(pid)
        except HarnessError:
            return


def _command(pid: int) -> str:
    return " ".join(command_words(pid))


def _alias(link: Path) -> str:
    try:
        return f"{link.name} {(link / 'ifalias').read_text()}"
    except OSError:
        return link.name


def _remove_tree(path: Path) -> None:
    for _ in range(3):  # somebody else may be removing the same, or a dying process still be writing there
        if not path.exists():
            return
        shutil.rmtree(path, ignore_errors=True)
    if path.exists():
        shutil.rmtree(path)


@contextmanager
def _alone(directory: Path) -> Iterator[bool]:
    """Hold the run's lock; yields whether the run is still the one that was asked for.

    A run without a directory has no lock and needs none: nobody can own it.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield True
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # While we waited, somebody else may have removed the run, and a new one may have taken its name.
        yield not directory.exists() or directory.stat().st_ino == os.fstat(descriptor).st_ino
    finally:
        os.close(descriptor)
