"""Looking at what there is of Corosync on this node, whoever's it is. Changes nothing."""

import getopt
import os
from contextlib import suppress
from pathlib import Path

from . import cmap, corosync
from .ownership import Described, Survey, describe

KEY_RECORD = Path("/var/lib/sfha/authkey.sha256")
"""The hash of the key that sfha wrote last: a key of random bytes does not say whose it is."""
_OPTIONS = "c:fhprtvVP:"
_ENVIRONMENT = b"COROSYNC_MAIN_CONFIG_FILE="


def look(directory: Path = corosync.DIRECTORY, record: Path = KEY_RECORD, *, thorough: bool = True) -> Survey:
    """What there is. What is not ``thorough`` costs little and waits for nobody: the key and the running one's word
    are left out. Raises PermissionError for a key that must not be read.
    """
    file = directory / "corosync.conf"
    described = read(file)
    foreign_key = thorough and _is_foreign_key(directory / "authkey", described, record)
    process_id = corosync.process_id()
    if process_id is None:
        return Survey(file, described, foreign_key)
    read_file = file_of(process_id, file)
    live = cmap.cluster_and_nodes() if thorough else None
    read_described = read(read_file) if read_file is not None else None
    return Survey(file, described, foreign_key, process_id, read_file, read_described, live)


def read(file: Path) -> Described | None:
    """What a file describes; None where there is none."""
    with suppress(OSError):
        return describe(file.read_text(errors="replace"))
    return None


def _is_foreign_key(key: Path, beside: Described | None, record: Path) -> bool:
    from hashlib import sha256

    try:
        digest = sha256(key.read_bytes()).hexdigest()
    except FileNotFoundError:
        return False
    except PermissionError:
        raise
    except OSError:
        return True
    try:
        return record.read_text().strip() != digest
    except OSError:
        return beside is None or not beside.ours


def file_of(process_id: int, default: Path) -> Path | None:
    """The configuration file that a running Corosync was told to read; None where it cannot be told (corosync(8))."""
    process = Path(f"/proc/{process_id}")
    try:
        words = [os.fsdecode(word) for word in (process / "cmdline").read_bytes().split(b"\0")[1:-1]]
        environment = (process / "environ").read_bytes().split(b"\0")
        here = (process / "cwd").readlink()
        given = [value for option, value in getopt.gnu_getopt(words, _OPTIONS)[0] if option == "-c"]
    except (OSError, getopt.GetoptError):
        return None
    given += [os.fsdecode(one.removeprefix(_ENVIRONMENT)) for one in environment if one.startswith(_ENVIRONMENT)]
    return here / given[-1] if given and given[-1] else default
