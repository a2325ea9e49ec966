"""The disk of a node with a kernel of its own: a block device, of which a file of this host is the medium.

The node's kernel lays it over a read-only view of the image (overlayfs), so that a node costs what it writes. What its
kernel has not written to the device yet, only that kernel has.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from harness.engines.disk import Disk
from harness.engines.engine import NodeFile
from harness.engines.enter import Mount, in_mounts
from harness.errors import EngineError, UsageError

SIZE_BYTES = 8 << 30
"""What a node sees; its medium is as large as what was written to it."""
_SKELETON = ("upper", "work", "root")
_MEDIUM = "medium"
# Nothing is written that nobody asked for: such as inode tables, by the kernel, later, in the background.
_FEATURES = (
    "-O",
    "^resize_inode",
    "-E",
    "lazy_itable_init=1,lazy_journal_init=1,nodiscard",
    "-J",
    "size=16",
    "-m",
    "0",
    "-N",
    "262144",
)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class KernelDisk:
    """A node's disk. ``below`` is the image with what lies over it; ``places`` is where mounts may be made."""

    below: Disk
    places: Path

    @property
    def medium(self) -> Path:
        """The file that the node's kernel takes for a block device."""
        return self.below.directory / _MEDIUM

    @property
    def lower(self) -> Path:
        """Where the read-only view of the image is mounted, for the kernel or for ourselves."""
        return self.below.mount_point

    def lower_options(self) -> str:
        """What mount(8) is given for the read-only view."""
        return "ro,lowerdir=" + ":".join(map(str, self._lower_directories()))

    def _lower_directories(self) -> tuple[Path, ...]:
        return (self.below.directory / "files", *reversed(self.below.layers))

    def create(self, files: tuple[NodeFile, ...], empty: Path) -> None:
        """Make the disk, with these files on it; its medium as an empty one. UsageError for a place it cannot have."""
        if any(character.isspace() for character in str(self.medium)):
            raise UsageError(f"{self.medium}: a kernel is told of its disk in words; choose a place without spaces")
        self.below.create(files)
        for place in (self.places / "device", self.places / "whole"):
            place.mkdir(parents=True)
        self.blank(empty)

    def blank(self, empty: Path) -> None:
        """Forget what the node wrote. Only while it has no power."""
        with self._alone():
            fresh = self.medium.with_suffix(".fresh")
            copy_sparse(empty, fresh)
            fresh.replace(self.medium)

    def using(self, function: Callable[[], Result]) -> Result:
        """Run ``function`` with the disk as root directory. Only while the node has no power."""
        device, whole = self.places / "device", self.places / "whole"
        lower = ":".join(map(str, self._lower_directories()))
        overlay = f"lowerdir={lower},upperdir={device}/upper,workdir={device}/work"
        mounts = (
            # To be written also where it is only read: what a power cut left unfinished is in the journal.
            Mount("ext4", str(self.medium), device, "loop,noinit_itable"),
            Mount("overlay", "overlay", whole, overlay),
        )
        with self._alone():
            return in_mounts(mounts, whole, function)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else, also no kernel, has the disk meanwhile."""
        self.below.directory.mkdir(parents=True, exist_ok=True)
        with lock_of(self.medium).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def lock_of(medium: Path) -> Path:
    """The file that whoever has a medium in use holds a lock on (flock(2))."""
    return medium.with_name("in-use")


def ensure_empty_medium(directory: Path) -> Path:
    """An empty disk, made when first asked for. EngineError, in mke2fs's words, when it cannot be made."""
    path = directory / f"empty-{SIZE_BYTES >> 30}.ext4"
    if path.exists():
        return path
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix=".making-") as making:
        fresh, skeleton = Path(making, "medium"), Path(making, "skeleton")
        for name in _SKELETON:
            (skeleton / name).mkdir(parents=True)
        with fresh.open("wb") as stream:
            stream.truncate(SIZE_BYTES)
        program = shutil.which("mke2fs", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or "mke2fs"
        command = [program, "-q", "-t", "ext4", *_FEATURES, "-d", str(skeleton), str(fresh)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise EngineError(f"mke2fs cannot make an empty disk: {' '.join(done.stderr.split())}")
        fresh.replace(path)
    return path


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a file, but not its holes."""
    with source.open("rb") as read, target.open("wb") as write:
        size = os.fstat(read.fileno()).st_size
        write.truncate(size)
        begin = 0
        while begin < size:
            try:
                begin = os.lseek(read.fileno(), begin, os.SEEK_DATA)
            except OSError:  # only a hole is left
                return
            end = os.lseek(read.fileno(), begin, os.SEEK_HOLE)
            os.lseek(read.fileno(), begin, os.SEEK_SET)
            os.lseek(write.fileno(), begin, os.SEEK_SET)
            while begin < end:
                begin += os.sendfile(write.fileno(), read.fileno(), None, min(end - begin, 1 << 24))
