"""Files that are whole or not there."""

import os
from pathlib import Path

import pytest

from harness.stack.kit.durable import write_durably
from harness.stack.sfha.admin import files
from harness.stack.sfha.membership import corosync


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes that were made durable, in order."""
    inodes: list[int] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        inodes.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return inodes


@pytest.mark.parametrize("content", ["words\n", b"\x00\xff" * 70000])
def test_file_and_directory_are_on_the_disk(tmp_path: Path, synced: list[int], content: str | bytes) -> None:
    path = tmp_path / "new" / "file"
    write_durably(path, content, 0o640)
    write_durably(path, content, 0o400)
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert path.stat().st_mode & 0o7777 == 0o400
    assert synced[-2:] == [path.stat().st_ino, path.parent.stat().st_ino]
    assert list(path.parent.iterdir()) == [path]


def test_a_key_of_corosync_is_durable_and_for_root_alone(
    tmp_path: Path, synced: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "authkey"
    monkeypatch.setattr(files, "AUTHKEY_PATH", path)
    files.save_authkey(b"a" * 128)
    files.save_authkey(b"\xff" * 128)
    assert path.read_bytes() == b"\xff" * 128
    assert path.stat().st_mode & 0o7777 == corosync.AUTHKEY_MODE
    assert path.stat().st_ino in synced


def test_corosyncs_file_is_durable_and_written_only_when_it_differs(tmp_path: Path, synced: list[int]) -> None:
    path = tmp_path / "corosync.conf"
    assert corosync.write_conf("one", tmp_path)
    assert path.stat().st_ino in synced
    written = len(synced)
    assert not corosync.write_conf("one", tmp_path)
    assert len(synced) == written
    assert corosync.write_conf("two", tmp_path)
    assert path.read_text() == "two"
