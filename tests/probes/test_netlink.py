"""The netlink parser, on what a real kernel sent and on noise."""

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.probes.netlink import (
    Committed,
    ElementChange,
    Message,
    SetRemoved,
    gate_changes,
    messages,
    route_change,
)

# One element with a timeout of 300 ms of which 296 are left, in set "lease" of table "netdev sfha".
ELEMENT = bytes.fromhex(
    "050000050900010073666861000000000a0002006c656173650000002c000300280001000c000100080001000a000001"
    "0c000400000000000000012c0c0005000000000000000128"
)
NEW_GENERATION = bytes.fromhex("0000000508000100000000050800020000002d85080003006e667400")
SET_DELETED = bytes.fromhex("050000070900010073666861000000000c00020067756172646564000c0010000000000000000002")
TABLE_DELETED = bytes.fromhex("0500000709000100736668610000000008000300000000000c0004000000000000000001")


def test_an_element_says_what_is_left_of_it() -> None:
    assert gate_changes(Message(0x0A0C, ELEMENT), "sfha") == (ElementChange(True, "lease", "10.0.0.1", 0.296),)
    assert gate_changes(Message(0x0A0E, ELEMENT), "sfha") == (ElementChange(False, "lease", "10.0.0.1", 0.296),)


def test_other_tables_and_families_are_not_ours() -> None:
    assert gate_changes(Message(0x0A0C, ELEMENT), "sfh") == ()
    assert gate_changes(Message(0x0A0C, b"\x02" + ELEMENT[1:]), "sfha") == ()


def test_the_end_of_a_transaction_and_deletions_are_told() -> None:
    assert gate_changes(Message(0x0A0F, NEW_GENERATION), "sfha") == (Committed(),)
    assert gate_changes(Message(0x0A0B, SET_DELETED), "sfha") == (SetRemoved("guarded"),)
    assert gate_changes(Message(0x0A02, TABLE_DELETED), "sfha") == (SetRemoved(""),)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_noise_does_not_loop_or_fail(datagram: bytes) -> None:
    for message in messages(datagram):
        assert len(message.payload) <= len(datagram)


@settings(max_examples=300)
@given(st.integers(0, len(ELEMENT)), st.integers(0, len(ELEMENT) - 1), st.integers(0, 255))
def test_a_damaged_element_is_nothing_or_another_element(length: int, position: int, byte: int) -> None:
    damaged = bytearray(ELEMENT)
    damaged[position] = byte
    changes = gate_changes(Message(0x0A0C, bytes(damaged[:length])), "sfha")
    assert all(isinstance(change, ElementChange) for change in changes)


def test_a_short_route_message_is_nothing() -> None:
    assert route_change(Message(20, b"")) is None
    assert route_change(Message(99, b"x" * 40)) is None
