"""Datagrams: what is sent is what is read, and anything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.sfha.datagrams.core import encoding
from harness.stack.sfha.election.core import Duty, Heartbeat
from harness.stack.sfha.lease.core import Release, Request, Vote

NUMBERS = st.integers(0, 2**48 - 1)
MESSAGES = st.one_of(
    st.builds(Request, NUMBERS, NUMBERS),
    st.builds(Release, NUMBERS, NUMBERS),
    st.builds(Vote, NUMBERS, NUMBERS, st.booleans(), st.floats(0, 10).map(lambda wait_s: round(wait_s, 6))),
    st.builds(
        Heartbeat,
        NUMBERS,
        NUMBERS,
        st.booleans(),
        st.booleans(),
        st.booleans(),
        NUMBERS,
        st.none() | st.integers(1, 99),
        duty=st.builds(
            Duty,
            st.booleans(),
            st.booleans(),
            NUMBERS,
            lacks=st.integers(0, 64),
            reluctant=st.lists(st.from_regex(r"[a-z][a-z-]{0,23}", fullmatch=True), max_size=8).map(tuple),
        ),
    ),
)


@given(MESSAGES)
def test_what_is_sent_is_what_is_read(message: encoding.Message) -> None:
    datagram = encoding.encode(message)
    assert len(datagram) <= encoding.MAX_DATAGRAM_BYTES
    assert encoding.decode(datagram) == message


def test_a_heartbeat_of_a_node_that_lacks_nothing_is_what_it_always_was() -> None:
    """Daemons of before take part while a cluster is upgraded."""
    beat = Heartbeat(1, 2, False, True, True, 7, None)
    assert encoding.encode(beat) == b'[1,"beat",1,2,false,true,true,7,null,0,false,false,0,0,0,null,0]'


@pytest.mark.parametrize("rest", [b"0", b"-1", b"true", b"1.5", b"1,1", b'"1"', b"null", b"[]"])
def test_what_a_node_lacks_is_a_number(rest: bytes) -> None:
    with pytest.raises(ValueError, match="not a message"):
        encoding.decode(b'[1,"beat",1,2,false,true,true,7,null,0,false,false,0,0,0,null,0,' + rest + b"]")


@pytest.mark.parametrize(
    "rest",
    [b'"disk"', b'-1,"disk"', b'true,"disk"', b'0,"Disk"', b'0,""', b'0,"disk",1', b"0," + b",".join([b'"disk"'] * 9)],
)
def test_why_a_node_is_reluctant_are_a_few_names_after_what_it_lacks(rest: bytes) -> None:
    with pytest.raises(ValueError, match="not a message"):
        encoding.decode(b'[1,"beat",1,2,false,true,true,7,null,0,false,false,0,0,0,null,0,' + rest + b"]")


@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        encoding.decode(noise)


@pytest.mark.parametrize(
    "datagram",
    [b"[1]", b'[2,"request",1,1]', b"{}", b'[1,"request",1]', b'[1,"request","1",1]', b'[1,"vote",1,1,1,0]', b"["],
)
def test_almost_a_message_is_refused(datagram: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        encoding.decode(datagram)
