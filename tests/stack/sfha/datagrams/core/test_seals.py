"""Sealed datagrams: what the sender made for this receiver, in the present lives of both, comes through once."""

import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from harness.stack.sfha.datagrams.core.seals import HELLO, MESSAGE, OVERHEAD_BYTES, WINDOW, Seals

SECRET = bytes(range(32))
FIRST, SECOND, THIRD = 1, 2, 3


def life(own: int, peers: Iterable[int], secret: bytes = SECRET) -> Seals:
    """A node as it has just started; all pairs share one secret here, so that only the direction tells them apart."""
    seals = Seals(own, os.urandom(8), os.urandom(32))
    seals.set_peers(dict.fromkeys(peers, secret))
    return seals


def exchange(sender: Seals, receiver: Seals, datagram: bytes, of: int = FIRST, to: int = SECOND) -> list[bytes]:
    """Bring a datagram to the receiver, and all that it leads to back and forth; the receiver's messages."""
    here, there, messages = [datagram], list[bytes](), list[bytes]()
    for _ in range(20):
        if not here and not there:
            return messages
        for one in here:
            opened = receiver.open(of, one)
            assert opened is not None
            messages += [opened.message] if opened.message is not None else []
            there += opened.replies
        here = []
        for one in there:
            answered = sender.open(to, one)
            here += answered.replies if answered is not None else ()
        there = []
    raise AssertionError("they never come to an end")


@pytest.fixture
def pair() -> tuple[Seals, Seals]:
    """Two nodes that know each other."""
    one, other = life(FIRST, [SECOND, THIRD]), life(SECOND, [FIRST, THIRD])
    assert exchange(one, other, one.seal(SECOND, b"hello")) == [b"hello"]
    assert heard(one, other.seal(FIRST, b"hello"), of=SECOND) == b"hello"
    return one, other


def heard(receiver: Seals, datagram: bytes, of: int = FIRST) -> bytes | None:
    opened = receiver.open(of, datagram)
    return opened.message if opened is not None else None


def test_what_is_said_first_is_heard_after_three_datagrams() -> None:
    one, other = life(FIRST, [SECOND]), life(SECOND, [FIRST])
    asking = other.open(FIRST, one.seal(SECOND, b"first"))
    assert asking is not None
    assert asking.message is None
    welcomed = one.open(SECOND, asking.replies[0])
    assert welcomed is not None
    assert [heard(other, reply) for reply in welcomed.replies] == [None, b"first"]
    assert one.open(SECOND, other.seal(FIRST, b"back")) is not None


def test_messages_come_through_once_in_any_order(pair: tuple[Seals, Seals]) -> None:
    one, other = pair
    sent = [one.seal(SECOND, bytes([number])) for number in range(WINDOW)]
    assert [heard(other, each) for each in reversed(sent)] == [bytes([number]) for number in reversed(range(WINDOW))]
    assert [heard(other, each) for each in sent] == [None] * WINDOW
    assert other.replayed == WINDOW


def test_what_comes_too_late_is_not_taken(pair: tuple[Seals, Seals]) -> None:
    one, other = pair
    late = one.seal(SECOND, b"late")
    for _ in range(WINDOW):
        assert heard(other, one.seal(SECOND, b"soon")) == b"soon"
    assert heard(other, late) is None


def test_a_direction_is_no_other_and_a_receiver_no_other(pair: tuple[Seals, Seals]) -> None:
    one, other = pair
    datagram = one.seal(SECOND, b"to the second")
    assert one.open(SECOND, datagram) is None, "a datagram was thrown back at its sender"
    assert other.open(THIRD, datagram) is None, "the third is not who made it"
    third = life(THIRD, [FIRST, SECOND])
    assert third.open(FIRST, datagram) is None, "it was made for the second"


