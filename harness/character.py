"""What a link does to the packets that pass it: latency, loss, rate and so on; and characters that go by a name. Pure.

All of it is meant one way: what goes there and back passes a link twice. docs/links.md says where the figures of the
profiles come from.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_LATENCY_MS = 10_000.0
MIN_RATE_MBIT, MAX_RATE_MBIT = 0.01, 10_000.0
MAX_QUEUE_PACKETS = 100_000
DEFAULT_QUEUE_PACKETS = 1000

Profile = Literal["lan", "metro", "continent", "ocean", "dsl", "lte", "satellite"]


@dataclass(frozen=True, slots=True)
class Character:
    """One way. The neutral one, of defaults alone, changes nothing."""

    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    """Latency is drawn evenly from latency - jitter to latency + jitter; nobody overtakes by that."""
    loss_percent: float = 0.0
    reordering_percent: float = 0.0
    """How many of a hundred do not wait for the latency, and so overtake those that do."""
    duplication_percent: float = 0.0
    corruption_percent: float = 0.0
    """How many of a hundred arrive with one bit turned, anywhere behind the Ethernet header."""
    rate_mbit: float | None = None
    """Megabits of frames a second; None is as fast as it goes."""
    queue_packets: int = DEFAULT_QUEUE_PACKETS
    """How many may wait for the rate; further ones are lost."""

    @property
    def words(self) -> str:
        """For a person."""
        parts = [
            f"{name.partition('_')[0]} {value:g} {_UNITS[name.partition('_')[2]]}"
            for name, value in asdict(self).items()
            if value and name != "queue_packets"
        ]
        if self.rate_mbit is not None:
            parts.append(f"queue {self.queue_packets} packets")
        return ", ".join(parts) or "no character"


_UNITS = {"ms": "ms", "percent": "%", "mbit": "Mbit/s"}

PROFILES: Mapping[str, Character] = {
    "lan": Character(latency_ms=0.1),
    "metro": Character(latency_ms=1.0, jitter_ms=0.1),
    "continent": Character(latency_ms=15.0, jitter_ms=1.0, loss_percent=0.01),
    "ocean": Character(latency_ms=45.0, jitter_ms=2.0, loss_percent=0.05),
    "dsl": Character(latency_ms=12.0, jitter_ms=3.0, loss_percent=0.1, rate_mbit=10.0, queue_packets=100),
    "lte": Character(latency_ms=25.0, jitter_ms=10.0, loss_percent=0.2, rate_mbit=30.0, queue_packets=300),
    "satellite": Character(latency_ms=280.0, jitter_ms=5.0, loss_percent=0.5, rate_mbit=20.0, queue_packets=1000),
}
assert set(PROFILES) == set(get_args(Profile))


@dataclass(frozen=True, slots=True)
class _Limits:
    at_least: float
    at_most: float
    unit: str

    def check(self, value: object, *, whole: bool = False) -> None:
        """Raise ValueError for a value that is not allowed."""
        number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not number or not self.at_least <= float(value) <= self.at_most:  # type: ignore[arg-type]
            kind = "a whole number " if whole else ""
            raise ValueError(f"is {value!r:.60}; allowed: {kind}from {self.at_least:g} to {self.at_most:g} {self.unit}")


_PERCENT = _Limits(0.0, 100.0, "%")
LIMITS = {
    "latency_ms": _Limits(0.0, MAX_LATENCY_MS, "ms, one way"),
    "jitter_ms": _Limits(0.0, MAX_LATENCY_MS, "ms"),
    "loss_percent": _PERCENT,
    "reordering_percent": _PERCENT,
    "duplication_percent": _PERCENT,
    "corruption_percent": _PERCENT,
    "rate_mbit": _Limits(MIN_RATE_MBIT, MAX_RATE_MBIT, "Mbit/s"),
    "queue_packets": _Limits(1, MAX_QUEUE_PACKETS, "packets"),
}
assert set(LIMITS) == {field.name for field in fields(Character)}


def _named(part: Mapping[str, Any]) -> str:
    return f"{name}: " if isinstance(name := part.get("name"), str) else ""


class Characterised(BaseModel):
    """The keys of a character in a file: a profile, and what is different from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str | None = None
    latency_ms: float | None = None
    jitter_ms: float | None = None
    loss_percent: float | None = None
    reordering_percent: float | None = None
    duplication_percent: float | None = None
    corruption_percent: float | None = None
    rate_mbit: float | None = None
    queue_packets: int | None = Field(default=None)

    @model_validator(mode="before")
    @classmethod
    def _within_limits(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        wrong = []
        for name, limits in LIMITS.items():
            if data.get(name) is not None:
                try:
                    limits.check(data[name], whole=name == "queue_packets")
                except ValueError as error:
                    wrong.append(f"{name} {error}")
        if (profile := data.get("profile")) is not None and profile not in PROFILES:
            wrong.append(f"profile is {profile!r:.60}; allowed: {', '.join(PROFILES)}")
        if wrong:
            raise ValueError("\n".join(f"{_named(data)}{one}" for one in wrong))
        return data

    @model_validator(mode="after")
    def _makes_sense(self) -> "Characterised":
        if (reason := self._nonsense()) is not None:
            raise ValueError(f"{_named(self.model_dump())}{reason}")
        return self

    def _nonsense(self) -> str | None:
        made = self.character
        if made.jitter_ms > made.latency_ms:
            most = f"at most the latency, {made.latency_ms:g} ms"
            return f"jitter_ms is {made.jitter_ms:g}; allowed: {most}, since nothing arrives before it was sent"
        if made.reordering_percent and not made.latency_ms:
            return "reordering_percent is given; allowed: with latency_ms above 0, for others to wait"
        if self.queue_packets is not None and made.rate_mbit is None:
            return "queue_packets is given; allowed: with rate_mbit, since without a rate nobody waits in a queue"
        return None

    @property
    def character(self) -> Character:
        """The profile's, changed by what is given besides."""
        base = asdict(PROFILES[self.profile]) if self.profile is not None else {}
        given = {name: getattr(self, name) for name in LIMITS if getattr(self, name) is not None}
        return Character(**(base | given))
