"""What this host lacks."""

from ...autonomy.core import Act
from ..core.declared import Found, Incident, Limits
from ..core.facts import Facts

STATE_BYTES, RUN_BYTES, OLDEST_YEAR = 16 << 20, 1 << 20, 2024


def missing_module(facts: Facts) -> Found:
    """NBD could be used, and is not loaded."""
    if facts.nbd_wanted and facts.nbd_available and not facts.nbd_loaded:
        yield "nbd", "the kernel's module nbd is not loaded"


def no_module(facts: Facts) -> Found:
    """The kernel has no NBD, and volumes are recorded as its."""
    if not facts.nbd_available and not facts.nbd_loaded and any(one.route == "device" for one in facts.records):
        yield "nbd", "the kernel has no module nbd, and volumes were mapped by it"


def unreadable_record(facts: Facts) -> Found:
    """Nobody guesses what it said."""
    for path in facts.unreadable:
        yield path, "it cannot be understood"


def left_files(facts: Facts) -> Found:
    """Begun by a process that died."""
    for path in facts.leftovers:
        yield path, "it was begun long ago, and nobody uses it"


def full_state(facts: Facts) -> Found:
    """No journal can be written soon."""
    if facts.state_free_bytes < STATE_BYTES:
        yield "state", f"{facts.state_free_bytes >> 10} KiB are free for records and journals"


def full_run(facts: Facts) -> Found:
    """No lock or socket can be made soon."""
    if facts.run_free_bytes < RUN_BYTES:
        yield "run", f"{facts.run_free_bytes >> 10} KiB are free for locks, sockets and links"


def stuck_udev(facts: Facts) -> Found:
    """No index is free while it works."""
    if not facts.udev_settled:
        yield "udev", "it has not worked off its events"


def wrong_clock(facts: Facts) -> Found:
    """Never set."""
    if facts.clock_year < OLDEST_YEAR:
        yield "clock", f"it says {facts.clock_year}"


INCIDENTS = (
    Incident(
        "missing-module",
        "warning",
        missing_module,
        "modprobe nbd",
        "load the module",
        Act.TIDY,
        proof=lambda facts, _: facts.nbd_loaded,
    ),
    Incident("no-module", "critical", no_module, "boot a kernel with NBD; the volumes' files are whole"),
    Incident(
        "unreadable-record", "critical", unreadable_record, "look at the volume's last block before it is deleted"
    ),
    Incident(
        "left-files",
        "info",
        left_files,
        "delete them",
        "delete what was left",
        Act.TIDY,
        proof=lambda facts, path: path not in facts.leftovers,
    ),
    Incident(
        "full-state",
        "critical",
        full_state,
        "make room there, before anything is mapped or moved",
        "make room",
        Act.TIDY,
        Limits(tries=1, within_s=86400.0),
        proof=lambda facts, _: facts.state_free_bytes >= STATE_BYTES,
    ),
    Incident("full-run", "critical", full_run, "make room there, before anything is mapped"),
    Incident(
        "stuck-udev",
        "warning",
        stuck_udev,
        "udevadm settle; look at what its rules wait for",
        "wake udev",
        Act.MEND,
        Limits(tries=2, apart_s=60),
        proof=lambda facts, _: facts.udev_settled,
        patience=6,
    ),
    Incident("wrong-clock", "warning", wrong_clock, "set it: what is written down cannot be put in order"),
)
