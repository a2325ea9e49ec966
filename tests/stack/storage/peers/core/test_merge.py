"""Whatever comes in whatever order: all know the same in the end, and nothing older counts."""

from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.peers.core.merge import Heard, merge, outbid
from harness.stack.storage.peers.core.report import Report
from tests.stack.storage.peers.core.told import heard, reports


@given(heard, heard, heard)
def test_in_any_order_and_however_often(a: dict[str, Heard], b: dict[str, Heard], c: dict[str, Heard]) -> None:
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(a, a) == a
    assert merge(merge(a, b), b) == merge(a, b)


@pytest.mark.promise("S5-28")
@given(st.lists(heard, min_size=1, max_size=4))
def test_hosts_that_heard_the_same_know_the_same(messages: list[dict[str, Heard]]) -> None:
    nothing: dict[str, Heard] = {}
    first, *others = [reduce(merge, order, nothing) for order in permutations(messages)]
    assert all(end == first for end in others)


@given(heard, heard)
def test_an_older_report_never_takes_the_place_of_a_newer_one(a: dict[str, Heard], b: dict[str, Heard]) -> None:
    both = merge(a, b)
    assert set(both) == {*a, *b}
    for name, one in both.items():
        given_ = [known[name] for known in (a, b) if name in known]
        assert one in given_, "nothing is made up"
        assert one.report.order == max(each.report.order for each in given_)
        same = [each for each in given_ if each.report == one.report]
        assert one.at_s == max(each.at_s for each in same), "and it is as young as anybody knows it"


@given(reports(("n1",)), reports(("n1",)))
def test_who_bids_more_for_our_name_is_no_report_of_ours(own: Report, other: Report) -> None:
    if own.instance == other.instance:
        assert not outbid(own, other), "what we said ourselves"
    else:
        assert outbid(own, other) == (other.order >= own.order)
