"""A node's disk: read-only layers, the files it was made with, and what it wrote itself (overlayfs)."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from harness.engines.engine import NodeDefinition, NodeFile
from harness.engines.enter import in_overlay
from harness.errors import UsageError

BOOT_FILE = NodeFile("/usr/lib/harness-node/boot", (Path(__file__).parent / "boot.sh").read_bytes())
"""On every node: process 1's script."""
_MODE = 0o755
"""Of a node's directories, whatever the umask of whoever makes them: not all of a node runs as root."""
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Disk:
    """The layers of one node. ``directory`` holds what is the node's own; the rest is shared and never written to."""

    directory: Path
    layers: tuple[Path, ...]
    """The image and what lies over it, bottom first."""
    mount_point: Path
    """An empty directory; only ever mounted on in private mount namespaces."""

    @classmethod
    def of(cls, definition: NodeDefinition, directory: Path, mount_point: Path) -> "Disk":
        """The disk of a node. Raises UsageError for layers that do not exist or cannot be named to the kernel."""
        name = definition.name
        if not (definition.image / "usr").is_dir():
            raise UsageError(f"node {name}: image {definition.image} is no root file system (it has no /usr)")
        for layer in definition.layers:
            if not layer.is_dir():
                raise UsageError(f"node {name}: layer {layer} is no directory")
        disk = cls(directory, (definition.image, *definition.layers), mount_point)
        for path in (*disk.layers, directory):
            if any(character in str(path) for character in ",:\\"):
                raise UsageError(f"{path}: overlayfs takes no path with comma, colon or backslash; choose another")
        return disk

    def options(self) -> str:
        """What mount(8) is given as the overlay's options when the node boots."""
        return self._options(self.directory / "files", *reversed(self.layers), upper="upper")

    def _options(self, *lower: Path, upper: str | None = None) -> str:
        text = "lowerdir=" + ":".join(map(str, lower))
        if upper is not None:
            text += f",upperdir={self.directory / upper},workdir={self.directory / upper}-work"
        return text

    def create(self, files: tuple[NodeFile, ...]) -> None:
        """Make the disk, with these files on it."""
        for name in ("files", "files-work", "upper", "upper-work"):
            _make(self.directory / name)
        self.mount_point.mkdir(parents=True, exist_ok=True)
        # Volatile: nothing here needs to survive the host, and the unmount need not write out its file system.
        options = self._options(*reversed(self.layers), upper="files") + ",volatile"
        in_overlay(options, self.mount_point, lambda: write_files((BOOT_FILE, *files)))
        shutil.rmtree(self.directory / "files-work")

    def wipe(self) -> None:
        """Forget what the node wrote itself. Only while nothing has the disk mounted."""
        for name in ("upper", "upper-work"):
            shutil.rmtree(self.directory / name, ignore_errors=True)
            _make(self.directory / name)

    def reading(self, function: Callable[[], Result]) -> Result:
        """Run ``function`` with the disk as root directory, read-only."""
        lower = (self.directory / "upper", self.directory / "files", *reversed(self.layers))
        return in_overlay(self._options(*lower), self.mount_point, function)

    def writing(self, function: Callable[[], Result]) -> Result:
        """Run ``function`` with the disk as root directory. Only while nothing else has it mounted."""
        return in_overlay(self.options(), self.mount_point, function)


def _make(directory: Path) -> None:
    directory.mkdir(parents=True)
    directory.chmod(_MODE)


def write_files(files: tuple[NodeFile, ...]) -> None:
    """Write files below the present root directory, each complete or not at all."""
    for file in files:
        path = Path("/") / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path = path.resolve()
        fresh = path.with_name(f".{path.name}.fresh")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as stream:
            stream.write(file.content)
            os.fchmod(stream.fileno(), file.mode)
        fresh.replace(path)


def read_tree(directory: str, limit_bytes: int) -> dict[str, bytes]:
    """The regular files below a directory of the present root; of longer ones, the last ``limit_bytes``."""
    found: dict[str, bytes] = {}
    for parent, _, names in os.walk(directory):
        for name in names:
            path = Path(parent, name)
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as stream:
                stream.seek(max(0, path.stat().st_size - limit_bytes))
                found[str(path)] = stream.read()
    return found
