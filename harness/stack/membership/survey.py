"""Looking at what there is of Corosync on this node, whoever's it is. Changes nothing."""

import getopt
import os
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ..languages.core import Message, message
from . import cmap, corosync
from .neighbour import Described, describe

KEY_RECORD = Path("/var/lib/sfha/authkey.sha256")
"""The hash of the key that sfha wrote last: a key of random bytes does not say whose it is."""
_OPTIONS = "c:fhprtvVP:"
_ENVIRONMENT = b"COROSYNC_MAIN_CONFIG_FILE="


@dataclass(frozen=True, slots=True)
class Survey:
    """The file and the key where Corosync looks for them, and the Corosync that runs.

    ``read_file`` is the file that the running one was started from, None where that cannot be told; ``live`` is what
    it says of itself, None where it does not answer.
    """

    file: Path
    described: Described | None
    foreign_key: bool
    process_id: int | None = None
    read_file: Path | None = None
    read_described: Described | None = None
    live: tuple[str, int] | None = None

    @property
    def key(self) -> Path:
        """Where the key is."""
        return self.file.with_name("authkey")

    @property
    def ours_runs(self) -> bool:
        """Whether the one that runs is sfha's, as far as can be told: of a file that is gone nothing is known."""
        return self.read_file == self.file and (self.read_described is None or self.read_described.ours)


def look(directory: Path = corosync.DIRECTORY, record: Path = KEY_RECORD) -> Survey:
    """What there is."""
    file = directory / "corosync.conf"
    described = read(file)
    foreign_key = _is_foreign_key(directory / "authkey", described, record)
    process_id = corosync.process_id()
    if process_id is None:
        return Survey(file, described, foreign_key)
    read_file = file_of(process_id, file)
    read_described = read(read_file) if read_file is not None else None
    return Survey(file, described, foreign_key, process_id, read_file, read_described, cmap.cluster_and_nodes())


def read(file: Path) -> Described | None:
    """What a file describes; None where there is none."""
    with suppress(OSError):
        return describe(file.read_text(errors="replace"))
    return None


def _is_foreign_key(key: Path, beside: Described | None, record: Path) -> bool:
    try:
        digest = sha256(key.read_bytes()).hexdigest()
    except FileNotFoundError:
        return False
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


def objection(found: Survey) -> Message | None:
    """Why no cluster can be founded or joined beside this; None where nothing of others is in the way. Pure."""
    if found.process_id is not None and not _may_be_stopped(found):
        live_cluster, live_nodes = found.live or ("", 0)
        described = found.read_described
        nodes = max(live_nodes, len(described.nodes) if described else 0)
        return message(
            "init.other-corosync",
            pid=found.process_id,
            path=str(found.read_file or "?"),
            cluster=live_cluster or (described.cluster if described else "") or "?",
            nodes=nodes,
            names=_names(described),
        )
    if found.described is not None and found.described.foreign:
        return message(
            "init.foreign-file",
            path=str(found.file),
            cluster=found.described.cluster or "?",
            nodes=len(found.described.nodes),
            names=_names(found.described),
        )
    return message("init.foreign-key", path=str(found.key)) if found.foreign_key else None


def _may_be_stopped(found: Survey) -> bool:
    """Only one that is alone, for certain: that of the package's example, or a left-over of ours."""
    described = found.read_described
    if found.read_file != found.file or described is None or described.foreign or len(described.nodes) != 1:
        return False
    return found.live is None or found.live == (described.cluster, 1)


def _names(described: Described | None) -> str:
    return ", ".join(described.nodes if described else ()) or "-"
