"""Nothing is changed anywhere before it is known that this is the installer, and that all let it in."""

import os
import subprocess
from pathlib import Path

import pytest

from harness.stack.dataservices.installer.install import ATTEMPTS, Installer, StageFailed
from harness.stack.dataservices.installer.prerequisites import (
    FOLDERS,
    PrerequisiteMissing,
    make_folders,
    reached,
    require,
)
from harness.stack.dataservices.inventory.core import Inventory, Role, Server
from harness.stack.dataservices.modules import MODULES
from tests.stack.dataservices.installer.test_install import ShellHere
from tests.stack.dataservices.servers import small


def here() -> Inventory:
    """Its installer's address is this machine's: any of 127.0.0.0/8 is."""
    return Inventory((Server("install-01", frozenset({Role.INSTALLER}), "127.0.0.9", "paris", True),))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("a key\n")
    path.chmod(0o600)
    return path


@pytest.mark.promise("S4-04", "S4-05")
def test_the_installer_is_the_machine_that_has_its_address_and_a_key(key: Path) -> None:
    require(here(), key)
    with pytest.raises(PrerequisiteMissing, match=r"not the address 10\.0\.0\.1: call it on the installer, install-01"):
        require(small(), key)


@pytest.mark.promise("S4-04")
def test_a_key_that_is_not_there_or_that_others_can_read_is_none(key: Path) -> None:
    key.chmod(0o640)
    with pytest.raises(PrerequisiteMissing, match="can be read by others: chmod 600"):
        require(here(), key)
    key.unlink()
    with pytest.raises(PrerequisiteMissing, match="ssh-keygen"):
        require(here(), key)


@pytest.mark.promise("S4-05", "S4-06")
@pytest.mark.skipif(os.geteuid() != 0, reason="the shell here is not root's")
def test_all_have_to_let_the_installer_in_and_those_that_do_not_are_named() -> None:
    plan = reached(small().servers)
    assert set(plan.servers) == {one.name for one in small().servers}
    shell = ShellHere({"redis-02": ATTEMPTS, "lb-01": ATTEMPTS, "redis-01": 1})
    with pytest.raises(StageFailed) as failed:
        Installer(small(), shell, lambda line: None, lambda pause: None).carry_out(plan)
    named = {line.split(":")[0] for line in str(failed.value).splitlines()}
    assert {"redis-02", "lb-01"} <= named
    assert "redis-01" not in {line.split(":")[0] for line in str(failed.value).splitlines() if "no route" in line}


@pytest.mark.promise("S4-07", "S4-08")
def test_the_installer_has_its_folders_whatever_was_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "credentials").mkdir(parents=True, mode=0o755)
    (home / "credentials" / "redis.env").write_text("kept")
    for _ in range(2):
        make_folders(home, MODULES)
        assert {one.name: one.stat().st_mode & 0o777 for one in home.iterdir()} == FOLDERS
    assert FOLDERS["credentials"] == 0o700
    assert (home / "credentials" / "redis.env").read_text() == "kept"


@pytest.mark.promise("S4-10")
def test_there_is_a_script_for_each_thing_and_it_can_be_executed(tmp_path: Path) -> None:
    make_folders(tmp_path, MODULES)
    scripts = {one.name: one for one in (tmp_path / "scripts").iterdir()}
    assert set(scripts) == {"00_cleanup.sh", "00_install.sh", *(f"{one.number:02}_{one.name}.sh" for one in MODULES)}
    for name, words in (("00_cleanup.sh", "usage: keyservices cleanup"), ("04_redis.sh", "usage: keyservices install")):
        done = subprocess.run([scripts[name], "--help"], capture_output=True, text=True, check=False, cwd="/")
        assert done.returncode == 0, done.stderr
        assert words in done.stdout
    assert all(os.access(one, os.X_OK) for one in scripts.values())
