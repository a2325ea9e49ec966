"""Where a run keeps its state: everything of it is found from here, by its run id.

``/run/harness/RUN_ID`` (runtime state, gone with the host's power) says who owns the run; node disks are in
the user's cache, below ``disks/RUN_ID``. The directory appears complete, with its owner's name in it, by one
rename: whoever finds a run can tell whether it is alive.
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
"""What says where the cache is, apart from where the home is."""
MAKING = ".making"
"""What the name of a run's directory begins with until it is complete."""
NODE_NOTE = "node.json"
_RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")


@dataclass(frozen=True, slots=True)
class ProcessName:
    """A process, named so that no later process with the same id is taken for it."""

    pid: int
    start_ticks: int

    @classmethod
    def of(cls, pid: int) -> "ProcessName":
        """Name a process that lives. Raises HarnessError when it does not."""
        return cls(pid, process_start_ticks(pid))

    def lives(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        try:
            return process_start_ticks(self.pid) == self.start_ticks and process_state(self.pid) not in "ZX"
        except HarnessError:
            return False


@dataclass(frozen=True, slots=True)
class Owner:
    """Who answers for a run. ``boot_id`` is the host's: after a reboot none of these processes means anything."""

    boot_id: str
    owner: ProcessName
    keeper: ProcessName | None
    persistent: bool
    disks: str
    pid_namespace: int
    """Where these process ids count: seen from another pid namespace they mean nothing."""

    def lives(self) -> bool:
        """Whether anybody is left who ends the run; of a run in another pid namespace we cannot tell: yes."""
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
        """What the engine wrote down of a node, last of all: the node exists when this file does."""
        return self.node(name) / NODE_NOTE

    def owner(self) -> Owner:
        """Who answers for the run. Raises HarnessError when there is no such run."""
        try:
            return _read_owner(self.path)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise HarnessError(f"there is no run {self.run_id} ({self.path / OWNER_FILE}: {error})") from error

    def is_of(self, user: int) -> bool:
        """Whether this person started it. Of a run that does not say so, anybody may have."""
        try:
            return int((self.path / _USER_FILE).read_text()) == user
        except (OSError, ValueError):
            return True

    def mark_disks(self) -> None:
        """Say on the disks, too, whose they are: who shares our cache, but not this directory, could not tell."""
        self.disks.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.path / OWNER_FILE, self.disks / OWNER_FILE)

    def set_owner(self, owner: Owner) -> None:
        """Replace what is said of the owner, at once for all readers."""
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
    """Whether the disks of a run in this user's cache are of another pid namespace of this host, as of a container
    that shares the cache: whether they are in use, only that one can tell.
    """
    try:
        owner = _read_owner(directory)
    except (OSError, ValueError, TypeError, KeyError):
        return False
    return owner.boot_id == boot_id() and owner.pid_namespace != pid_namespace()


def calling_user() -> int:
    """Whoever sits there: the user who called us by sudo(8), else the one we run as."""
    by_sudo = os.environ.get("SUDO_UID", "")
    return int(by_sudo) if by_sudo.isdecimal() and os.geteuid() == 0 else os.getuid()


def boot_id() -> str:
    """The kernel's name for this boot of the host (random(4))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def pid_namespace() -> int:
    """The inode number of our pid namespace (namespaces(7))."""
    return os.stat("/proc/self/ns/pid").st_ino


def group_prefix() -> str:
    """What the control groups of our runs are called by, before the run id.

    A host and the containers on it may all see one tree of groups, but only their own runs' directories: who found
    a foreign group would take its run for dead. So a group says which pid namespace it belongs to.
    """
    return f"harness-{pid_namespace()}-"


def cache_directory() -> Path:
    """$HARNESS_CACHE, else ``harness`` in the user's cache directory (XDG base directory specification).

    Raises HostError for a user without a home: an unknown one, where nothing names another place.
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
