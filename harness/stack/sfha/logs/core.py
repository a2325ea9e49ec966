"""What a line of the log says, and since when it is wanted. Pure: times and time zone are arguments."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from ...kit.messages import Language, from_json, texts

_UNITS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_RELATIVE = re.compile(r"-?\s*(\d+)\s*(s|sec|min|m|h|d|w)(?:\s+ago)?\Z")
BAD_EVENTS = frozenset(
    {"warning", "activation-failed", "lease-lost", "lease-expired", "corosync-lost", "vip-not-offered"}
)
"""Shown as trouble even where no severity is given."""


@dataclass(frozen=True, slots=True)
class Record:
    """One event. ``at_s`` is seconds since 1970, None in lines of versions that did not write it."""

    at_s: float | None
    node: str
    event: str
    fields: Mapping[str, object]
    line: str
    """As it was written."""

    @property
    def bad(self) -> bool:
        """Whether it tells of trouble."""
        return self.event in BAD_EVENTS or self.event.endswith("-failed")


def parse_line(line: str) -> Record | None:
    """A line of the log file; None when it is not one (the end of a line that is being written, other text)."""
    try:
        document = json.loads(line)
    except ValueError:
        return None
    if not isinstance(document, dict) or "event" not in document:
        return None
    fields = {key: value for key, value in document.items() if key not in ("t_s", "at", "node", "event")}
    return Record(_seconds(document.get("at")), str(document.get("node", "")), str(document["event"]), fields, line)


def _seconds(at: object) -> float | None:
    try:
        return datetime.fromisoformat(at).timestamp() if isinstance(at, str) else None
    except ValueError:
        return None


def parse_since(given: str, now_s: float, zone: tzinfo | None) -> float:
    """Seconds since 1970 of "10min", "-1h", "2 d ago", "today", "yesterday", "2026-02-25" or "2026-02-25 14:30".

    ``zone`` (None for that of this machine) is that of what has none of its own. Raises ValueError.
    """
    wanted = given.strip().lower()
    if match := _RELATIVE.match(wanted):
        return now_s - int(match[1]) * _UNITS[match[2]]
    midnight = datetime.fromtimestamp(now_s, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if wanted == "today":
        return midnight.timestamp()
    if wanted == "yesterday":
        return (midnight - timedelta(days=1)).timestamp()
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", wanted):
            return (
                datetime.fromisoformat(f"{midnight.date().isoformat()} {wanted:0>5}").replace(tzinfo=zone).timestamp()
            )
        found = datetime.fromisoformat(given.strip())
    except (ValueError, OverflowError) as error:
        raise ValueError(given) from error
    return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp()


def sentence(record: Record, language: Language) -> str:
    """The event in words; one without words of its own is shown by its name and fields."""
    template = texts().get(f"event.{record.event}")
    if template is not None:
        values = {name: _shown(one, language) for name, one in record.fields.items()}
        try:
            return template[0 if language == "en" else 1].format(**values)
        except (KeyError, IndexError, ValueError):
            pass  # a line of another version, with other fields
    fields = " ".join(f"{name}={_shown(one, language)}" for name, one in record.fields.items())
    return f"{record.event} {fields}".rstrip()


def _shown(value: object, language: Language) -> str:
    match value:
        case None:
            return "-"
        case bool():
            yes, no = texts()["word.yes"], texts()["word.no"]
            return (yes if value else no)[0 if language == "en" else 1]
        case {"key": str(), "values": dict()}:
            found = from_json(value)
            return found if isinstance(found, str) else found.said(language)
        case list():
            return ", ".join(_shown(one, language) for one in value) or "-"
    return str(value)


def time_of(record: Record, zone: tzinfo | None) -> str:
    """Its time to the millisecond, as wide in every line."""
    if record.at_s is None:
        return " " * 23
    return datetime.fromtimestamp(record.at_s, zone).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
