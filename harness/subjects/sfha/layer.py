"""The HA stack as a layer over the image: the same package that ships as a .deb, from the current source."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from harness.errors import HostError, UsageError
from harness.images.build import CONTAINED, plain_environment
from harness.images.store import ensure_stored

RECIPE = 2
"""Raised when layers are made in another way."""
SOURCE = Path(__file__).resolve().parents[2] / "stack"
# A script of Python itself, so that the process is called sfha wherever processes are listed.
# -P: the directory it is called from is not searched for modules; -s: nor is root's home.
WRAPPER = """#!/usr/bin/python3 -sP
import runpy
import sys

sys.path.insert(0, "/usr/lib/sfha")
runpy.run_module("harness.stack", run_name="__main__", alter_sys=True)
"""
# The image's Python compiles, as byte code belongs to one version of it. Nodes may see other file times
# through the layers, so byte code is not checked against its source: they are made and kept together.
COMPILE = """mount --bind "$1" "$2/mnt"
exec chroot "$2" python3 -m compileall -q -s /mnt -p / --invalidation-mode unchecked-hash /mnt/usr/lib/sfha
"""


def ensure_stack_layer(image: Path, *, source: Path = SOURCE) -> Path:
    """The directory to lay over ``image`` (a root file system) for a node to have ``sfha``; made when it is not there.

    ``source`` is the folder of the package ``harness.stack``.
    Raises UsageError when the stack is not in this source tree, HostError when it cannot be compiled.
    """
    files = {path.relative_to(source): path.read_bytes() for path in _sources(source)}
    if Path("__main__.py") not in files:
        raise UsageError(f"the stack is not complete: {source}/__main__.py is missing")
    digest = hashlib.sha256(f"{RECIPE}\0{image}\0{WRAPPER}\0{COMPILE}".encode())
    for path, content in files.items():
        digest.update(f"{path}\0{len(content)}\0".encode() + content)

    def build(directory: Path) -> None:
        root = directory / "rootfs"
        for path, content in files.items():
            target = root / "usr/lib/sfha/harness/stack" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        wrapper = root / "usr/bin/sfha"
        wrapper.parent.mkdir(parents=True)
        wrapper.write_text(WRAPPER)
        _compile(root, image)
        _open_to_all(root)
        wrapper.chmod(0o755)

    return ensure_stored(f"stack-{digest.hexdigest()[:16]}", build) / "rootfs"


def _sources(source: Path) -> list[Path]:
    return sorted(
        path
        for path in source.rglob("*")
        if path.is_file() and not {"tests", "__pycache__"} & set(path.relative_to(source).parts)
    )


def _open_to_all(root: Path) -> None:
    """Give the modes of an installed package, whatever our umask: not all that runs on nodes is root."""
    root.chmod(0o755)
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _compile(root: Path, image: Path) -> None:
    if shutil.which("unshare") is None:
        raise HostError("unshare is needed: apt-get install util-linux")
    done = subprocess.run(
        [*CONTAINED, "sh", "-euc", COMPILE, "sh", str(root), str(image)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=plain_environment(),
    )
    if done.returncode != 0:
        raise HostError(f"the stack does not compile with the image's Python:\n{done.stdout}{done.stderr}".rstrip())
