"""What preflight sees of the host, in parts that are each gathered once. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kernel:
    """Of the whole host."""

    swap_total_bytes: int = 0
    swap_free_bytes: int = 0
    threads: int = 100
    threads_most: int = 10000
    files: int = 100
    files_most: int = 10000
    pressure: Mapping[str, float] = field(default_factory=dict)
    """cpu, memory, io -> share of the last 10 s that something waited for it, in per cent; without what it lacks."""
    hanging: int = 0
    """Processes that wait for a device and take no signal (state D)."""
    group_room_bytes: int | None = None
    """What our control group may still take; None: without limit."""
    oopses: bool = False
    degraded: tuple[str, ...] = ()
    """Arrays of disks that lack one."""
    memory_errors: int | None = None
    """That were not corrected; None where nobody counts."""
    on_battery: bool | None = None
    shutdown_scheduled: bool = False
    packages_locked: bool = False
    swaps: tuple[str, ...] = ()
    name: str = "host"


@dataclass(frozen=True, slots=True)
class Link:
    """An interface that is up, other than lo."""

    mtu: int = 1500
    packets: int = 0
    dropped: int = 0
    flaps_per_h: float = 0.0
    duplex: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """Of the host."""

    links: Mapping[str, Link] = field(default_factory=dict)
    routes: int = 1
    sent: int = 0
    sent_again: int = 0
    tracked: int | None = None
    tracked_most: int = 0
    sockets: int = 0
    ports: int = 28000
    socket_pages: int = 0
    socket_pages_most: int = 1 << 20
    silent_masters: tuple[str, ...] = ()
    """Addresses of masters that no neighbour answers for."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file system, at the folder of source or target."""

    kind: str = "ext4"
    answers_s: float = 0.0
    covered: bool = False
    """Another mount lies over the same point."""
    free_bytes: int = 1 << 40
    block_bytes: int = 4096
    errors: int | None = None
    """That its kernel counts; None where it does not."""
    remote: bool = False


@dataclass(frozen=True, slots=True)
class Moose:
    """What the master of a MooseFS says; all of it a moment old."""

    chunkservers: int
    maintained: tuple[str, ...]
    versions: tuple[str, ...]
    chunks: Mapping[str, int]
    total_bytes: int
    free_bytes: int
    bad_disks: tuple[str, ...]
    save_status: str


@dataclass(frozen=True, slots=True)
class Files:
    """Source and target themselves."""

    source: str = "/a/disk"
    target: str = "/b/disk"
    size_bytes: int = 1 << 20
    immutable: bool = False
    folder_writable: bool = True
    same: bool = False
    target_by_link: bool = False
    """The folder of the target is reached by a symbolic link."""
    snapshots_left: tuple[str, ...] = ()
    parts_left: tuple[str, ...] = ()
    tpm: bool = False
    tpm_mode: int = 0o700


@dataclass(frozen=True, slots=True)
class Ours:
    """What the program keeps, and where."""

    state: str = "/var/lib/mfs-autonomy"
    run: str = "/run/mfs-autonomy"
    state_files: int | None = 1000
    """How many more there can be; None where nobody counts."""
    run_files: int | None = 1000
    run_free_bytes: int = 1 << 30
    state_mode: int = 0o755
    run_mode: int = 0o755
    bad_records: tuple[str, ...] = ()
    bad_journals: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    """Volumes that somebody began to map."""
    wrong_links: tuple[str, ...] = ()
    free_indexes: int | None = None
    """None: there is no pool."""
    lacking: str = ""
    """What the driver lacks by which the source was reached before."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of trying it out on files of our own."""

    holes: bool = True
    owner_kept: bool = True
    target_folder_syncs: bool = True
    source_folder_syncs: bool = True
    journal_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Sight:
    """All parts; a check uses the one that it names."""

    kernel: Kernel = Kernel()
    network: Network = Network()
    source: Place = Place()
    target: Place = Place()
    moose: Moose | None = None
    files: Files = Files()
    ours: Ours = Ours()
    tried: Tried = Tried()
    keep_source: bool = False
