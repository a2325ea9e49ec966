"""What a volume is called on every host: by the file system that it is on, or by folders that all hosts share."""

from collections.abc import Sequence
from pathlib import PurePath


def identity_of(volume: str, shared: Sequence[str], point: str, file_system: str) -> str:
    """``file_system`` names what is mounted at ``point``, the same on every host; empty for a disk of this host alone.

    ``shared`` are folders that have the same name and content on all hosts; they count first. Empty where no other
    host can reach the volume. By its name and not by its inode: to ask for that hangs where the master is gone.
    """
    path = PurePath(volume)
    if any(PurePath(folder) in path.parents for folder in shared):
        return f"shared:{volume}"
    if not file_system:
        return ""
    below = path.relative_to(point) if PurePath(point) in path.parents else path
    return f"{file_system}:/{below}"
