"""What this operation needs, and others do not."""

from ...moves.progress import size
from ..core import Seen, Weight
from ..sight import Sight
from .judged import Judged

SLOW_BYTES_PER_S, LONG_S, LARGE_BYTES, BLOCK_BYTES = 50 << 20, 12 * 3600, (4 << 30) - 1, 1 << 20
NOBODYS = ("/dev", "/proc", "/sys")
SMALL_ONLY = ("vfat", "msdos")


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _not_ours(path: str, sight: Sight) -> Seen:
    ours = [folder for folder in (sight.ours.state, sight.ours.run) if _below(path, folder)]
    return Seen(not ours, f"it is in {ours[0]}" if ours else "it is not")


def _nobodys(sight: Sight) -> Seen:
    bad = [path for path in (sight.files.source, sight.files.target) if any(_below(path, one) for one in NOBODYS)]
    return Seen(not bad, ", ".join(bad) or "neither is")


def _long(sight: Sight) -> Seen:
    took_s = sight.files.size_bytes / SLOW_BYTES_PER_S
    return Seen(took_s < LONG_S, f"{size(sight.files.size_bytes)}: {took_s / 3600:.1f} h at 50 MiB/s")


def _large(sight: Sight) -> Seen:
    if sight.target.kind not in SMALL_ONLY:
        return Seen(True, f"{sight.target.kind} does")
    return Seen(sight.files.size_bytes <= LARGE_BYTES, f"{sight.target.kind} takes less than 4 GiB")


def _tpm(sight: Sight) -> Seen:
    if not sight.files.tpm:
        return Seen(None, "it is no state of a TPM")
    return Seen(sight.files.tpm_mode & 0o077 == 0, f"mode {sight.files.tpm_mode & 0o777:04o}")


def _slot(sight: Sight) -> Seen:
    if sight.ours.free_indexes is None:
        return Seen(None, "there is no pool of devices")
    return Seen(sight.ours.free_indexes > 0, f"{sight.ours.free_indexes} are free")


JUDGED = (
    Judged(
        "names-are-absolute",
        "operation",
        Weight.CRITICAL,
        "both names begin with /",
        "name them so",
        ("files",),
        lambda sight: Seen(
            sight.files.source.startswith("/") and sight.files.target.startswith("/"),
            f"{sight.files.source}, {sight.files.target}",
        ),
    ),
    Judged(
        "source-is-a-volume",
        "operation",
        Weight.CRITICAL,
        "it is none of the program's own files",
        "name a volume",
        ("files", "ours"),
        lambda sight: _not_ours(sight.files.source, sight),
    ),
    Judged(
        "target-is-a-storage",
        "operation",
        Weight.CRITICAL,
        "it is not among the program's own files",
        "name a storage",
        ("files", "ours"),
        lambda sight: _not_ours(sight.files.target, sight),
    ),
    Judged(
        "neither-is-the-kernels",
        "operation",
        Weight.CRITICAL,
        "neither is in /dev, /proc or /sys",
        "name files",
        ("files",),
        _nobodys,
    ),
    Judged(
        "it-ends-today", "operation", Weight.WARNING, "it takes less than 12 hours", "plan for it", ("files",), _long
    ),
    Judged(
        "target-takes-files-so-large",
        "operation",
        Weight.CRITICAL,
        "its file system takes files as large",
        "use another one",
        ("files", "target"),
        _large,
    ),
    Judged(
        "blocks-agree",
        "operation",
        Weight.WARNING,
        "the target's blocks are 1 MiB at most",
        "it will be slow",
        ("target",),
        lambda sight: Seen(sight.target.block_bytes <= BLOCK_BYTES, f"{sight.target.block_bytes} bytes"),
    ),
    Judged(
        "tpm-state-is-private",
        "operation",
        Weight.SERIOUS,
        "only its owner may read the state of a TPM",
        "chmod 0700 its folder",
        ("files",),
        _tpm,
    ),
    Judged(
        "a-device-is-free",
        "operation",
        Weight.WARNING,
        "an index is free to map it afterwards",
        "mfs-autonomy devices shows who has them",
        ("ours",),
        _slot,
    ),
    Judged(
        "its-driver-can-be-used",
        "operation",
        Weight.WARNING,
        "it can be mapped again as it was before",
        "mfs-autonomy status shows what is lacking",
        ("ours",),
        lambda sight: Seen(not sight.ours.lacking, sight.ours.lacking or "it can"),
    ),
)
