"""A node has left when nothing of its membership is there any more, and not before."""

import threading
from pathlib import Path

import pytest

from harness.stack.sfha.admin import departing
from harness.stack.sfha.admin.departing import what_is_left


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setattr(departing, "daemon_process", lambda: None)
    found = tmp_path / "mesh.json", tmp_path / "config.yml"
    for path in found:
        path.write_text("")
    return found


def test_it_is_waited_until_the_files_are_gone(paths: tuple[Path, Path]) -> None:
    for path in paths:
        threading.Timer(0.05, path.unlink).start()
    assert what_is_left(10.0, paths) is None
    assert not any(path.exists() for path in paths)


def test_what_stays_is_named(paths: tuple[Path, Path]) -> None:
    paths[0].unlink()
    left = what_is_left(0.05, paths)
    assert left is not None
    assert str(paths[1]) in str(left)
    assert str(paths[0]) not in str(left)


def test_a_daemon_that_goes_on_is_named(paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(departing, "daemon_process", lambda: 4711)
    for path in paths:
        path.unlink()
    assert "4711" in str(what_is_left(0.05, paths))
