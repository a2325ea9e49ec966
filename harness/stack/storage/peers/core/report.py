"""What one host says of itself, and how it is written. Bounded: whatever comes in is no longer than this."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

FORMAT = 1
MOST = {"volumes": 1024, "moves": 64, "incidents": 128, "migrations": 64}
LONGEST = 4096
"""Characters of one text."""


class BadReport(Exception):
    """It is no report that we understand; the message says what of it is not."""


@dataclass(frozen=True, slots=True)
class MappedVolume:
    """A volume that has a record there, finished or not."""

    volume: str
    """Its file, as it is called there."""
    identity: str
    """What it is called on every host; empty where no other host can reach it."""
    driver: str
    index: int | None
    stage: str


@dataclass(frozen=True, slots=True)
class Moving:
    """A move without an end."""

    id: str
    source: str
    target: str
    phase: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """An incident that is there."""

    name: str
    subject: str
    severity: str
    stage: str


@dataclass(frozen=True, slots=True)
class Migration:
    """Somebody, or a hook, said that a volume goes from one host to another: so long both may have it."""

    identity: str
    source: str
    target: str
    left_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """Of one host. ``epoch`` grows with each start of its daemon, ``sequence`` with each change."""

    node: str
    epoch: int
    sequence: int
    instance: str
    """Chance, of each start: two daemons of one name are told apart by it."""
    version: str = ""
    level: int = 1
    volumes: tuple[MappedVolume, ...] = ()
    moves: tuple[Moving, ...] = ()
    incidents: tuple[Trouble, ...] = ()
    migrations: tuple[Migration, ...] = ()
    more: int = 0
    """How much did not fit."""

    @property
    def order(self) -> tuple[int, int]:
        """The greater one is newer."""
        return self.epoch, self.sequence


_ROWS: Mapping[str, type[Any]] = {
    "volumes": MappedVolume,
    "moves": Moving,
    "incidents": Trouble,
    "migrations": Migration,
}
Row = TypeVar("Row")


def bounded(rows: Sequence[Row], name: str) -> tuple[tuple[Row, ...], int]:
    """As many as a report takes, and how many more there are."""
    return tuple(rows[: MOST[name]]), max(0, len(rows) - MOST[name])


def to_json(report: Report) -> dict[str, object]:
    """For the wire."""
    found = asdict(report)
    return {"format": FORMAT, **found, **{name: list(found[name]) for name in _ROWS}}


def canonical(report: Report) -> bytes:
    """Two reports are the same if this is."""
    return json.dumps(to_json(report), sort_keys=True, separators=(",", ":")).encode()


def from_json(document: object) -> Report:
    """What is more in it than we know is a later version's, and left. Raises BadReport."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadReport("not a report of this format")
    rows = {name: tuple(_row(kind, one) for one in _list(document, name)) for name, kind in _ROWS.items()}
    return Report(
        node=_text(document, "node"),
        epoch=_number(document, "epoch"),
        sequence=_number(document, "sequence"),
        instance=_text(document, "instance"),
        version=_text(document, "version"),
        level=_number(document, "level"),
        more=_number(document, "more"),
        **rows,
    )


def _row(kind: type[Row], document: object) -> Row:
    if not isinstance(document, dict):
        raise BadReport(f"{kind.__name__}: not a mapping")
    values: dict[str, object] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        value = document.get(field.name)
        if field.name == "left_s":
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 86400:
                raise BadReport("left_s: not a number of seconds within a day")
            values["left_s"] = float(value)
        elif field.name == "index":
            values["index"] = None if value is None else _number(document, "index")
        else:
            values[field.name] = _text(document, field.name)
    return kind(**values)


def _list(document: Mapping[str, object], name: str) -> list[object]:
    found = document.get(name)
    if not isinstance(found, list) or len(found) > MOST[name]:
        raise BadReport(f"{name}: not a list of {MOST[name]} at most")
    return found


def _text(document: Mapping[str, object], name: str) -> str:
    found = document.get(name)
    if not isinstance(found, str) or len(found) > LONGEST:
        raise BadReport(f"{name}: not a text of {LONGEST} characters at most")
    return found


def _number(document: Mapping[str, object], name: str) -> int:
    found = document.get(name)
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 1 << 62:
        raise BadReport(f"{name}: not a number")
    return found
