"""Detours: how packets of a flow are taken out of the fabric at a port, and come back there, as nftables tables. Pure.

A table for each set of links or fault, like that of a cut, and it heals like one. The rules of a port send packets into
a cable, and whoever is at its other end sends them out of the same port later, with the class that they are of in the
upper half of their mark. By that the rules know who has been there already; so several detours at one port follow each
other, in the order of their classes, and know nothing of each other. What leaves for good has its own mark again.
"""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.errors import UsageError
from harness.fabric.layout import Passage
from harness.fabric.relay.names import CLASS_SHIFT, ENTERS, LISTENS

FAMILY: Literal["netdev"] = "netdev"
COUNTER = "passed"
BASE_TABLE = "detours"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_ENTERED = (1 << CLASS_SHIFT) - 1
_CLASS = _ENTERED << CLASS_SHIFT
_LAST = 100_000
"""The priority of the chain that gives packets their own mark again: above every class."""


def detour_table(name: str) -> str:
    """The table of the detours of this name, in family "netdev": what a journal needs to heal them later.

    Raises UsageError for a name that cannot be that of a table.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name detours; allowed: 1 to 64 of letters, digits, '_', '.' and '-'")
    return f"detour_{name}"


def pipe_link(name: str, number: int) -> tuple[str, str]:
    """The two ends of a cable that a driver in the kernel puts the character of one direction on."""
    tag = f"{zlib.crc32(name.encode()):08x}{number}"
    return f"v{tag}", f"V{tag}"


@dataclass(frozen=True, slots=True)
class Class:
    """Packets of one direction that are met at one port."""

    number: int
    direction: int
    passage: Passage


def classes_of(first: int, directions: Sequence[Sequence[Passage]]) -> tuple[Class, ...]:
    """Numbered from the first on."""
    pairs = [(direction, passage) for direction, passages in enumerate(directions) for passage in passages]
    return tuple(Class(number, *pair) for number, pair in enumerate(pairs, start=first))


def table_rules(table: str) -> str:
    """The table, without any port yet."""
    return f"table {FAMILY} {table} {{\n  counter {COUNTER} {{ }}\n}}\n"


def port_rules(table: str, classes: Iterable[Class]) -> dict[str, str]:
    """For each port the rules that send its packets away. To be run again when there is another port of its name."""
    at: dict[str, list[Class]] = {}
    for one in classes:
        at.setdefault(one.passage.port, []).append(one)
    return {port: _at(table, port, those) for port, those in at.items()}


def _at(table: str, port: str, classes: Sequence[Class]) -> str:
    away, last = f"away_{port}", f"last_{port}"
    lines = [
        _chain(table, away, "egress", port, classes[0].number),
        _chain(table, last, "egress", port, _LAST),
        f"flush chain {FAMILY} {table} {away}",
        f"flush chain {FAMILY} {table} {last}",
    ]
    for one in classes:
        marks = ", ".join(map(str, one.passage.marks))
        lines.append(
            f"add rule {FAMILY} {table} {away} meta mark < {one.number << CLASS_SHIFT} "
            f"meta mark & {_ENTERED:#x} {{ {marks} }} counter name {COUNTER} "
            f'meta mark set meta mark & {_ENTERED:#x} | {one.number << CLASS_SHIFT:#x} fwd to "{ENTERS}"'
        )
    lines.append(f"add rule {FAMILY} {table} {last} meta mark set meta mark & {_ENTERED:#x}")
    return "\n".join(lines) + "\n"


def relayed_rules() -> str:
    """The end of the cable at which the relay listens: nobody else is to hear there what is not for him."""
    table = f"{FAMILY} {BASE_TABLE}"
    ends = _chain(BASE_TABLE, "heard", "ingress", LISTENS, 0)
    return f"add table {table}\n{ends}\nflush chain {table} heard\nadd rule {table} heard drop\n"


def piped_rules(table: str, name: str, classes: Sequence[Class]) -> str:
    """For a driver in the kernel: by way of the cable that has the character to the port of the class."""
    lines = []
    into = ", ".join(f'{one.number << CLASS_SHIFT:#x} : "{pipe_link(name, one.direction)[0]}"' for one in classes)
    lines += _forwarding(table, "into", LISTENS, into, classes[0].number)
    for direction in dict.fromkeys(one.direction for one in classes):
        out = pipe_link(name, direction)[1]
        ports = ", ".join(
            f'{one.number << CLASS_SHIFT:#x} : "{one.passage.port}"' for one in classes if one.direction == direction
        )
        lines += _forwarding(table, f"out_{out}", out, ports, 0)
    return "\n".join(lines) + "\n"


def _forwarding(table: str, chain: str, device: str, targets: str, priority: int) -> list[str]:
    to = f"meta mark & {_CLASS:#x} map {{ {targets} }}"
    return [
        _chain(table, chain, "ingress", device, priority),
        f"add rule {FAMILY} {table} {chain} fwd to {to}",
    ]


def _chain(table: str, chain: str, hook: str, device: str, priority: int) -> str:
    kind = f'type filter hook {hook} device "{device}" priority {priority};'
    return f"add chain {FAMILY} {table} {chain} {{ {kind} }}"


def netem_words(character: Mapping[str, float | int | None]) -> tuple[str, ...]:
    """What tc-netem(8) calls a character, one way."""
    said = {name: float(value or 0.0) for name, value in character.items()}
    rate_mbit = said["rate_mbit"] or _UNLIMITED_MBIT
    words = ["limit", str(_limit_packets(said))]
    if said["latency_ms"]:
        words += ["delay", f"{said['latency_ms']:g}ms", f"{said['jitter_ms']:g}ms"]
    for key, word in _NETEM_SHARES.items():
        if said[key]:
            words += [word, f"{said[key]:g}%"]
    # With a rate, of whatever size, nobody overtakes by jitter.
    return (*words, "rate", f"{rate_mbit * 1000:.0f}kbit")


_NETEM_SHARES = {
    "loss_percent": "loss",
    "duplication_percent": "duplicate",
    "corruption_percent": "corrupt",
    "reordering_percent": "reorder",
}
_UNLIMITED_MBIT = 100_000.0
_FULL_PACKET_BITS = 1514 * 8
_ON_THE_WAY = 100_000


def _limit_packets(said: Mapping[str, float]) -> int:
    """Netem counts who waits for the latency as well as who waits for the rate: as many more may be there."""
    if not said["rate_mbit"]:
        return _ON_THE_WAY
    on_the_way_s = (said["latency_ms"] + said["jitter_ms"]) / 1000
    return round(said["queue_packets"] + on_the_way_s * said["rate_mbit"] * 1e6 / _FULL_PACKET_BITS) + 1
