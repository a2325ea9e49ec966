"""What a corosync.conf is about, and whose it is. Pure.

Three kinds: sfha's own; the example that Corosync's package installs, which is nobody's; and all others, which belong
to somebody and are never touched.
"""

from dataclasses import dataclass
from pathlib import Path

from ...kit.messages import Message, message
from .core import HEADER
from .nodelist import sections_of

EXAMPLE_CLUSTER, EXAMPLE_ADDRESS = "debian", "127.0.0.1"
_EARLIER_BEGINNING = "totem {\n    version: 2\n    cluster_name: "
_EARLIER_LINES = frozenset(
    {"    token_coefficient: 0", "    sched_rr: no", "    logfile: /var/log/corosync/corosync.log"}
)


@dataclass(frozen=True, slots=True)
class Described:
    """A corosync.conf: the cluster's name ("" for none), its nodes by name or address, and whose it is."""

    cluster: str
    nodes: tuple[str, ...]
    ours: bool
    example: bool

    @property
    def foreign(self) -> bool:
        """Whether it is somebody else's."""
        return not (self.ours or self.example)


def describe(text: str) -> Described:
    """What a corosync.conf says."""
    cluster = ""
    nodes: list[dict[str, str]] = []
    for path, keys in sections_of(text):
        if path[-1] == "node":
            nodes.append(keys)
        elif path == ("totem",):
            cluster = keys.get("cluster_name", cluster)
    names = tuple(keys.get("name") or keys.get("ring0_addr") or "?" for keys in nodes)
    addresses = [keys.get("ring0_addr", "") for keys in nodes]
    example = cluster == EXAMPLE_CLUSTER and addresses == [EXAMPLE_ADDRESS]
    return Described(cluster, names, written_by_sfha(text), example)


def written_by_sfha(text: str) -> bool:
    """Whether sfha wrote this corosync.conf; versions before the first line was marked wrote these others."""
    if text.startswith(HEADER):
        return True
    return text.startswith(_EARLIER_BEGINNING) and set(text.splitlines()) >= _EARLIER_LINES


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


def objection(found: Survey) -> Message | None:
    """Why no cluster can be founded or joined beside this; None where nothing of others is in the way."""
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
