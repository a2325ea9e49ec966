"""Answers in pieces of any size say the same as answers in one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.multisite.health.answer import MOST_BODY_BYTES, MOST_HEAD_BYTES, Answer, answer_in

NAMES = st.text("abcxyz-", min_size=1, max_size=9)
FIELDS = st.lists(st.tuples(NAMES, st.text("abc0123 ,;", max_size=20)), max_size=4)


@given(code=st.integers(200, 599), fields=FIELDS, body=st.binary(max_size=50), cut=st.integers(0, 400))
def test_an_answer_is_known_once_its_head_is_whole_and_not_before(
    code: int, fields: list[tuple[str, str]], body: bytes, cut: int
) -> None:
    lines = [f"HTTP/1.1 {code} x", *(f"{name}: {value}" for name, value in fields), f"Content-Length: {len(body)}"]
    head = "\r\n".join([*lines, "", ""]).encode()
    whole = head + body
    size_bytes = len(head) if code == 204 else len(whole)
    expected = Answer(code, size_bytes)
    assert answer_in(whole) == expected
    assert answer_in(bytearray(whole[:cut])) == (expected if cut >= len(head) else None)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", 200),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\n", 200),
        (b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n", 503),
        (b"HTTP/1.1 200 OK\r\n\r\n", 200),
        (f"HTTP/1.1 200 OK\r\nContent-Length: {MOST_BODY_BYTES + 1}\r\n\r\n".encode(), 200),
    ],
)
def test_where_nothing_tells_its_end_the_connection_cannot_be_kept(text: bytes, status: int) -> None:
    assert answer_in(text) == Answer(status, None)


@pytest.mark.parametrize("text", [b"SSH-2.0-x\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 20\r\n\r\n", b"\r\n\r\n"])
def test_what_is_no_http_is_said_to_be_none(text: bytes) -> None:
    with pytest.raises(ValueError, match="'"):
        answer_in(text)


def test_a_head_without_an_end_is_not_read_for_ever() -> None:
    with pytest.raises(ValueError, match="more than"):
        answer_in(b"HTTP/1.1 200 OK\r\nX: " + b"x" * MOST_HEAD_BYTES)
