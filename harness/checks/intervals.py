"""Interval maths on the time line. Pure.

An interval is half-open: it contains its start and not its end. A *span set* is a tuple of
non-empty intervals, sorted, disjoint and not touching.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """From ``start_s`` (included) to ``end_s`` (excluded)."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """How long it is; an interval that ends before it starts is empty."""
        return max(0.0, self.end_s - self.start_s)

    def contains(self, t_s: float) -> bool:
        """Whether an instant lies in it."""
        return self.start_s <= t_s < self.end_s

    def overlap(self, other: "Interval") -> "Interval | None":
        """What both have in common, or None."""
        common = Interval(max(self.start_s, other.start_s), min(self.end_s, other.end_s))
        return common if common.start_s < common.end_s else None


Spans = tuple[Interval, ...]


def union(intervals: Iterable[Interval]) -> Spans:
    """Every instant that lies in at least one of them."""
    merged: list[Interval] = []
    for interval in sorted(interval for interval in intervals if interval.start_s < interval.end_s):
        if merged and interval.start_s <= merged[-1].end_s:
            merged[-1] = Interval(merged[-1].start_s, max(merged[-1].end_s, interval.end_s))
        else:
            merged.append(interval)
    return tuple(merged)


def intersection(first: Spans, second: Spans) -> Spans:
    """Every instant that lies in both span sets."""
    found: list[Interval] = []
    left = right = 0
    while left < len(first) and right < len(second):
        common = first[left].overlap(second[right])
        if common:
            found.append(common)
        if first[left].end_s < second[right].end_s:
            left += 1
        else:
            right += 1
    return tuple(found)


def difference(first: Spans, second: Spans) -> Spans:
    """Every instant that lies in the first span set and not in the second."""
    found: list[Interval] = []
    for interval in first:
        start_s = interval.start_s
        for hole in second:
            if hole.end_s <= start_s or hole.start_s >= interval.end_s:
                continue
            found.append(Interval(start_s, hole.start_s))
            start_s = hole.end_s
        found.append(Interval(start_s, interval.end_s))
    return union(found)


def clip(spans: Spans, start_s: float, end_s: float) -> Spans:
    """The part of a span set between two instants."""
    return intersection(spans, union([Interval(start_s, end_s)]))
