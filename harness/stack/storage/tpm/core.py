"""Whether a folder can have the state of a TPM, and what is to be done to it first. Pure.

What is in it are the keys of a guest: swtpm(8) writes them as they are. So nobody else may read the folder, and nothing
else may be in it, for what makes it private would take that from its users.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

WORDS = ("tpm-state", "swtpm")
MODE = 0o700
NEEDED_BYTES = 1 << 20
"""Many times what the state of a TPM 2 takes, for it is written anew before the old one goes."""
PROBE = ".mfs-tpm-probe-"
"""What files begin with that are written to see whether they can be."""
Step = Literal["make", "make private"]


def is_of_a_tpm(path: str) -> bool:
    """Whether it is a TPM's, by its name: that is all that tells such a volume from others."""
    return any(word in path for word in WORDS)


def is_state(name: str) -> bool:
    """Whether swtpm gives files such names, or we do."""
    return name == ".lock" or name.startswith(("tpm-00.", "tpm2-00.", PROBE))


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is."""

    path: str
    """Absolute, and without links."""
    kind: Literal["nothing", "folder", "other"] = "nothing"
    parent: Literal["nothing", "folder", "other"] = "folder"
    mode: int = MODE
    owner: int = 0
    asking: int = 0
    """User who asks."""
    names: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    """Programs that have the state open for writing."""
    read_only: bool = False
    free_bytes: int = 1 << 40
    device: str = ""
    """The block device of NBD that it is on."""
    device_error: str = ""


def wrong(seen: Seen) -> Iterable[str]:
    """Why it cannot have it, each with what to do."""
    if not is_of_a_tpm(seen.path):
        yield f"it is not known as a TPM's: a name that has {' or '.join(WORDS)} in it"
    if seen.kind == "other":
        yield "it is no folder: take that away, or name another"
    if seen.kind == "nothing" and seen.parent != "folder":
        yield "its storage is not there: is it mounted? The folder above is not made by itself"
    if others := [name for name in seen.names if not is_state(name)]:
        yield f"it has what is no state of a TPM ({', '.join(sorted(others)[:3])}): name a folder of its own"
    if seen.users:
        yield f"{', '.join(seen.users)} has it: a second swtpm cannot start on it"
    if seen.kind == "folder" and seen.asking not in (0, seen.owner):
        yield f"it is user {seen.owner}'s: chown it, or ask as that user"
    if seen.read_only:
        yield "its storage is mounted read-only: mount it for writing"
    if seen.free_bytes < NEEDED_BYTES:
        yield f"{seen.free_bytes >> 10} KiB are free on its storage: make room, {NEEDED_BYTES >> 10} KiB are wanted"
    if seen.device_error:
        yield f"its device {seen.device} cannot be read ({seen.device_error}): mfs-autonomy incidents"


def steps(seen: Seen) -> tuple[Step, ...]:
    """What is to be done, where nothing is wrong."""
    if seen.kind == "nothing":
        return ("make",)
    return () if seen.mode == MODE else ("make private",)
