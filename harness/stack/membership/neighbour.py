"""What a corosync.conf is about, and whose it is. Pure.

Three kinds: sfha's own; the example that Corosync's package installs, which is nobody's; and all others, which belong
to somebody and are never touched.
"""

from dataclasses import dataclass

from .core import HEADER

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
    """What a corosync.conf says (corosync.conf(5): a key a line, sections in braces, comments between the lines)."""
    cluster = ""
    nodes: list[str] = []
    addresses: list[str] = []
    section: list[str] = []
    node: dict[str, str] = {}
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if line.endswith("{") and ":" not in line:
            section.append(line[:-1].strip())
            node = {} if section[-1] == "node" else node
        elif line == "}" and section:
            if section.pop() == "node":
                nodes.append(node.get("name") or node.get("ring0_addr") or "?")
                addresses.append(node.get("ring0_addr", ""))
        elif section and section[-1] == "node":
            key, _, value = line.partition(":")
            node[key.strip()] = value.strip()
        elif section == ["totem"] and line.partition(":")[0].strip() == "cluster_name":
            cluster = line.partition(":")[2].strip()
    example = cluster == EXAMPLE_CLUSTER and addresses == [EXAMPLE_ADDRESS]
    return Described(cluster, tuple(nodes), written_by_sfha(text), example)


def written_by_sfha(text: str) -> bool:
    """Whether sfha wrote this corosync.conf; versions before the first line was marked wrote these others."""
    if text.startswith(HEADER):
        return True
    return text.startswith(_EARLIER_BEGINNING) and set(text.splitlines()) >= _EARLIER_LINES
