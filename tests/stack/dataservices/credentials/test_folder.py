"""The folder of credentials on a real file system."""

import os
from pathlib import Path

import pytest

from harness.stack.dataservices.credentials.core import APPS, REDIS, CredentialsWrong
from harness.stack.dataservices.credentials.folder import CredentialsFolder


def modes(folder: Path) -> tuple[int, list[int]]:
    """Of the folder, and of all that is in it."""
    return folder.stat().st_mode & 0o7777, [one.stat().st_mode & 0o7777 for one in folder.iterdir()]


def test_they_are_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "credentials"
    first = CredentialsFolder(folder).ensured(REDIS)
    assert set(first) == set(REDIS.variables)
    assert modes(folder) == (0o700, [0o600])
    assert CredentialsFolder(folder).ensured(REDIS) == first


def test_modes_that_were_opened_are_closed_again(tmp_path: Path) -> None:
    folder = CredentialsFolder(tmp_path)
    first = folder.ensured(REDIS)
    tmp_path.chmod(0o755)
    (tmp_path / "redis.env").chmod(0o644)
    assert folder.ensured(REDIS) == first
    assert modes(tmp_path) == (0o700, [0o600])


@pytest.mark.skipif(os.geteuid() != 0, reason="giving files away needs root")
def test_what_is_somebody_elses_is_refused(tmp_path: Path) -> None:
    folder = CredentialsFolder(tmp_path / "one")
    folder.ensured(REDIS)
    os.chown(folder.path / "redis.env", 65534, 65534)
    with pytest.raises(CredentialsWrong, match="somebody else's"):
        folder.ensured(REDIS)


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "credentials").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CredentialsWrong, match="is a link"):
        CredentialsFolder(tmp_path / "credentials").ensured(REDIS)


def test_what_is_borrowed_is_the_lenders_whoever_comes_first(tmp_path: Path) -> None:
    folder = CredentialsFolder(tmp_path / "credentials")
    borrowed = folder.ensured(APPS)
    assert set(borrowed) == set(APPS.variables)
    assert borrowed["REDIS_PASSWORD"] == folder.ensured(REDIS)["REDIS_PASSWORD"]
    (tmp_path / "credentials/redis.env").write_text(f"REDIS_PASSWORD={'n' * 32}\n")
    assert folder.ensured(APPS)["REDIS_PASSWORD"] == "n" * 32


def test_who_only_looks_makes_no_secret(tmp_path: Path) -> None:
    folder = CredentialsFolder(tmp_path / "credentials")
    with pytest.raises(CredentialsWrong, match=r"redis\.env has no REDIS_PASSWORD, SENTINEL_PASSWORD"):
        folder.kept(REDIS)
    assert not [*tmp_path.iterdir()]
    assert folder.ensured(REDIS) == folder.kept(REDIS)
