"""What is written down of a volume that is mapped, or on its way there or back. Pure."""

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Literal

from ..pool.core import Claim

Route = Literal["device", "file"]
"""How a volume is reached: through a block device, or as the file it is."""


class Stage(Enum):
    """How far a mapping is. Whoever finds anything but MAPPED, with the locks in hand, clears up first."""

    ATTACHING = "attaching"
    PROVING = "proving"
    MAPPED = "mapped"
    DETACHING = "detaching"


@dataclass(frozen=True, slots=True)
class Record:
    """A volume's entry; durable, for ``original`` is a part of the volume's content while it is being proven."""

    volume: str
    file: str
    index: int | None
    """None for the route ``file``."""
    stage: Stage
    driver: str
    """Who attached it, and so who has to let go of it."""
    boot: str
    """The boot that it was written in (/proc/sys/kernel/random/boot_id): devices do not outlive it."""
    nonce: bytes = b""
    original: bytes = b""
    """What stood in the volume where the nonce was put."""
    offset: int = 0

    @property
    def route(self) -> Route:
        """How the volume is reached."""
        return "file" if self.index is None else "device"

    @property
    def claim(self) -> Claim:
        """What this says of the index."""
        return Claim.MAPPED if self.stage is Stage.MAPPED else Claim.UNFINISHED


def record_to_json(record: Record) -> dict[str, object]:
    """For the disk."""
    written = {"stage": record.stage.value, "nonce": record.nonce.hex(), "original": record.original.hex()}
    return asdict(record) | written


def record_from_json(document: object) -> Record:
    """The inverse of ``record_to_json``. Raises ValueError."""
    match document:
        case {
            "volume": str(volume),
            "file": str(file),
            "index": int() | None as index,
            "stage": str(stage),
            "driver": str(driver),
            "boot": str(boot),
            "nonce": str(nonce),
            "original": str(original),
            "offset": int(offset),
        }:
            written = bytes.fromhex(nonce), bytes.fromhex(original)
            return Record(volume, file, index, Stage(stage), driver, boot, *written, offset)
    raise ValueError("not the record of a mapping")
