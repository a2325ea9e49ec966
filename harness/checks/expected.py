"""What a scenario expects of its history, as it is written down: a check by its name, and its arguments."""

from dataclasses import dataclass, field

from harness.events import Json


@dataclass(frozen=True, slots=True)
class Expected:
    """A check of :mod:`harness.checks.registry`, with its arguments."""

    check: str
    arguments: dict[str, Json] = field(default_factory=dict)
