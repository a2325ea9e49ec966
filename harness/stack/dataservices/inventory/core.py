"""What `servers.tsv` means, and what is wrong with it. Pure.

The file is a table with tabs: a line of heads, then a line a server. Every mistake is reported at once, each with its
row and column, since whoever corrects a table wants to do it once.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

COLUMNS = ("name", "role", "address", "site")
_PROTECTED = "protected"
DOMAIN = "keyservices.internal"
"""Where nobody has said another one."""
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_SITE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class Role(Enum):
    """What a server is for; one may have several, separated by commas."""

    INSTALLER = "installer"
    POSTGRESQL = "postgresql"
    REDIS = "redis"
    RABBITMQ = "rabbitmq"
    OBJECTS = "objects"
    GALERA = "galera"
    HAPROXY = "haproxy"
    PROXYSQL = "proxysql"
    K3S_MASTER = "k3s-master"
    K3S_WORKER = "k3s-worker"
    APPS = "apps"
    N8N = "n8n"


MAJORITIES = frozenset({Role.POSTGRESQL, Role.REDIS, Role.RABBITMQ, Role.OBJECTS, Role.GALERA, Role.K3S_MASTER})
"""Roles whose servers decide by majority: three or more, and an odd number of them."""
PAIRS = frozenset({Role.HAPROXY, Role.PROXYSQL, Role.APPS, Role.N8N})
"""Roles of which one alone would be what everything hangs on: two or more."""


@dataclass(frozen=True, slots=True)
class Server:
    """One line of the table."""

    name: str
    roles: frozenset[Role]
    address: str
    site: str
    protected: bool = False
    """Cleanup never touches it. The installer is protected whatever its line says."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: rows and columns are counted from 1, column 0 means the whole row."""

    row: int
    column: int
    why: str


