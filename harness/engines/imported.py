"""Images in daemons: the same content under the same key, imported once."""

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from harness.images.progress import Progress
from harness.images.store import image_store
from harness.rundir import NODE_NOTE, RUNS, cache_directory

NAMED = "own-"
"""How the key of an image begins that somebody named, instead of one that a definition gives."""


def image_key(image: Path) -> str:
    """What names this root file system in a daemon: its name in our cache, which carries the hash of its content.

    Of a directory of somebody's own, a hash of the names, kinds, sizes and times of all files: about 0.3 s.
    """
    if image.parent.parent == image_store():
        return image.parent.name
    digest = hashlib.sha256()
    for folder, directories, files in os.walk(image):
        directories.sort()
        for name in sorted((*files, *directories)):
            state = os.lstat(os.path.join(folder, name))  # noqa: PTH118 - thousands of files
            digest.update(f"{folder}\0{name}\0{state.st_mode}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return f"{NAMED}{digest.hexdigest()[:16]}"


def images_of_nodes() -> frozenset[str]:
    """The names, in the store, of all that nodes on this host are made of, with power or without."""
    found: set[str] = set()
    for note in RUNS.glob(f"*/nodes/*/{NODE_NOTE}"):
        with suppress(FileNotFoundError):  # the node is just being removed
            plain = json.dumps(
                json.loads(note.read_text()), ensure_ascii=False
            )  # as the path of the store may not be ASCII
            found |= set(re.findall(rf"{re.escape(str(image_store()))}/([^/\"]+)", plain))
    return frozenset(found)


def import_once(daemon: str, image: Path, is_there: Callable[[str], bool], do: Callable[[str], None]) -> str:
    """Have the image in a daemon, imported by ``do`` unless it ``is_there``; gives its key.

    Several processes may ask at once: one imports, the others wait. Some seconds, shown on stderr.
    """
    key = image_key(image)
    if is_there(key):
        return key
    lock = cache_directory() / "engines" / f"{daemon}-{key}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not is_there(key):
            progress = Progress(f"importing the image {key} into {daemon}")
            try:
                do(key)
            except BaseException:
                progress.done("failed")
                raise
            progress.done("done")
    return key
