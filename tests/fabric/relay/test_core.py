"""What becomes of packets on a link: figures for each value, and what holds for all of them."""

import random
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.character import Character
from harness.fabric.relay.core import ETHERNET_BYTES, Departure, Pipe, changed

characters = st.builds(
    lambda latency_ms, part, loss, late, twice, turned, rate_mbit, queue: Character(
        latency_ms=latency_ms,
        jitter_ms=latency_ms * part,
        loss_percent=loss,
        reordering_percent=late,
        duplication_percent=twice,
        corruption_percent=turned,
        rate_mbit=rate_mbit,
        queue_packets=queue,
    ),
    st.floats(0, 100),
    st.floats(0, 1),
    *[st.floats(0, 100)] * 4,
    st.none() | st.floats(0.1, 100),
    st.integers(1, 20),
)
packets = st.lists(st.tuples(st.floats(0, 0.02), st.integers(60, 1514)), max_size=60)


def pipe(character: Character, seed: int = 7) -> Pipe:
    return Pipe(asdict(character), random.Random(seed).random)


def passed(one: Pipe, gaps_and_sizes: list[tuple[float, int]]) -> list[tuple[float, tuple[Departure, ...]]]:
    now_s, found = 0.0, []
    for gap_s, size in gaps_and_sizes:
        now_s += gap_s
        found.append((now_s, one.departures(now_s, size)))
    return found


def share(character: Character, count: int = 20_000) -> list[tuple[Departure, ...]]:
    one = pipe(character)
    return [one.departures(number * 0.001, 100) for number in range(count)]


def test_without_a_character_nothing_happens() -> None:
    assert pipe(Character()).departures(3.0, 100) == (Departure(3.0, None),)


def test_latency_and_jitter() -> None:
    found = [one.due_s - number * 0.001 for number, (one,) in enumerate(share(Character(latency_ms=20)))]
    assert found == pytest.approx([0.02] * len(found))
    apart = pipe(Character(latency_ms=20, jitter_ms=10))
    delays = [apart.departures(float(number), 100)[0].due_s - number for number in range(5000)]
    assert 0.01 <= min(delays) < 0.0105
    assert 0.0295 < max(delays) <= 0.03
    assert sum(delays) / len(delays) == pytest.approx(0.02, abs=0.0003)


def test_shares_are_those_that_were_asked_for() -> None:
    assert sum(not one for one in share(Character(loss_percent=5))) == pytest.approx(1000, abs=150)
    assert sum(len(one) == 2 for one in share(Character(duplication_percent=5))) == pytest.approx(1000, abs=150)
    turned = [one.bit for (one,) in share(Character(corruption_percent=5)) if one.bit is not None]
    assert len(turned) == pytest.approx(1000, abs=150)
    assert min(turned) >= ETHERNET_BYTES * 8
    assert max(turned) < 800
    late = share(Character(latency_ms=5, reordering_percent=5))
    assert sum(one.due_s == number * 0.001 for number, (one,) in enumerate(late)) == pytest.approx(1000, abs=150)


def test_a_rate_lets_packets_through_one_after_the_other_and_a_full_queue_none() -> None:
    one = pipe(Character(rate_mbit=8, queue_packets=3))  # a byte takes a microsecond
    found = [one.departures(0.0, 1000) for _ in range(6)]
    assert [departure.due_s for departures in found for departure in departures] == pytest.approx(
        [1e-3, 2e-3, 3e-3, 4e-3]
    )
    assert found[4:] == [(), ()]
    assert len(one.departures(1.5e-3, 1000)) == 1  # one of those that waited is being sent by now


@given(characters, packets)
def test_the_same_seed_and_packets_come_to_the_same(character: Character, sent: list[tuple[float, int]]) -> None:
    assert passed(pipe(character), sent) == passed(pipe(character), sent)


@given(characters, packets)
def test_nothing_leaves_before_it_came_and_only_who_does_not_wait_overtakes(
    character: Character, sent: list[tuple[float, int]]
) -> None:
    latest_s = float("-inf")
    for arrived_s, departures in passed(pipe(character), sent):
        assert len(departures) <= 2
        for one in departures:
            assert one.due_s >= arrived_s - 1e-9
            if one.due_s != arrived_s:
                assert one.due_s >= latest_s
                latest_s = one.due_s


@given(st.binary(min_size=1, max_size=50), st.data())
def test_one_bit_is_turned_and_no_other(frame: bytes, data: st.DataObject) -> None:
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    other = changed(frame, bit)
    assert len(other) == len(frame)
    assert sum((a ^ b).bit_count() for a, b in zip(frame, other, strict=True)) == 1
    assert changed(other, bit) == frame
    assert changed(frame, None) is frame
