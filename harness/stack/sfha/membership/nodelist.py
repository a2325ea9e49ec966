"""The list of nodes that a ring is made of: as a corosync.conf has it, and as the Corosync that runs has it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Listed:
    """A node of a list."""

    node_id: int
    address: str
    votes: int

    def __str__(self) -> str:
        return f"{self.node_id} ({self.address}, votes: {self.votes})"


@dataclass(frozen=True, slots=True)
class Nodelist:
    """A list, and whether its nodes are counted as two; which of them comes first makes no difference."""

    nodes: frozenset[Listed]
    two_node: bool = False
    half_read: bool = False
    """Of a running Corosync: it could not take its file up when it read it last, and has a part of it at most."""


def sections_of(text: str) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Each section of a corosync.conf where it ends: its path, and its own keys.

    corosync.conf(5): a key a line, sections in braces, comments between the lines.
    """
    opened: list[tuple[str, dict[str, str]]] = []
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if line.endswith("{") and ":" not in line:
            opened.append((line[:-1].strip(), {}))
        elif line == "}" and opened:
            path = tuple(name for name, _ in opened)
            yield path, opened.pop()[1]
        elif opened:
            key, _, value = line.partition(":")
            opened[-1][1][key.strip()] = value.strip()


def nodelist_of(text: str) -> Nodelist | None:
    """The list of a corosync.conf; None where it has none that can be understood."""
    nodes: set[Listed] = set()
    two_node = False
    for path, keys in sections_of(text):
        if path == ("nodelist", "node"):
            number, votes = keys.get("nodeid", ""), keys.get("quorum_votes", "1")
            if not (number.isdecimal() and votes.isdecimal()):
                return None
            nodes.add(Listed(int(number), keys.get("ring0_addr", ""), int(votes)))
        elif path == ("quorum",):
            two_node = keys.get("two_node") == "1"
    return Nodelist(frozenset(nodes), two_node) if nodes else None
