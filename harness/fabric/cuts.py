"""Cuts: what is dropped, as one nftables table each, in the fabric where no node can undo it."""

import re
from collections.abc import Iterable
from typing import Literal

from harness.errors import UsageError
from harness.fabric.layout import Drop, Layout
from harness.fabric.namespaces import NamespaceThread
from harness.fabric.nft import Nft

FAMILY: Literal["bridge"] = "bridge"
_BASE_TABLE = "fabric"
_COUNTER = "dropped"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def cut_table(name: str) -> str:
    """The table of the cut of this name, in family "bridge": what a journal needs to heal it later.

    Raises UsageError for a name that cannot be that of a table.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a cut; allowed: 1 to 64 of letters, digits, '_', '.' and '-'")
    return f"cut_{name}"


def base_rules(layout: Layout) -> str:
    """The rules every fabric has: each packet is marked with the number of the port it came in by."""
    ports = ", ".join(f'"{layout.port(name)}" : {mark}' for name, mark in layout.marks.items())
    return (
        f"add table {FAMILY} {_BASE_TABLE}\n"
        f"delete table {FAMILY} {_BASE_TABLE}\n"
        f"table {FAMILY} {_BASE_TABLE} {{\n"
        f"  chain enter {{\n"
        f"    type filter hook prerouting priority -250\n"
        f"    meta mark set iifname map {{ {ports} }}\n"
        f"  }}\n"
        f"}}\n"
    )


def drop_rules(table: str, drops: Iterable[Drop], only: str = "") -> str:
    """The table of a cut. Postrouting sees what a bridge passes on as well as what a router sends into it.

    ``only``: of those packets, the ones that this expression of nft matches.
    """
    rules = "".join(f"    {_matching(drop)} {only} counter name {_COUNTER} drop\n" for drop in drops)
    return (
        f"{heal_rules(table)}"
        f"table {FAMILY} {table} {{\n"
        f"  counter {_COUNTER} {{ }}\n"
        f"  chain leave {{\n"
        f"    type filter hook postrouting priority -200\n"
        f"{rules}"
        f"  }}\n"
        f"}}\n"
    )


def heal_rules(table: str, family: str = FAMILY) -> str:
    """Delete the table, whether it is there or not."""
    return f"add table {family} {table}\ndelete table {family} {table}\n"


def _matching(drop: Drop) -> str:
    marks = ", ".join(str(mark) for mark in drop.marks)
    ports = ", ".join(f'"{port}"' for port in drop.ports)
    return f"meta mark {{ {marks} }} oifname {{ {ports} }}"


class Cut:
    """A cut that is in force until it is healed. It does not depend on the objects that made it, only on its name."""

    def __init__(self, name: str, table: str, nft: Nft, thread: NamespaceThread) -> None:
        self.name = name
        self.family = FAMILY
        self.table = table
        self._nft = nft
        self._thread = thread

    def apply(self, drops: Iterable[Drop], only: str = "") -> None:
        """Put the cut in force, or replace what it drops; the counter starts again at 0."""
        rules = drop_rules(self.table, drops, only)
        self._thread.run(lambda: self._nft.run(rules))

    def dropped_packets(self) -> int:
        """Packets dropped so far; 0 when the cut is not in force."""
        tables = self._thread.run(lambda: self._nft.listing(f"list counters {FAMILY}"))
        counters = (one["counter"] for one in tables if "counter" in one)
        return sum(int(counter["packets"]) for counter in counters if counter["table"] == self.table)

    def in_force(self) -> bool:
        """Whether the cut is there now."""
        tables = self._thread.run(lambda: self._nft.listing(f"list tables {FAMILY}"))
        return any(one["table"]["name"] == self.table for one in tables if "table" in one)

    def heal(self) -> None:
        """Let everything pass again. May be called again, and when the nodes concerned are dead."""
        self._thread.run(lambda: self._nft.run(heal_rules(self.table)))
