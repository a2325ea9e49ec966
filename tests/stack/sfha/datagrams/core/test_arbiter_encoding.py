"""What arbiters say to each other, as datagrams."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.sfha.claim.arbiter_messages import ArbiterMessage
from harness.stack.sfha.claim.messages import Ask, Ballot, Claim, Over, Stored, Tell
from harness.stack.sfha.datagrams.core import arbiter_encoding, encoding
from harness.stack.sfha.fencing.messages import Note, Pardon

ROUNDS = st.integers(0, 2**40)
BALLOTS = st.builds(Ballot, ROUNDS, st.integers(0, 2**31 - 1))
MESSAGES = st.one_of(
    st.builds(Ask, BALLOTS, st.booleans(), BALLOTS),
    st.builds(Tell, BALLOTS, st.booleans(), st.booleans(), st.builds(Stored, BALLOTS, st.builds(Claim, BALLOTS))),
    st.builds(Over, BALLOTS),
    st.builds(Pardon, st.integers(1, 99), st.integers(0, 10**6).map(float)),
    st.builds(
        Note,
        *(st.integers(1, 99), st.integers(1, 99), st.integers(0, 10**6).map(float), st.booleans()),
        st.none() | st.booleans(),
        st.text(max_size=200),
    ),
)


@given(MESSAGES)
def test_what_is_sent_is_what_is_read(message: ArbiterMessage) -> None:
    datagram = arbiter_encoding.encode(message)
    assert len(datagram) <= encoding.MAX_DATAGRAM_BYTES
    if isinstance(message, Note):
        message = dataclasses.replace(message, error=message.error[: arbiter_encoding.MAX_ERROR_CHARACTERS])
    assert encoding.decode(datagram) == message


@pytest.mark.parametrize("parts", [["ask"], ["tell", 1], ["over", "x", 2], ["note", 1, 2, -1.0, True, None, ""]])
def test_nonsense_is_refused(parts: list[object]) -> None:
    with pytest.raises(ValueError, match="not a message"):
        encoding.decode(json.dumps([1, *parts]).encode())
