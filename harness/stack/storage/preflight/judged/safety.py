"""Whether it can be undone, and nothing is about to come in between."""

from ..core import Seen, Weight
from ..sight import Sight
from .judged import Judged

OTHERS, SLOW_S = 0o022, 2.0


def _kept(mode: int) -> Seen:
    return Seen(not mode & OTHERS, f"mode {mode & 0o7777:04o}")


def _errors(sight: Sight) -> Seen:
    counted = [one.errors for one in (sight.source, sight.target) if one.errors is not None]
    return Seen(sum(counted) == 0, f"{sum(counted)} errors") if counted else Seen(None, "neither counts them")


def _memory(sight: Sight) -> Seen:
    found = sight.kernel.memory_errors
    return Seen(None, "nobody counts them") if found is None else Seen(found == 0, f"{found} errors")


def _power(sight: Sight) -> Seen:
    found = sight.kernel.on_battery
    return Seen(None, "nobody says") if found is None else Seen(not found, "on battery" if found else "on mains")


def _yes(good: bool) -> Seen:
    return Seen(good, "it does" if good else "it does not")


JUDGED = (
    Judged(
        "state-is-ours-alone",
        "safety",
        Weight.SERIOUS,
        "nobody else writes to records and journals",
        "chmod go-w",
        ("ours",),
        lambda sight: _kept(sight.ours.state_mode),
    ),
    Judged(
        "run-is-ours-alone",
        "safety",
        Weight.SERIOUS,
        "nobody else writes to locks and sockets",
        "chmod go-w",
        ("ours",),
        lambda sight: _kept(sight.ours.run_mode),
    ),
    Judged(
        "no-shutdown-is-near",
        "safety",
        Weight.SERIOUS,
        "no shutdown is scheduled",
        "shutdown -c, or wait",
        ("kernel",),
        lambda sight: Seen(
            not sight.kernel.shutdown_scheduled, "one is" if sight.kernel.shutdown_scheduled else "none is"
        ),
    ),
    Judged(
        "no-upgrade-runs",
        "safety",
        Weight.WARNING,
        "no packages are being installed",
        "wait for it",
        ("kernel",),
        lambda sight: Seen(
            not sight.kernel.packages_locked, "dpkg is at work" if sight.kernel.packages_locked else "none are"
        ),
    ),
    Judged("power-is-there", "safety", Weight.WARNING, "the host is on mains", "plug it in", ("kernel",), _power),
    Judged(
        "memory-keeps-what-it-is-given",
        "safety",
        Weight.SERIOUS,
        "no memory error was left uncorrected",
        "replace the memory first",
        ("kernel",),
        _memory,
    ),
    Judged(
        "arrays-are-whole",
        "safety",
        Weight.SERIOUS,
        "no array of disks lacks one",
        "replace the disk first",
        ("kernel",),
        lambda sight: Seen(not sight.kernel.degraded, ", ".join(sight.kernel.degraded) or "none does"),
    ),
    Judged(
        "the-kernel-is-well",
        "safety",
        Weight.SERIOUS,
        "the kernel has not oopsed since it was booted",
        "reboot first",
        ("kernel",),
        lambda sight: Seen(not sight.kernel.oopses, "it has" if sight.kernel.oopses else "it has not"),
    ),
    Judged(
        "file-systems-are-well",
        "safety",
        Weight.CRITICAL,
        "neither file system has counted errors",
        "fsck first",
        ("source", "target"),
        _errors,
    ),
    Judged(
        "target-keeps-holes",
        "safety",
        Weight.WARNING,
        "the target's file system has holes",
        "it takes more room there",
        ("tried",),
        lambda sight: _yes(sight.tried.holes),
    ),
    Judged(
        "target-keeps-owners",
        "safety",
        Weight.WARNING,
        "the target's file system has owners",
        "see who may read it there",
        ("tried",),
        lambda sight: _yes(sight.tried.owner_kept),
    ),
    Judged(
        "folders-sync",
        "safety",
        Weight.CRITICAL,
        "names in both folders can be synced",
        "use another file system",
        ("tried",),
        lambda sight: _yes(sight.tried.target_folder_syncs and sight.tried.source_folder_syncs),
    ),
    Judged(
        "journal-syncs-quickly",
        "safety",
        Weight.WARNING,
        "a sync of the journal takes less than 2 s",
        "wait",
        ("tried",),
        lambda sight: Seen(sight.tried.journal_s < SLOW_S, f"{1000 * sight.tried.journal_s:.0f} ms"),
    ),
)
