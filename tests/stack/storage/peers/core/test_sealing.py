"""Whoever has not the key can say nothing, and what was said once cannot be said again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.peers.core.report import BadReport
from harness.stack.storage.peers.core.sealing import KEY_BYTES, NONCE_BYTES, opened, written

KEY, OURS, THEIRS = b"k" * KEY_BYTES, b"o" * NONCE_BYTES, b"t" * NONCE_BYTES
ASKED = written(KEY, "asks", ("n1", "n2"), (THEIRS, OURS), b'{"a": 1}')


def test_what_is_sealed_is_heard() -> None:
    assert opened(KEY, "asks", "n2", ASKED, given=OURS) == ("n1", THEIRS, {"a": 1})
    answered = written(KEY, "answers", ("n2", "n1"), (THEIRS, OURS), b"[]")
    assert opened(KEY, "answers", "n1", answered, given=THEIRS, known_nonce=OURS) == ("n2", OURS, [])


def test_nobody_says_it_again_or_to_others_or_as_an_answer() -> None:
    for change in (
        {"given": b"x" * NONCE_BYTES},  # played again: our nonce is another one by now
        {"receiver": "n3"},
        {"side": "answers"},
        {"key": b"z" * KEY_BYTES},
    ):
        arguments = {"key": KEY, "side": "asks", "receiver": "n2", "given": OURS} | change
        with pytest.raises(BadReport):
            opened(content=ASKED, **arguments)  # type: ignore[arg-type]
    with pytest.raises(BadReport, match="nonce"):
        opened(KEY, "asks", "n2", ASKED, given=OURS, known_nonce=b"x" * NONCE_BYTES)


@given(st.sampled_from(["from", "to", "nonce", "body", "seal"]), st.text(max_size=8))
def test_nothing_in_it_can_be_changed(name: str, value: str) -> None:
    document = json.loads(ASKED)
    changed = json.dumps(document | {name: document[name] + value}).encode()
    if not value:
        assert opened(KEY, "asks", "n2", changed, given=OURS)[0] == "n1"
        return
    with pytest.raises(BadReport):
        opened(KEY, "asks", "n2", changed, given=OURS)


@given(
    st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(lambda one: json.dumps(one).encode())
)
def test_whatever_comes_in_is_refused_and_not_more(content: bytes) -> None:
    with pytest.raises(BadReport):
        opened(KEY, "asks", "n2", content, given=OURS)
