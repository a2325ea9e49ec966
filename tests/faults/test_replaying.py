"""What a stranger makes of what it has heard."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from harness.errors import UsageError
from harness.faults.packets import ReplayDatagrams
from harness.faults.replaying import Captured, mutated, payload_of, sent_again
from harness.topology import Topology, load
from tests.clusters import TOPOLOGY, unstarted

STRANGER, TARGET = "06:00:00:00:00:01", "02:00:00:00:00:01"


def said(payload: bytes, protocol: object = None) -> bytes:
    """A frame as it is heard before it leaves its host: its sums are not made yet."""
    segment = protocol or UDP(sport=5000, dport=51820, chksum=0x1234)
    return bytes(
        Ether(src="02:00:00:00:00:02", dst=TARGET) / IP(src="10.0.0.2", dst="10.0.0.1") / segment / Raw(payload)
    )


@pytest.mark.parametrize(
    "segment", [None, TCP(sport=5000, dport=6379, flags="PA", chksum=0x1234, options=[("NOP", 0)])]
)
def test_what_is_sent_again_is_the_same_but_for_who_sends_it_and_sums_that_are_right(segment: object) -> None:
    frame = said(b"hello", segment) + b"\0" * 6  # as padded by a card
    again = Ether(sent_again(frame, STRANGER, TARGET))
    assert (again.src, again.dst) == (STRANGER, TARGET)
    assert (again[IP].src, again[IP].dst) == ("10.0.0.2", "10.0.0.1")
    assert payload_of(bytes(again)) == payload_of(frame) == b"hello"
    right = Ether(bytes(again))
    layer = right.getlayer(UDP) or right.getlayer(TCP)
    found, layer.chksum = layer.chksum, None
    del right[IP].chksum
    rebuilt = Ether(bytes(right))
    assert found == (rebuilt.getlayer(UDP) or rebuilt.getlayer(TCP)).chksum != 0x1234
    assert again[IP].chksum == rebuilt[IP].chksum
    assert again[IP].len == rebuilt[IP].len == len(bytes(rebuilt[IP]))


def test_what_is_sent_changed_has_the_length_that_it_has() -> None:
    again = Ether(sent_again(said(b"hello"), STRANGER, TARGET, b"something longer"))
    assert payload_of(bytes(again)) == b"something longer"
    assert again[UDP].len == 8 + 16


@given(st.binary(min_size=1, max_size=1400), st.binary(min_size=1, max_size=1400), st.integers(0, 2**32))
def test_what_is_changed_is_another_and_fits(payload: bytes, other: bytes, seed: int) -> None:
    made = mutated(payload, other, random.Random(seed))
    assert made == mutated(payload, other, random.Random(seed))
    assert made != payload or len(payload) >= 1400
    assert len(made) <= 1400


def test_every_way_to_change_something_is_taken() -> None:
    made = [mutated(bytes(range(40)), b"x" * 40, random.Random(seed)) for seed in range(200)]
    assert any(len(one) < 40 for one in made)
    assert any(len(one) > 40 for one in made)
    assert any(len(one) == 40 and b"x" not in one for one in made)
    assert any(one.endswith(b"xxx") for one in made)


def test_of_what_is_heard_the_newest_is_kept_and_each_thing_once() -> None:
    kept = Captured(kept=2)
    for payload in (b"one", b"two", b"two", b"", b"three"):
        kept.take(said(payload))
    assert len(kept) == 2
    assert [payload in kept for payload in (b"one", b"two", b"three", b"")] == [False, True, True, False]
    assert {payload_of(kept.drawn(random.Random(seed))) for seed in range(20)} == {b"two", b"three"}


def test_what_was_cut_short_when_it_was_heard_is_not_sent_again() -> None:
    kept = Captured()
    kept.take(said(b"x" * 1500))
    assert not kept


def test_a_stranger_is_in_one_network_only() -> None:
    cluster = unstarted(Topology.from_json({**load(TOPOLOGY).to_json(), "lan": "routed"}))
    with pytest.raises(UsageError, match="in several networks"):
        ReplayDatagrams("all", port=7)._meant(cluster)
