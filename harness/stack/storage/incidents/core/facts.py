"""What was seen of this host at one moment. Pure data; ``gather`` fills it in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...mapping.record import Record
from ...pool.core import IndexView

NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Volume:
    """The file of a volume that is recorded as mapped."""

    there: bool = True
    size_bytes: int = 0
    writers: tuple[str, ...] = ()
    """Processes, other than its server, that have the file itself open for writing."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server of ours for an index of the pool."""

    pid: int
    file: str
    frozen: bool = False
    """Stopped by a signal: it is there, and answers nobody."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lock that somebody has."""

    owner_pid: int
    owner_lives: bool
    keepers: tuple[tuple[int, str], ...] = ()
    """Processes that have inherited it: number and name."""


@dataclass(frozen=True, slots=True)
class Unended:
    """A move without an end."""

    source: str
    target: str
    phase: str
    busy: bool = False
    """Somebody is at it."""
    damaged: str = ""


@dataclass(frozen=True, slots=True)
class Master:
    """A MooseFS that is mounted here."""

    point: str
    address: str
    error: str = ""
    """Why its master takes no connection; empty where it does."""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Metalogger:
    """The folder of one that runs here."""

    folder: str
    changelogs: int = 0
    has_metadata: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it."""

    boot: str = ""
    nbd_loaded: bool = True
    nbd_available: bool = True
    """The kernel has the module."""
    nbd_wanted: bool = False
    """What uses it is installed."""
    udev_settled: bool = True
    views: tuple[IndexView, ...] = ()
    records: tuple[Record, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    """Volume -> the device that its link leads to."""
    devices: Mapping[int, str] = field(default_factory=dict)
    """Index -> its device."""
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    reverted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Volumes that are reached by a device and are not mapped -> processes that have the file open for writing."""
    servers: Mapping[int, Server] = field(default_factory=dict)
    sockets: tuple[int, ...] = ()
    """Indexes for which a socket of a server lies there."""
    reads: Mapping[int, str] = field(default_factory=dict)
    """Index that is mapped -> what its last block was read with: empty for well, NO_ANSWER, or the error."""
    locks: Mapping[str, Held] = field(default_factory=dict)
    moves: Mapping[str, Unended] = field(default_factory=dict)
    leftovers: tuple[str, ...] = ()
    """Files of ours that were begun long ago and never got their name."""
    unreadable: tuple[str, ...] = ()
    """Records that cannot be understood."""
    state_free_bytes: int = 1 << 40
    run_free_bytes: int = 1 << 40
    clock_year: int = 2026
    masters: tuple[Master, ...] = ()
    mfsbdev_gone: bool = False
    """Volumes are recorded as mapped by it, and its daemon does not listen."""
    metalogger: Metalogger | None = None
    chunk_folders: Mapping[str, float] = field(default_factory=dict)
    """Folder of a chunkserver here -> the share of it that is used."""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Volume of ours -> another host that says that it has it."""
    silent_peers: Mapping[str, float] = field(default_factory=dict)
    """Host -> how long nothing was heard of its daemon; -1 where it never was."""

    def view(self, index: int | None) -> IndexView | None:
        """Of one index."""
        return next((one for one in self.views if one.index == index), None)

    def record(self, volume: str) -> Record | None:
        """Of one volume."""
        return next((one for one in self.records if one.volume == volume), None)

    def locked(self, volume: str) -> bool:
        """Whether somebody is at the volume."""
        return f"volume {volume}" in self.locks