class InventoryWrong(Exception):
    """The table cannot be used; ``problems`` says all that is wrong with it, from the top down."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        places = (f"{file}:{one.row}:{one.column}" if one.column else f"{file}:{one.row}" for one in problems)
        super().__init__("\n".join(f"{place}: {one.why}" for place, one in zip(places, problems, strict=True)))


@dataclass(frozen=True, slots=True)
class Inventory:
    """All servers, in the order of the table."""

    servers: tuple[Server, ...]
    domain: str = DOMAIN
    """What the host names of applications end with."""

    def of(self, *roles: Role) -> tuple[Server, ...]:
        """Those that have one of the roles."""
        return tuple(server for server in self.servers if server.roles & set(roles))

    def named(self, name: str) -> Server:
        """The server of this name. Raises KeyError."""
        return {server.name: server for server in self.servers}[name]

    @property
    def installer(self) -> Server:
        """The one that the others are installed from."""
        return self.of(Role.INSTALLER)[0]


def domain_in(text: str, file: str) -> str:
    """The domain that a file of one line names. Raises InventoryWrong."""
    name = text.strip()
    if not all(_LABEL.fullmatch(label) for label in name.split(".")) or len(name) > 200:
        raise InventoryWrong(file, [Problem(1, 0, f"{name!r} is no domain: labels of lower-case letters, with dots")])
    return name


def read(text: str, file: str = "servers.tsv") -> Inventory:
    """The inventory that the table describes. Raises InventoryWrong with everything that is wrong with it."""
    rows = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if _counts(line)]
    if not rows:
        raise InventoryWrong(file, [Problem(1, 0, f"the table is empty; its first line is: {' TAB '.join(COLUMNS)}")])
    (head_row, head), *body = rows
    heads, problems = _heads(head_row, head)
    if problems:
        raise InventoryWrong(file, problems)
    reading = _Reading(heads)
    for number, line in body:
        reading.take(number, line)
    problems = reading.problems
    if not problems:  # whoever mistyped a role has not too few servers of it as well
        problems = list(_too_few(reading.servers, rows[-1][0]))
    if problems:
        raise InventoryWrong(file, sorted(problems, key=lambda one: (one.row, one.column)))
    return Inventory(tuple(reading.servers))


def _counts(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _heads(row: int, line: str) -> tuple[Mapping[str, int], list[Problem]]:
    """Where each column is, counted from 1."""
    problems: list[Problem] = []
    heads: dict[str, int] = {}
    for column, cell in enumerate(cells(line), start=1):
        if cell not in (*COLUMNS, _PROTECTED):
            allowed = ", ".join((*COLUMNS, _PROTECTED))
            problems.append(Problem(row, column, f"there is no column {cell!r}; columns are {allowed}"))
        elif cell in heads:
            problems.append(Problem(row, column, f"a second column {cell}"))
        heads.setdefault(cell, column)
    missing = [name for name in COLUMNS if name not in heads]
    if missing and "\t" not in line:
        problems = [Problem(row, 0, f"columns are separated by tabs: {' TAB '.join(COLUMNS)}")]
    elif missing:
        problems.append(Problem(row, 0, f"missing columns: {', '.join(missing)}"))
    return heads, problems


def cells(line: str) -> list[str]:
    """What is between the tabs of a row."""
    return [cell.strip(" ") for cell in line.split("\t")]


@dataclass(slots=True)
class _Reading:
    """The table so far."""

    columns: Mapping[str, int]
    servers: list[Server] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    """(column, value) -> the row that has it, of what may be there once only."""

    def take(self, row: int, line: str) -> None:
        """One more row."""
        found = cells(line)
        if len(found) != len(self.columns):
            why = f"{len(found)} cells, and there are {len(self.columns)} columns, separated by tabs"
            self.problems.append(Problem(row, 0, why))
            return
        values = {name: found[column - 1] for name, column in self.columns.items()}
        before = len(self.problems)
        for name, why in _wrong(values):
            self.problems.append(Problem(row, self.columns[name], why))
        if len(self.problems) > before:
            return
        address = str(ipaddress.ip_address(values["address"]))
        roles = frozenset(Role(word) for word in _words(values["role"]))
        self._once(row, "name", values["name"])
        self._once(row, "address", address)
        if Role.INSTALLER in roles:
            self._once(row, "role", Role.INSTALLER.value)
        protected = values.get(_PROTECTED, "no") == "yes" or Role.INSTALLER in roles
        self.servers.append(Server(values["name"], roles, address, values["site"], protected))

    def _once(self, row: int, column: str, value: str) -> None:
        first = self.seen.setdefault((column, value), row)
        if first != row:
            self.problems.append(Problem(row, self.columns[column], f"{value} is in row {first} already"))


def _words(cell: str) -> list[str]:
    return [word.strip() for word in cell.split(",")]


def _wrong(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(column, why) of each cell that cannot be what it says."""
    if not _LABEL.fullmatch(values["name"]):
        yield (
            "name",
            f"{values['name']!r} is no host name: lower-case letters, digits and hyphens, at most 63 (RFC 1123)",
        )
    words = _words(values["role"])
    known = {role.value for role in Role}
    if unknown := [word for word in words if word not in known]:
        yield "role", f"there is no role {', '.join(map(repr, unknown))}; roles are {', '.join(sorted(known))}"
    elif len(set(words)) < len(words):
        yield "role", "the same role twice"
    if why := _wrong_address(values["address"]):
        yield "address", why
    if not _SITE.fullmatch(values["site"]):
        yield "site", f"{values['site']!r} is no name of a site: lower-case letters, digits, hyphens and underscores"
    # No other spelling: a `yse` that meant no would have its server wiped.
    if (said := values.get(_PROTECTED, "no")) not in ("yes", "no"):
        yield _PROTECTED, f"{said!r} is neither yes nor no"


def _wrong_address(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return f"{text!r} is no IP address"
    if address.is_loopback or address.is_multicast or address.is_unspecified or address.is_link_local:
        return f"{text} is not an address that others reach a server by"
    return None


def _too_few(servers: Iterable[Server], last_row: int) -> Iterator[Problem]:
    counts = {role: sum(role in server.roles for server in servers) for role in Role}
    if not counts[Role.INSTALLER]:
        yield Problem(last_row, 0, "nobody has the role installer")
    for role, count in counts.items():
        if role in MAJORITIES and count and (count < 3 or count % 2 == 0):
            yield Problem(last_row, 0, f"{count} x {role.value}: they decide by majority, so there are 3, 5 or 7")
        if role in PAIRS and count == 1:
            yield Problem(last_row, 0, f"one {role.value} alone would be a single point of failure: have two")
