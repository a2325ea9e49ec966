"""Which of two reports of a host counts: the newer one, whatever way and in whatever order they came.

``merge`` is the least upper bound of a total order for each host, so it is commutative, associative and idempotent, and
an older report never takes the place of a newer one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .report import Report, canonical


@dataclass(frozen=True, slots=True)
class Heard:
    """A report, and when its host is known to have stood by it (our own clock, which also runs while we sleep)."""

    report: Report
    at_s: float


Known = Mapping[str, Heard]
"""By the host's name."""


def merge(ours: Known, theirs: Known) -> dict[str, Heard]:
    """What both know."""
    return {name: _later(ours.get(name), theirs.get(name)) for name in sorted({*ours, *theirs})}


def _later(one: Heard | None, other: Heard | None) -> Heard:
    if one is None or other is None:
        found = one or other
        assert found is not None
        return found
    if one.report == other.report:
        return one if one.at_s >= other.at_s else other
    if one.report.order != other.report.order:
        return one if one.report.order > other.report.order else other
    # Two daemons of one name: whoever hears of both takes the same one.
    return one if canonical(one.report) > canonical(other.report) else other


def outbid(own: Report, heard: Report) -> bool:
    """Whether what somebody has of our own host would count for more than what we say: an earlier life of ours whose
    state was lost, or another daemon of the same name."""
    return heard.instance != own.instance and heard.order >= own.order