def test_every_bit_counts(pair: tuple[Seals, Seals]) -> None:
    one, other = pair
    for datagram in (one.seal(SECOND, b"message"), one.hello(SECOND)):
        for bit in range(len(datagram) * 8):
            changed = bytearray(datagram)
            changed[bit // 8] ^= 1 << bit % 8
            assert other.open(FIRST, bytes(changed)) is None
        for length in range(len(datagram)):
            assert other.open(FIRST, datagram[:length]) is None


def test_what_was_recorded_before_the_receiver_started_is_worth_nothing(pair: tuple[Seals, Seals]) -> None:
    one, _ = pair
    recorded = [one.seal(SECOND, b"lead") for _ in range(10)]
    again = life(SECOND, [FIRST, THIRD])
    assert [heard(again, each) for each in recorded] == [None] * 10
    assert exchange(one, again, one.seal(SECOND, b"lost"), FIRST, SECOND) == []
    assert heard(again, one.seal(SECOND, b"present")) == b"present"
    assert [heard(again, each) for each in recorded] == [None] * 10


def test_what_was_recorded_before_the_sender_started_is_worth_nothing(pair: tuple[Seals, Seals]) -> None:
    one, other = pair
    withheld = one.seal(SECOND, b"withheld")
    again = life(FIRST, [SECOND, THIRD])
    assert exchange(again, other, again.seal(SECOND, b"new")) == [b"new"]
    assert heard(other, withheld) is None
    assert heard(other, again.seal(SECOND, b"goes on")) == b"goes on"


def test_old_hellos_take_nobodys_place(pair: tuple[Seals, Seals]) -> None:
    one, other = pair
    old = [one.hello(SECOND) for _ in range(3)]
    stale = other.open(FIRST, life(FIRST, [SECOND]).hello(SECOND))
    assert stale is not None
    again = life(FIRST, [SECOND, THIRD])
    exchange(again, other, again.seal(SECOND, b"new"))
    for each in old:
        other.open(FIRST, each)
    for each in stale.replies:  # a welcome for another life
        again.open(SECOND, each)
    assert heard(other, again.seal(SECOND, b"goes on")) == b"goes on"


def test_who_is_no_member_any_more_is_not_heard_and_its_return_forgives_no_replay(pair: tuple[Seals, Seals]) -> None:
    one, other = pair
    recorded = one.seal(SECOND, b"recorded")
    assert heard(other, recorded) == b"recorded"
    other.set_peers({THIRD: SECRET})
    assert other.open(FIRST, one.seal(SECOND, b"out")) is None
    other.set_peers({FIRST: SECRET, THIRD: SECRET})
    assert heard(other, recorded) is None
    exchange(one, other, one.seal(SECOND, b"-"))
    assert heard(other, recorded) is None


def test_a_change_of_the_others_leaves_a_peer_alone(pair: tuple[Seals, Seals]) -> None:
    one, other = pair
    other.set_peers({FIRST: SECRET, 4: SECRET})
    assert heard(other, one.seal(SECOND, b"still")) == b"still"


def test_another_key_is_no_key(pair: tuple[Seals, Seals]) -> None:
    _, other = pair
    stranger = life(FIRST, [SECOND], secret=bytes(32))
    assert other.open(FIRST, stranger.seal(SECOND, b"x")) is None


@given(st.binary(max_size=600), st.sampled_from([None, MESSAGE, HELLO]))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise_is_nothing(noise: bytes, kind: int | None) -> None:
    receiver = life(SECOND, [FIRST])
    assert receiver.open(FIRST, noise if kind is None else bytes([kind]) + noise) is None
    assert receiver.open(9, noise) is None


@dataclass
class Wire:
    """All that was ever sent, by sender and receiver: whoever listens can send it again at any time."""

    sent: list[tuple[int, int, bytes]] = field(default_factory=list)


class Lives(RuleBasedStateMachine):
    """Two nodes that restart, a network that loses, repeats, delays without end: nothing is taken twice or too late."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes = {FIRST: life(FIRST, [SECOND]), SECOND: life(SECOND, [FIRST])}
        self.starts = {FIRST: 0, SECOND: 0}
        self.wire = Wire()
        self.said = 0
        self.made_in: dict[bytes, tuple[int, int]] = {}
        self.newest_heard = {FIRST: 0, SECOND: 0}
        self.taken: set[bytes] = set()

    @rule(sender=st.sampled_from([FIRST, SECOND]))
    def says(self, sender: int) -> None:
        self.said += 1
        to = FIRST + SECOND - sender
        message = struct.pack(">QB", self.said, sender)
        self.made_in[message] = (self.starts[sender], self.starts[to])
        self.wire.sent.append((sender, to, self.nodes[sender].seal(to, message)))

    @precondition(lambda self: self.wire.sent)
    @rule(data=st.data())
    def brings(self, data: st.DataObject) -> None:
        newest = len(self.wire.sent) - 1
        at = data.draw(st.integers(0, newest) | st.just(newest) | st.integers(max(0, newest - 3), newest))
        sender, to, datagram = self.wire.sent[at]
        opened = self.nodes[to].open(sender, datagram)
        if opened is None:
            return
        self.wire.sent += [(to, sender, reply) for reply in opened.replies]
        if opened.message is not None:
            self.took(sender, to, opened.message)

    def took(self, sender: int, to: int, message: bytes) -> None:
        assert message not in self.taken, "taken twice"
        self.taken.add(message)
        of_sender, of_receiver = self.made_in[message]
        assert message[-1] == sender
        assert of_receiver <= self.starts[to]
        assert of_sender >= self.newest_heard[sender], "a life that was over is back"
        self.newest_heard[sender] = of_sender

    @rule(who=st.sampled_from([FIRST, SECOND]))
    def starts_again(self, who: int) -> None:
        other = FIRST + SECOND - who
        self.nodes[who] = life(who, [other])
        self.starts[who] += 1
        self.newest_heard[other] = 0

    @invariant()
    def they_find_each_other(self) -> None:
        """Whatever was repeated before: three datagrams later both are heard."""
        if self.said % 5 or not self.wire.sent:
            return
        self.said += 1
        for sender, to in ((FIRST, SECOND), (SECOND, FIRST)):
            message = struct.pack(">QB", self.said, sender)
            self.made_in[message] = (self.starts[sender], self.starts[to])
            for _ in range(2):  # the first may go to a life that is over
                datagrams = [(sender, to, self.nodes[sender].seal(to, message))]
                while datagrams:
                    source, target, datagram = datagrams.pop(0)
                    self.wire.sent.append((source, target, datagram))
                    opened = self.nodes[target].open(source, datagram)
                    if opened is None:
                        continue
                    datagrams += [(target, source, reply) for reply in opened.replies]
                    if opened.message is not None and opened.message not in self.taken:
                        self.took(source, target, opened.message)
            assert message in self.taken, "they do not find each other"


Lives.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_lives = Lives.TestCase


def test_the_overhead_is_what_it_is_said_to_be(pair: tuple[Seals, Seals]) -> None:
    one, _ = pair
    assert len(one.seal(SECOND, b"x" * 100)) == 100 + OVERHEAD_BYTES
