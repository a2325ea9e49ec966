"""A product as a layer over the image: the same program that ships as a .deb, from the current source."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from harness.errors import HostError
from harness.images.build import CONTAINED, plain_environment
from harness.images.store import ensure_stored
from harness.packaging.program import SOURCE, command, library, program

RECIPE = 3
"""Raised when layers are made in another way."""
# The image's Python compiles, as byte code belongs to one version of it. Nodes may see other file times
# through the layers, so byte code is not checked against its source: they are made and kept together.
COMPILE = """mount --bind "$1" "$2/mnt"
exec chroot "$2" python3 -m compileall -q -s /mnt -p / --invalidation-mode unchecked-hash "/mnt/$3"
"""


def ensure_program_layer(image: Path, product: str, *, source: Path = SOURCE, name: str | None = None) -> Path:
    """The directory to lay over ``image`` (a root file system) for a node to have ``product``.

    It is made when it is not there; ``source`` is the folder harness/stack, ``name`` the command's where it is another.
    Raises UsageError when the product is not in this source tree, HostError when it cannot be compiled.
    """
    name = name or product
    files = program(product, source, name)
    digest = hashlib.sha256(f"{RECIPE}\0{image}\0{COMPILE}".encode())
    for path, content in files.items():
        digest.update(f"{path}\0{len(content)}\0".encode() + content)

    def build(directory: Path) -> None:
        root = directory / "rootfs"
        for path, content in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        _compile(root, image, name)
        _open_to_all(root)
        (root / command(name)).chmod(0o755)

    return ensure_stored(f"{name}-{digest.hexdigest()[:16]}", build) / "rootfs"


def _open_to_all(root: Path) -> None:
    """Give the modes of an installed package, whatever our umask: not all that runs on nodes is root."""
    root.chmod(0o755)
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _compile(root: Path, image: Path, name: str) -> None:
    if shutil.which("unshare") is None:
        raise HostError("unshare is needed: apt-get install util-linux")
    done = subprocess.run(
        [*CONTAINED, "sh", "-euc", COMPILE, "sh", str(root), str(image), library(name)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=plain_environment(),
    )
    if done.returncode != 0:
        raise HostError(f"{name} does not compile with the image's Python:\n{done.stdout}{done.stderr}".rstrip())
