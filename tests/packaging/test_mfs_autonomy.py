"""mfs-autonomy on a Debian system without a network: install, move a volume, remove, purge."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.packaging.debian import build
from harness.stack.storage import VERSION
from tests.packaging.conftest import System


@pytest.fixture(scope="session")
def storage_package(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the current source."""
    return build("storage", tmp_path_factory.mktemp("deb"), source=source)


@pytest.mark.promise("S5-29", "S5-80")
def test_it_installs_moves_a_volume_and_goes(new_system: Callable[[], System], storage_package: Path) -> None:
    system = new_system()
    said = system.install(storage_package)
    assert "error" not in said.lower()
    assert system.run("mfs-autonomy --version").strip() == f"mfs-autonomy {VERSION}"
    system.run("head -c 1000000 /dev/urandom > /srv/disk; mkdir /srv/new; sha256sum < /srv/disk > /srv/sum")
    moved = system.run(
        "mfs-autonomy move /srv/disk /srv/new --grace 0 --approve; sha256sum < /srv/new/disk | cmp - /srv/sum"
    )
    assert "moved, and verified" in moved
    assert "modprobe nbd" in system.run("mfs-autonomy devices", code=1)
    assert "WatchdogSec" in system.run("cat /usr/lib/systemd/system/mfs-autonomy.service")
    for module, said in (("preflight /srv/new/disk /srv --json", "risk_level"), ("config-example", "level: 1")):
        assert said in system.run(f"mfs-autonomy {module} || true")
    system.run("dpkg --remove mfs-autonomy; dpkg --purge mfs-autonomy")
    assert system.run("ls /usr/lib /var/lib /run | grep mfs-autonomy || true") == ""
