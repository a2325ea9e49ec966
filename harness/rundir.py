"""Where a run keeps its state. From here everything of a run is found by its run id.

``/run/harness/RUN_ID`` says who owns the run; it is runtime state, gone with the host's power. Node disks are in the
user's cache, below ``disks/RUN_ID``. The directory appears complete, with its owner in it, by one rename: so whoever
finds a run can tell whether it is alive.
"""

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import HarnessError, HostError, UsageError
from harness.procfs import process_start_ticks, process_state

RUNS = Path("/run/harness")
OWNER_FILE = "owner.json"
_USER_FILE = "user"
CACHE_VARIABLES = ("HARNESS_CACHE", "XDG_CACHE_HOME")
"""The variables that say where the cache is, if it is not in the home directory."""
MAKING = ".making"
"""The name of a run's directory begins with this until it is complete."""
NODE_NOTE = "node.json"
_RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")


@dataclass(frozen=True, slots=True)
class ProcessName:
    """A process, by a name that no later process with the same id can have."""

    pid: int
    start_ticks: int

    @classmethod
    def of(cls, pid: int) -> "ProcessName":
        """Name a process that lives. Raises HarnessError when it does not."""
        return cls(pid, process_start_ticks(pid))

    def lives(self) -> bool:
        """Whether this very process still runs. A zombie does not."""
        try:
            return process_start_ticks(self.pid) == self.start_ticks and process_state(self.pid) not in "ZX"
        except HarnessError:
            return False


@dataclass(frozen=True, slots=True)
class Owner:
    """Who answers for a run. ``boot_id`` is the host's: after a reboot these process ids mean nothing."""

    boot_id: str
    owner: ProcessName
    keeper: ProcessName | None
    persistent: bool
    disks: str
    pid_namespace: int
    """The pid namespace of these process ids: in another one they mean nothing."""

    def lives(self) -> bool:
        """Whether anybody is left to end the run. True for another pid namespace: we cannot tell there."""
        if self.boot_id != boot_id():
            return False
        if self.pid_namespace != pid_namespace():
            return True
        return self.owner.lives() or (self.keeper is not None and self.keeper.lives())


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """The runtime state of one run."""

    run_id: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return RUNS / self.run_id

    @property
    def cgroup(self) -> str:
        """The control group of everything in the run."""
        return group_prefix() + self.run_id

    @property
    def disks(self) -> Path:
        """Where the nodes' disks are."""
        return Path(self.owner().disks)

    def node(self, name: str) -> Path:
        """Runtime state of one node."""
        return self.path / "nodes" / name

    def node_note(self, name: str) -> Path:
        """What the engine noted about a node, when it had made it: the node exists when this file does."""
        return self.node(name) / NODE_NOTE

    def owner(self) -> Owner:
        """Who answers for the run. Raises HarnessError when there is no such run."""
        try:
            return _read_owner(self.path)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise HarnessError(f"there is no run {self.run_id} ({self.path / OWNER_FILE}: {error})") from error

    def is_of(self, user: int) -> bool:
        """Whether this user started it. True if the run does not say who did."""
        try:
            return int((self.path / _USER_FILE).read_text()) == user
        except (OSError, ValueError):
            return True

    def mark_disks(self) -> None:
        """Note beside the disks, too, whose they are, for those who share our cache but not this directory."""
        self.disks.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.path / OWNER_FILE, self.disks / OWNER_FILE)

    def set_owner(self, owner: Owner) -> None:
        """Replace the owner; readers see the old one or the new one."""
        _write_owner(self.path, owner)

    def discard(self) -> None:
        """Remove it, before anything of the run exists elsewhere."""
        shutil.rmtree(self.path, ignore_errors=True)

    @classmethod
    def create(cls, run_id: str, *, persistent: bool = False) -> "RunDirectory":
        """Start a run that this process owns. Raises UsageError for an id in use, or with odd characters."""
        if not _RUN_ID.fullmatch(run_id):
            raise UsageError(f"run id {run_id!r}: use up to 48 of a-z, 0-9 and '-', beginning with a letter or digit")
        me = ProcessName.of(os.getpid())
        run = cls(run_id)
        try:
            RUNS.mkdir(mode=0o755, parents=True, exist_ok=True)
        except PermissionError as error:
            raise HostError(f"cannot write to {RUNS}: run this as root (sudo)") from error
        making = RUNS / f"{MAKING}.{me.pid}.{me.start_ticks}.{run_id}"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        (making / "nodes").mkdir()
        (making / _USER_FILE).write_text(str(calling_user()))
        _write_owner(making, Owner(boot_id(), me, None, persistent, str(disks_root() / run_id), pid_namespace()))
        try:
            making.rename(run.path)
        except OSError as error:
            shutil.rmtree(making)
            raise UsageError(f"a run called {run_id} exists already ({run.path})") from error
        return run


def _write_owner(directory: Path, owner: Owner) -> None:
    fresh = directory / f".{OWNER_FILE}.{os.getpid()}"
    fresh.write_text(json.dumps(asdict(owner)))
    fresh.replace(directory / OWNER_FILE)


def _read_owner(directory: Path) -> Owner:
    fields = json.loads((directory / OWNER_FILE).read_text())
    keeper = fields.pop("keeper")
    return Owner(owner=ProcessName(**fields.pop("owner")), keeper=ProcessName(**keeper) if keeper else None, **fields)


def disks_of_elsewhere(directory: Path) -> bool:
    """Whether the disks of a run in this user's cache belong to another pid namespace of this host, such as that of a
    container which shares the cache. Only there can anybody tell whether they are in use.
    """
    try:
        owner = _read_owner(directory)
    except (OSError, ValueError, TypeError, KeyError):
        return False
    return owner.boot_id == boot_id() and owner.pid_namespace != pid_namespace()


def calling_user() -> int:
    """The user who called us by sudo(8), else the one we run as."""
    by_sudo = os.environ.get("SUDO_UID", "")
    return int(by_sudo) if by_sudo.isdecimal() and os.geteuid() == 0 else os.getuid()


def boot_id() -> str:
    """The kernel's name for this boot of the host (random(4))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def pid_namespace() -> int:
    """The inode number of our pid namespace (namespaces(7))."""
    return os.stat("/proc/self/ns/pid").st_ino


def group_prefix() -> str:
    """How the names of our runs' control groups begin, before the run id.

    A host and its containers may all see one tree of groups, but each sees only its own runs' directories, and would
    take the run of a foreign group for dead. So the name says which pid namespace a group belongs to.
    """
    return f"harness-{pid_namespace()}-"


def cache_directory() -> Path:
    """$HARNESS_CACHE, else ``harness`` in the user's cache directory (XDG base directory specification).

    Raises HostError for an unknown user, who has no home, unless a variable names another place.
    """
    if chosen := os.environ.get("HARNESS_CACHE"):
        return Path(chosen).absolute()
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base).absolute() / "harness"
    try:
        return Path.home().absolute() / ".cache/harness"
    except RuntimeError:
        raise HostError(f"user {os.getuid()} has no home directory: set HARNESS_CACHE to a place for images") from None


def disks_root() -> Path:
    """Where the disks of all runs of this user are."""
    return cache_directory() / "disks"
