"""What an index is, and which is tried next."""

import pytest

from harness.stack.storage.pool.core import (
    OWNERSHIP,
    Claim,
    Condition,
    IndexFacts,
    IndexView,
    Ownership,
    delay_s,
    next_index,
    unquiet,
    why_none_is_free,
)


@pytest.mark.parametrize(
    "facts",
    [
        IndexFacts(server_pid=12, size_bytes=4096),
        IndexFacts(size_bytes=4096),
        IndexFacts(in_flight=1),
        IndexFacts(holders=("dm-0",)),
        IndexFacts(udev_settled=False),
    ],
)
def test_free_means_quiet(facts: IndexFacts) -> None:
    assert unquiet(facts)
    assert IndexView(0, facts).ownership is not Ownership.FREE
    assert next_index([IndexView(0, facts), IndexView(1, IndexFacts())], "disk", ()) == 1


def test_every_pair_of_the_two_sides_has_a_name() -> None:
    assert set(OWNERSHIP) == {(claim, condition) for claim in Claim for condition in Condition}


def test_an_index_with_a_claim_or_a_lock_is_not_free() -> None:
    quiet = IndexFacts()
    views = [IndexView(0, quiet, Claim.UNFINISHED), IndexView(1, quiet, Claim.MAPPED), IndexView(2, quiet, locked=True)]
    assert [view.ownership for view in views] == [Ownership.ABANDONED, Ownership.LOST, Ownership.BUSY]
    assert next_index(views, "disk", ()) is None
    assert why_none_is_free(views) == "none of 3 indexes is free after 5 tries (1 abandoned, 1 busy, 1 lost)"


def test_volumes_begin_at_different_places_and_pass_over_what_was_tried() -> None:
    views = [IndexView(index, IndexFacts()) for index in range(16)]
    first = {next_index(views, f"disk-{number}", ()) for number in range(16)}
    assert len(first) > 6
    order: list[int] = []
    while (index := next_index(views, "disk-0", order)) is not None:
        order.append(index)
    assert sorted(order) == list(range(16))


def test_the_delays_grow_and_end() -> None:
    assert [delay_s(tried) for tried in (1, 2, 3, 4)] == pytest.approx([0.2, 0.3, 0.45, 0.675])
    assert delay_s(5) is None
