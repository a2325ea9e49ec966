"""What is wrong, whom to tell, how often, and what not to tell for a while. Pure.

An alert is told once it has been there for a moment, again from time to time while it lasts, and once more when it is
over; of what was silenced nobody is told, but it is seen all the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Literal

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
Key = tuple[str, str]
"""Name and subject."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is wrong now."""

    name: str
    subject: str
    severity: Severity
    summary: str

    @property
    def key(self) -> Key:
        """The same alert, whatever its summary says this time."""
        return self.name, self.subject


@dataclass(frozen=True, slots=True)
class Route:
    """Whom to tell of what: patterns with * and ?."""

    to: str
    name: str = "*"
    subject: str = "*"
    least: Severity = "info"
    after_s: float = 0.0
    """How long it has to last before anybody is told."""
    again_s: float = 4 * 3600.0

    def takes(self, alert: Alert) -> bool:
        """Whether it is for this one."""
        graver = SEVERITIES.index(alert.severity) >= SEVERITIES.index(self.least)
        return graver and fnmatchcase(alert.name, self.name) and fnmatchcase(alert.subject, self.subject)


@dataclass(frozen=True, slots=True)
class Silence:
    """What not to tell until then; times in seconds since 1970."""

    id: str
    name: str
    subject: str
    until_s: float
    by: str
    why: str

    def covers(self, alert: Alert, now_s: float) -> bool:
        """Whether nobody is told of it now."""
        named = fnmatchcase(alert.name, self.name) and fnmatchcase(alert.subject, self.subject)
        return now_s < self.until_s and named


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert that lasts."""

    alert: Alert
    since_s: float
    told: Mapping[str, float] = field(default_factory=dict)
    """Whom, and when last."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Somebody is to be told."""

    to: str
    alert: Alert
    since_s: float
    over: bool = False


Alerts = Mapping[Key, Firing]


def step(
    known: Alerts, now: Iterable[Alert], now_s: float, routes: Sequence[Route], silences: Sequence[Silence]
) -> tuple[Alerts, tuple[Notice, ...]]:
    """What lasts from now on, and who is to be told."""
    firing: dict[Key, Firing] = {}
    notices: list[Notice] = []
    for alert in now:
        before = known.get(alert.key) or Firing(alert, now_s)
        told = dict(before.told)
        if not any(one.covers(alert, now_s) for one in silences):
            for route in _routes(alert, routes):
                due = told[route.to] + route.again_s if route.to in told else before.since_s + route.after_s
                if now_s >= due:
                    told[route.to] = now_s
                    notices.append(Notice(route.to, alert, before.since_s))
        firing[alert.key] = replace(before, alert=alert, told=told)
    for key, before in known.items():
        if key not in firing:
            notices += [Notice(to, before.alert, before.since_s, over=True) for to in before.told]
    return firing, tuple(notices)


def untold(known: Alerts, notice: Notice) -> Alerts:
    """It did not arrive: it is told again at the next look."""
    before = known.get(notice.alert.key)
    if before is None:
        return known
    told = {to: at_s for to, at_s in before.told.items() if to != notice.to}
    return {**known, notice.alert.key: replace(before, told=told)}


def _routes(alert: Alert, routes: Sequence[Route]) -> list[Route]:
    """The first that takes it, for each receiver."""
    found: dict[str, Route] = {}
    for one in routes:
        if one.takes(alert):
            found.setdefault(one.to, one)
    return list(found.values())
