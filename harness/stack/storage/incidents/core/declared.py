"""What an incident is declared by. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from ...autonomy.core import Act
from .facts import Facts

Severity = Literal["info", "warning", "critical"]
Remedy = Literal[
    "take the link away",
    "make the link",
    "clear up the mapping",
    "map again",
    "let go of the device",
    "stop the server",
    "wake the server",
    "forget the mapping",
    "take the socket away",
    "load the module",
    "end who keeps the lock",
    "go on with the move",
    "give up the move",
    "delete what was left",
    "start mfsbdev",
    "restart the metalogger",
    "make room",
    "wake udev",
    "mount it for writing",
    "let go of what nobody uses",
]


@dataclass(frozen=True, slots=True)
class Case:
    """One incident, at one thing."""

    incident: str
    subject: str
    seen: str

    @property
    def key(self) -> tuple[str, str]:
        """The same, whatever is seen of it this time."""
        return self.incident, self.subject


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a remedy may be tried for one subject."""

    tries: int = 3
    within_s: float = 3600.0
    apart_s: float = 15.0


Found = Iterable[tuple[str, str]]
"""Subject, and what is seen."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One kind; without a remedy it is told, and a person does what ``advice`` says."""

    name: str
    severity: Severity
    detect: Callable[[Facts], Found]
    advice: str
    remedy: Remedy | None = None
    act: Act = Act.TIDY
    limits: Limits = Limits()
    proof: Callable[[Facts, str], bool] = lambda _facts, _subject: True
    """Whether the subject is as it should be, once it is no longer detected."""
    patience: int = 2
    """How many times in a row it has to be seen before anything is done: what is under way is no incident."""

    def cases(self, facts: Facts) -> list[Case]:
        """All there are now."""
        return [Case(self.name, subject, seen) for subject, seen in self.detect(facts)]
