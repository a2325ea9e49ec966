"""What counts as a volume, or as a folder of volumes."""

import os
from pathlib import Path

import pytest

from harness.stack.storage import entries
from harness.stack.storage.entries import entries_of


def at(path: Path, size_bytes: int, used_s: float, changed_s: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size_bytes))
    os.utime(path, (used_s, changed_s))


def test_files_and_folders_that_have_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at(tmp_path / "disk", 10, 100.0, 50.0)
    at(tmp_path / "100/disk-0", 10, 1.0, 2.0)
    at(tmp_path / "100/tpm/state", 5, 7.0, 1.0)
    at(tmp_path / ".hidden/disk", 10, 1.0, 1.0)
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    os.mkfifo(tmp_path / "pipe")
    found = {one.path.name: (one.is_folder, one.size_bytes, one.used_s, one.changed_s, one.files)
             for one in entries_of(tmp_path)}  # fmt: skip
    assert found == {"100": (True, 15, 7.0, 2.0, 2), "disk": (False, 10, 100.0, 50.0, 1)}
    monkeypatch.setattr(entries, "MOST_FILES", 1)
    with pytest.raises(OSError, match="more than 1 files"):
        list(entries_of(tmp_path))
