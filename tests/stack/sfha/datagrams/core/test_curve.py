"""X25519 beside the vectors of RFC 7748 and a well-known implementation."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stack.sfha.datagrams.core.curve import WrongKey, key_from_text, shared_secret

VECTORS = (
    (
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    ),
    (
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    ),
)
LOW_ORDER = (
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    (2**255 - 20).to_bytes(32, "little"),
    (2**255 - 19).to_bytes(32, "little"),
)


@pytest.mark.parametrize(("private", "public", "shared"), VECTORS)
def test_the_vectors_of_the_standard(private: str, public: str, shared: str) -> None:
    assert shared_secret(bytes.fromhex(private), bytes.fromhex(public)).hex() == shared


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
@settings(max_examples=100, deadline=None)
def test_it_says_what_others_say(private: bytes, public: bytes) -> None:
    try:
        expected = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:  # a point of low order
        with pytest.raises(WrongKey):
            shared_secret(private, public)
        return
    assert shared_secret(private, public) == expected


@pytest.mark.parametrize("public", LOW_ORDER)
def test_the_keys_of_nobody_are_refused(public: bytes) -> None:
    with pytest.raises(WrongKey):
        shared_secret(bytes(range(32)), public)


@pytest.mark.parametrize("text", ["", "?", "AAAA", base64.b64encode(bytes(33)).decode(), "é"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(WrongKey):
        key_from_text(text)
