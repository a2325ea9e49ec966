"""Join tokens: what is encoded is what is decoded, and nothing else is."""

import base64
import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.sfha.token.core import (
    PREFIX,
    VERSION,
    Reply,
    Token,
    TokenError,
    TokenPeer,
    allocate,
    decode,
    encode,
    encode_reply,
    read_reply,
    reply_is_genuine,
)

TOKEN = Token(
    token_id="0123456789abcdef",
    cluster="demo",
    seeder="n1",
    endpoint="192.0.2.1:51820",
    public_key="PUBLIC",
    auth_key="QVVUSA==",
    introduction_key="INTRODUCTION",
    mesh_network="10.90.0.0/24",
    mesh_ip="10.90.0.1",
    corosync_port=5405,
    assigned_ip="10.90.0.3",
    used_ips=("10.90.0.1", "10.90.0.2"),
    peers=(TokenPeer("n2", "KEY2", "192.0.2.2:51820", "10.90.0.2"),),
    issued_at_s=1000,
    expires_at_s=4600,
)


def test_what_is_encoded_is_what_is_decoded() -> None:
    text = encode(TOKEN)
    assert text.startswith(PREFIX)
    assert decode(f"  {text}\n", 4599) == TOKEN


def test_it_expires() -> None:
    with pytest.raises(TokenError, match=r"expired 10 s ago; make a new one with `sfha token` on n1"):
        decode(encode(TOKEN), 4610)


def test_a_longer_life_cannot_be_written_into_it() -> None:
    value = json.loads(base64.urlsafe_b64decode(encode(TOKEN).removeprefix(PREFIX) + "=="))
    value["expires_at_s"] += 10_000
    longer = PREFIX + base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
    with pytest.raises(TokenError, match="changed on its way"):
        decode(longer, 5000)


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_a_changed_character_is_noticed(place: int, character: str) -> None:
    text = encode(TOKEN)
    place = len(PREFIX) + place % (len(text) - len(PREFIX))
    changed = text[:place] + character + text[place + 1 :]
    found = None
    with suppress(TokenError):
        found = decode(changed, 2000)
    assert found in (None, TOKEN)


@given(st.text(max_size=200))
def test_noise_is_refused(noise: str) -> None:
    for text in (noise, PREFIX + noise):
        with pytest.raises(TokenError):
            decode(text, 0)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
    )
)
def test_other_json_is_refused(value: object) -> None:
    text = PREFIX + base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
    with pytest.raises(TokenError):
        decode(text, 0)


def test_another_version_says_so() -> None:
    value = {"version": VERSION + 1}
    with pytest.raises(TokenError, match=f"version {VERSION + 1}"):
        decode(PREFIX + base64.urlsafe_b64encode(json.dumps(value).encode()).decode(), 0)


def test_a_reply_is_good_for_its_token_only() -> None:
    reply = Reply(TOKEN.token_id, "n3", "KEY3", "192.0.2.3:51820", "10.90.0.3")
    found, mac = read_reply(encode_reply(reply, TOKEN.auth_key))
    assert found == reply
    assert reply_is_genuine(found, mac, TOKEN.auth_key)
    assert not reply_is_genuine(found, mac, "QU5PVEhFUg==")
    assert not reply_is_genuine(replace(found, name="n4"), mac, TOKEN.auth_key)


# --- addresses -----------------------------------------------------------------------------------


@given(st.integers(20, 30), st.data())
def test_addresses_stay_inside_and_are_never_given_twice(prefix: int, data: st.DataObject) -> None:
    network = f"10.90.0.0/{prefix}"
    taken: list[str] = []
    for _ in range(data.draw(st.integers(1, 6))):
        try:
            taken.append(allocate(network, taken))
        except TokenError:
            assert len(taken) == 2 ** (32 - prefix) - 2
            return
    assert len(set(taken)) == len(taken)
    assert not {"10.90.0.0"} & set(taken)


def test_an_address_that_somebody_had_is_given_last() -> None:
    assert allocate("10.90.0.0/29", ["10.90.0.1"], ["10.90.0.2"]) == "10.90.0.3"
    assert allocate("10.90.0.0/30", ["10.90.0.1"], ["10.90.0.2"]) == "10.90.0.2"


@pytest.mark.parametrize("wanted", ["10.90.0.0", "10.90.0.255", "10.91.0.5", "fd00::1", "hello", "10.90.0.1"])
def test_an_address_that_cannot_be_had_is_refused(wanted: str) -> None:
    with pytest.raises(TokenError):
        allocate("10.90.0.0/24", ["10.90.0.1"], wanted=wanted)


def test_a_huge_network_is_no_trouble() -> None:
    assert allocate("10.0.0.0/8", ["10.0.0.1"], ["10.0.0.2"]) == "10.0.0.3"
