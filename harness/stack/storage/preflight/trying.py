"""What is tried out before it is needed, on files of our own that are gone again afterwards."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..medium import opened
from .operation import Operation
from .sight import Tried

HOLE_BYTES = 1 << 20
SOMEBODY = 65534


@contextmanager
def files_of_ours(folder: Path) -> Iterator[tuple[Path, Path]]:
    """A file of ours in the folder, and a second name that is free; both are gone afterwards."""
    file = folder / f".mfs-preflight-{os.urandom(6).hex()}"
    other = file.with_name(f"{file.name}.2")
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        yield file, other
    finally:
        other.unlink(missing_ok=True)
        file.unlink(missing_ok=True)


def tried(operation: Operation) -> Tried:
    """Raises OSError where nothing can be tried."""
    target, source, journals = operation.target.parent, operation.source.parent, operation.places.journals
    with files_of_ours(target) as (file, _other):
        holes, owner_kept = _has_hole(file), _can_be_given(file)
    journals.mkdir(parents=True, exist_ok=True)
    began_s = time.monotonic()
    with files_of_ours(journals) as (file, _other), opened(file, os.O_WRONLY) as descriptor:
        os.write(descriptor, bytes(512))
        os.fsync(descriptor)
    return Tried(holes, owner_kept, _syncs(target), _syncs(source), time.monotonic() - began_s)


def _has_hole(file: Path) -> bool:
    with opened(file, os.O_RDWR) as descriptor:
        os.pwrite(descriptor, b"x", HOLE_BYTES)
        os.fsync(descriptor)
        return os.fstat(descriptor).st_blocks * 512 < HOLE_BYTES


def _can_be_given(file: Path) -> bool:
    """Whether it has an owner that can be another; who is not root cannot try that, and moves only what is his own."""
    if os.geteuid() != 0:
        return True
    try:
        os.chown(file, SOMEBODY, SOMEBODY)
    except OSError:
        return False
    return file.stat().st_uid == SOMEBODY


def _syncs(folder: Path) -> bool:
    try:
        with opened(folder, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
            os.fsync(descriptor)
    except OSError:
        return False
    return True
