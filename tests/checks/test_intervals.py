"""Interval maths against the plain definition: membership of instants."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from harness.checks.intervals import Interval, Spans, clip, difference, intersection, union

instants = st.integers(0, 30).map(float)
intervals = st.builds(Interval, instants, instants)
span_sets = st.lists(intervals, max_size=8).map(union)
EVERY_HALF = [number / 2 for number in range(-1, 63)]


def holds_at(spans: Spans, t_s: float) -> bool:
    return any(span.contains(t_s) for span in spans)


def is_normal(spans: Spans) -> bool:
    return all(span.start_s < span.end_s for span in spans) and all(
        left.end_s < right.start_s for left, right in pairwise(spans)
    )


@given(st.lists(intervals, max_size=8))
def test_a_union_has_every_instant_of_its_parts_and_no_other(parts: list[Interval]) -> None:
    spans = union(parts)
    assert is_normal(spans)
    assert [holds_at(spans, t) for t in EVERY_HALF] == [holds_at(tuple(parts), t) for t in EVERY_HALF]


@given(span_sets, span_sets)
def test_intersection_and_difference_split_a_span_set(first: Spans, second: Spans) -> None:
    both, rest = intersection(first, second), difference(first, second)
    assert is_normal(both)
    assert is_normal(rest)
    for t in EVERY_HALF:
        assert holds_at(both, t) == (holds_at(first, t) and holds_at(second, t))
        assert holds_at(rest, t) == (holds_at(first, t) and not holds_at(second, t))
    assert sum(span.length_s for span in (*both, *rest)) == sum(span.length_s for span in first)


@given(intervals, intervals)
def test_an_overlap_is_what_both_contain(first: Interval, second: Interval) -> None:
    overlap = first.overlap(second)
    for t in EVERY_HALF:
        assert (overlap is not None and overlap.contains(t)) == (first.contains(t) and second.contains(t))


@given(span_sets, instants, instants)
def test_clipping_keeps_what_lies_between(spans: Spans, start_s: float, end_s: float) -> None:
    clipped = clip(spans, start_s, end_s)
    assert all(holds_at(clipped, t) == (holds_at(spans, t) and start_s <= t < end_s) for t in EVERY_HALF)
