"""How Proxmox calls what we know by its file: STORAGE/images/VM/NAME."""

from collections.abc import Iterable
from pathlib import PurePath


def is_of(volume: str, vm: str) -> bool:
    """Whether it is in the folder of this guest."""
    return PurePath(volume).parts[-3:-1] == ("images", vm)


def of(volumes: Iterable[str], vm: str) -> list[str]:
    """Those of this guest, each once."""
    return sorted({one for one in volumes if is_of(one, vm)})


def store_and_name(volume: str) -> tuple[str, str]:
    """storeid (the folder of the storage, without more to go by) and volname."""
    path = PurePath(volume)
    if len(path.parts) > 4 and path.parts[-3] == "images":
        return path.parts[-4], f"{path.parts[-2]}/{path.name}"
    return path.parent.name, path.name
