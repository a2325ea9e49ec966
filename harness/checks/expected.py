"""What a scenario expects of its history, as it is written down: a check by its name, and its arguments."""

from dataclasses import dataclass, field

from harness.events import Json


@dataclass(frozen=True, slots=True)
class Expected:
    """A check of :mod:`harness.checks.registry`, with its arguments."""

    check: str
    arguments: dict[str, Json] = field(default_factory=dict)


EVERY_ADDRESS = "*"
"""In what every run of a subject is judged by: each virtual address that was seen in the run."""


def each_address(check: str, **arguments: Json) -> Expected:
    """A check of addresses, for every one that was seen in a run: part of what a subject is always judged by."""
    return Expected(check, {"address": EVERY_ADDRESS, **arguments})
