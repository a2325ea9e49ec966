"""What `openings.tsv` adds to the firewall: ports of programs that are no module's, such as monitoring. Pure."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Literal, cast

from ..inventory.core import Problem, Role, cells
from ..plan.footprint import ANYBODY, EVERY, Opening, spans

_HEADS = ("role", "ports", "protocol", "from")
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_WORDS = {role.value: role for role in Role}


class OpeningsWrong(Exception):
    """The table cannot be used; all that is wrong with it, a line each."""


def read_openings(text: str, file: str = "openings.tsv") -> tuple[Opening, ...]:
    """What the table opens. Raises OpeningsWrong, with rows and columns."""
    rows = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    if not rows or tuple(rows[0][1].split("\t")) != _HEADS:
        raise OpeningsWrong(f"{file}:1: the first line is: {' TAB '.join(_HEADS)}")
    problems: list[Problem] = []
    found: list[Opening] = []
    for row, line in rows[1:]:
        values = cells(line)
        if len(values) != len(_HEADS):
            problems.append(Problem(row, 0, f"{len(values)} cells instead of {len(_HEADS)}, separated by tabs"))
            continue
        wrong = [Problem(row, column, why) for column, why in _wrong(*values)]
        problems += wrong
        if not wrong:
            found.append(_opening(*values))
    if problems:
        raise OpeningsWrong("\n".join(f"{file}:{one.row}:{one.column}: {one.why}" for one in problems))
    return tuple(found)


def _wrong(roles: str, ports: str, protocol: str, sources: str) -> Iterator[tuple[int, str]]:
    if roles != "all" and (unknown := [one for one in _split(roles) if one not in _WORDS]):
        yield 1, f"there is no role {', '.join(map(repr, unknown))}; roles are all, {', '.join(sorted(_WORDS))}"
    for one in _split(ports):
        match = _PORTS.fullmatch(one)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 0 < first <= last < 2**16:
            yield 2, f"{one!r} is neither a port nor FIRST-LAST"
    if protocol not in ("tcp", "udp"):
        yield 3, f"{protocol!r} is neither tcp nor udp"
    for one in _split(sources):
        if one != "anybody" and one not in _WORDS and not _is_network(one):
            yield 4, f"{one!r} is no role, no network such as 10.0.0.0/24, and not anybody"


def _split(cell: str) -> list[str]:
    return [one.strip() for one in cell.split(",")]


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _opening(roles: str, ports: str, protocol: str, sources: str) -> Opening:
    to: list[Role | str] = []
    for one in _split(sources):
        to += ANYBODY if one == "anybody" else [_WORDS.get(one, one)]
    pairs = [(int(match[1]), int(match[2] or match[1])) for match in map(_PORTS.fullmatch, _split(ports)) if match]
    return Opening(
        EVERY if roles == "all" else tuple(_WORDS[one] for one in _split(roles)),
        tuple(spans(pairs)),
        tuple(to),
        cast(Literal["tcp", "udp"], protocol),
    )
