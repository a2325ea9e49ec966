"""The cache of images: built once, whole or not at all, and never taken from who uses it."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.images.store import ensure_stored, image_called, image_store, prune, stored_images
from harness.wait import until

# Builds the directory "thing": says so by a file of its own, then waits for a file called "go".
BUILDER = """
import os, pathlib, sys, time
from harness.images.store import ensure_stored
cache = pathlib.Path(os.environ["HARNESS_CACHE"])
def build(directory):
    (cache / f"building-{os.getpid()}").touch()
    (directory / "rootfs").mkdir()
    deadline = time.monotonic() + 20
    while not (cache / "go").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    (directory / "rootfs" / "complete").touch()
(cache / f"asking-{os.getpid()}").touch()
print(ensure_stored("thing", build))
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    return tmp_path


def start_builder() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILDER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )


async def test_two_who_ask_at_once_build_once(cache: Path) -> None:
    builders = [start_builder() for _ in range(3)]
    await until(lambda: len(list(cache.glob("asking-*"))) == 3, within_s=10, what="all ask")
    await until(lambda: list(cache.glob("building-*")), within_s=10, what="one builds")
    (cache / "go").touch()
    said = [builder.communicate(timeout=20) for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0, 0]
    assert {out.strip() for out, _ in said} == {str(cache / "images" / "thing")}
    assert len(list(cache.glob("building-*"))) == 1
    assert (cache / "images" / "thing" / "rootfs" / "complete").exists()


async def test_one_killed_in_the_middle_leaves_nothing_that_counts(cache: Path) -> None:
    victim = start_builder()
    await until(lambda: list(cache.glob("images/.unfinished-*/rootfs")), within_s=10, what="the build is under way")
    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate(timeout=10)
    assert stored_images() == ()
    (cache / "go").touch()
    ensure_stored("thing", lambda directory: (directory / "rootfs").mkdir())
    assert [path.name for path in image_store().iterdir() if path.is_dir()] == ["thing"]


def test_a_build_that_fails_leaves_nothing(cache: Path) -> None:
    def build(directory: Path) -> None:
        (directory / "rootfs").mkdir()
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        ensure_stored("thing", build)
    assert [path for path in image_store().iterdir() if path.is_dir()] == []


def test_prune_leaves_what_is_kept_or_being_built(cache: Path) -> None:
    for name in ("kept-1", "built-2", "old-3"):
        ensure_stored(name, lambda directory: (directory / "rootfs").mkdir())
    (image_store() / ".unfinished-old-3-abc").mkdir()
    with (image_store() / "built-2.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert [image.name for image in prune(frozenset({"kept-1"}), dry_run=True)] == ["old-3"]
        assert [image.name for image in prune(frozenset({"kept-1"}))] == ["old-3"]
        assert [image.name for image in stored_images()] == ["built-2", "kept-1"]
    assert [image.name for image in prune(frozenset())] == ["built-2", "kept-1"]
    assert [path for path in image_store().iterdir() if path.is_dir()] == []


def test_an_image_may_be_a_directory_of_somebodys_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "mine/usr").mkdir(parents=True)
    assert image_called("mine") == tmp_path / "mine"
    with pytest.raises(UsageError, match="empty is a directory, but no root file system"):
        image_called("empty")
    with pytest.raises(UsageError, match="no image definition 'nonsense'"):
        image_called("nonsense")
