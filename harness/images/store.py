"""Images in the user's cache: each under the hash of its definition, whole or not at all.

A build happens in a directory of its own beside the place where the image will be, and is renamed
into it when it is complete. The lock is one of the kernel's (flock(2)), so it ends with the
process that holds it, however that ends; whoever gets it next knows that any unfinished build
of that image is dead, and removes it.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HostError, UsageError
from harness.images.build import build_root
from harness.images.definition import find_definition, load_definition
from harness.images.mirror import find_mirror
from harness.images.progress import Progress
from harness.rundir import cache_directory
from harness.shipped import definitions

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A finished image or layer in the cache."""

    name: str
    directory: Path
    size_bytes: int


def image_store() -> Path:
    """The directory that holds the images."""
    return cache_directory() / "images"


def image_path(definition: str = "node") -> Path:
    """Where the root file system of that image is, or will be once it is built."""
    path = find_definition(definition)
    return image_store() / f"{path.stem}-{load_definition(path).content_hash()}" / "rootfs"


def ensure_image(definition: str = "node", *, mirror: str | None = None, keyring: Path | None = None) -> Path:
    """The root file system of an image, built if it is not in the cache yet.

    ``definition`` is the name of a definition, or a path. Several processes may ask at
    once: one builds, the others wait. Raises UsageError for a bad definition, HostError when the
    image cannot be built here. A build takes some 20 to 60 s and shows its progress on stderr.
    """
    source = find_definition(definition)
    content = load_definition(source)

    def build(directory: Path) -> None:
        origin = find_mirror(mirror, keyring)
        progress = Progress(f"building the image '{source.stem}' ({content.suite}, from {origin.url})")
        log = image_store() / f"{source.stem}-{content.content_hash()}.log"
        try:
            build_root(content, origin, directory / "rootfs", log, progress.at)
        except BaseException:
            progress.done("failed")
            raise
        progress.done("built")
        shutil.copy(log, directory / "build.log")
        log.unlink()
        shutil.copy(source, directory / "definition.toml")

    return ensure_stored(f"{source.stem}-{content.content_hash()}", build) / "rootfs"


def image_called(name: str) -> Path:
    """The root file system that a user means: an image definition (see ensure_image), or a directory that holds one.

    A directory that happens to be called as a definition is not meant: ./NAME is.
    """
    directory = Path(name)
    if name in definitions("images") or not directory.is_dir():
        return ensure_image(name)
    if not (directory / "usr").is_dir():
        raise UsageError(f"--image {name} is a directory, but no root file system (it has no usr)")
    return directory.absolute()


def ensure_stored(name: str, build: Callable[[Path], None]) -> Path:
    """The directory ``name`` of the store; when it is not there, ``build`` fills it in one piece."""
    final = image_store() / name
    if final.is_dir():
        return final
    store = image_store()
    try:
        store.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HostError(f"the cache {store} cannot be made ({error.strerror}); set HARNESS_CACHE") from error
    with _locked(store / f"{name}.lock", f"image {name}"):
        if final.is_dir():
            return final
        remove_unfinished(name)
        building = Path(tempfile.mkdtemp(prefix=f".unfinished-{name}-", dir=store))
        try:
            building.chmod(0o755)
            build(building)
            building.rename(final)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    return final


def remove_unfinished(name: str) -> None:
    """Remove what dead builders of ``name`` left; only for the holder of its lock."""
    for leftover in image_store().glob(f".unfinished-{name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def stored_images() -> tuple[StoredImage, ...]:
    """Everything finished in the cache, by name."""
    found = sorted(path for path in image_store().glob("*") if path.is_dir() and not path.name.startswith("."))
    return tuple(StoredImage(path.name, path, _size_bytes(path)) for path in found)


def prune(keep: frozenset[str], *, dry_run: bool = False) -> tuple[StoredImage, ...]:
    """Remove every image that is not to be kept and nobody is building; returns what was removed."""
    removed = []
    for image in stored_images():
        if image.name in keep:
            continue
        with _try_lock(image_store() / f"{image.name}.lock") as mine:
            if mine:
                removed.append(image)
                if not dry_run:
                    _remove(image.directory)
    for leftover in image_store().glob(".unfinished-*"):
        name = leftover.name.removeprefix(".unfinished-").rpartition("-")[0]
        with _try_lock(image_store() / f"{name}.lock") as mine:
            if mine and not dry_run:
                shutil.rmtree(leftover, ignore_errors=True)
    return tuple(removed)


def _remove(directory: Path) -> None:
    # Renamed first, so that whoever asks meanwhile never sees half an image.
    grave = directory.with_name(f".unfinished-{directory.name}-pruned")
    shutil.rmtree(grave, ignore_errors=True)
    directory.rename(grave)
    shutil.rmtree(grave)


@contextlib.contextmanager
def _locked(path: Path, what: str) -> Iterator[None]:
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting = Progress(f"waiting for another process that builds the {what}")
            fcntl.flock(lock, fcntl.LOCK_EX)
            waiting.done("it has ended")
        yield


@contextlib.contextmanager
def _try_lock(path: Path) -> Iterator[bool]:
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _size_bytes(directory: Path) -> int:
    total = 0
    for folder, _, files in os.walk(directory):
        for file in files:
            total += os.lstat(os.path.join(folder, file)).st_blocks * 512  # noqa: PTH118 - thousands of files
    return total
