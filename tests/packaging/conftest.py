"""The package, and throw-away Debian systems to install it in: the node image under a directory of the test's own."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.images import ensure_image
from harness.images.build import CONTAINED, plain_environment
from harness.packaging.debian import build
from harness.packaging.program import SOURCE

# The network is a namespace without any interface that is up: whatever wanted a network would fail.
ENTER = """mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"
mount -t tmpfs tmpfs "$2/root/run"
mount --bind "$2/shared" "$2/root/mnt"
exec chroot "$2/root" sh -euc "$3"
"""


@dataclass(frozen=True)
class System:
    """A Debian system without a network. What is done in it stays; ``shared`` is its /mnt."""

    image: Path
    place: Path

    @property
    def shared(self) -> Path:
        """The directory that both sides see."""
        return self.place / "shared"

    def run(self, script: str, *, code: int = 0) -> str:
        """Run a shell script in it; gives what it said on both streams. Asserts its exit code."""
        done = subprocess.run(
            [*CONTAINED[:-1], "--net", "--", "sh", "-euc", ENTER, "sh", str(self.image), str(self.place), script],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=plain_environment() | {"DEBIAN_FRONTEND": "noninteractive"},
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def install(self, package: Path) -> str:
        """Install a package file, as `apt install ./FILE` would do when everything it depends on is there."""
        (self.shared / package.name).write_bytes(package.read_bytes())
        return self.run(f"dpkg --install /mnt/{package.name}")


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The current source as it was when the tests began."""
    return shutil.copytree(SOURCE, tmp_path_factory.mktemp("source") / "stack", ignore=shutil.ignore_patterns("*.pyc"))


@pytest.fixture(scope="session")
def package(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the current source."""
    return build("sfha", tmp_path_factory.mktemp("deb"), source=source)


@pytest.fixture(scope="session")
def newer_package(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a higher version."""
    return build("sfha", tmp_path_factory.mktemp("deb"), "99.0", source=source)


@pytest.fixture
def new_system(tmp_path: Path) -> Callable[[], System]:
    """Makes systems."""

    def make() -> System:
        place = tmp_path / f"system-{len(list(tmp_path.iterdir()))}"
        for name in ("upper", "work", "root", "shared"):
            (place / name).mkdir(parents=True)
        return System(ensure_image(), place)

    return make


@pytest.fixture
def system(new_system: Callable[[], System]) -> System:
    """One system."""
    return new_system()
