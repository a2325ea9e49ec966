"""The door of the P2P service: what is genuine, fresh and new gets in, once; nothing else does."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.sfha.p2p import core
from harness.stack.sfha.p2p.core import (
    BURST,
    FRESH_FOR_S,
    MAX_CALLERS,
    STRANGERS,
    Door,
    Request,
    key_of_cluster,
    key_of_pair,
    key_of_token,
    nonce_for,
    sign,
)

KEY = key_of_pair(b"k" * 32)
NOW_S = 1_700_000_000.0
LIFE = "l" * 16
GOOD = Request("POST", "/leave", "n1", "n2", int(NOW_S), nonce_for("00ff", LIFE), b'{"a":1}')


def signed(request: Request = GOOD, key: bytes = KEY) -> Request:
    return replace(request, mac=sign(key, request))


def door() -> Door:
    return Door(lambda sender, address: (KEY,) if (sender, address) == ("n1", "10.90.0.1") else (), LIFE)


def test_a_genuine_request_gets_in_once() -> None:
    one = door()
    assert one.admit(signed(), "10.90.0.1", NOW_S) == KEY
    assert one.admit(signed(), "10.90.0.1", NOW_S) is None


def test_whoever_calls_from_elsewhere_or_late_or_early_does_not() -> None:
    assert door().admit(signed(), "10.90.0.3", NOW_S) is None
    assert door().admit(signed(replace(GOOD, sender="n9")), "10.90.0.1", NOW_S) is None
    for wall_s in (NOW_S - FRESH_FOR_S - 1, NOW_S + FRESH_FOR_S + 1):
        assert door().admit(signed(), "10.90.0.1", wall_s) is None


def test_a_replay_is_refused_as_long_as_its_time_is_good() -> None:
    one = door()
    assert one.admit(signed(), "10.90.0.1", NOW_S - FRESH_FOR_S) == KEY
    assert one.admit(signed(), "10.90.0.1", NOW_S + FRESH_FOR_S) is None


@pytest.mark.parametrize("waited_s", [0, 1, 2 * FRESH_FOR_S])
def test_what_was_signed_for_an_earlier_life_is_not_carried_out_again(waited_s: float) -> None:
    request = signed()
    assert door().admit(request, "10.90.0.1", NOW_S) == KEY
    again = Door(lambda _sender, _address: (KEY,), "m" * 16)
    assert again.admit(request, "10.90.0.1", NOW_S + waited_s) is None
    fresh = signed(replace(GOOD, nonce=nonce_for("00ff", "m" * 16)))
    assert again.admit(fresh, "10.90.0.1", NOW_S) == KEY


@pytest.mark.parametrize("life", ["", "m" * 16])
def test_who_is_genuine_and_knows_no_life_is_told_it_and_nobody_else(life: str) -> None:
    one, request = door(), signed(replace(GOOD, nonce=nonce_for("00ff", life)))
    assert one.admit(request, "10.90.0.1", NOW_S) is None
    assert one.greet(request, "10.90.0.1", NOW_S) == KEY
    assert one.greet(request, "10.90.0.3", NOW_S) is None
    assert one.greet(request, "10.90.0.1", NOW_S + FRESH_FOR_S + 1) is None
    assert one.greet(replace(request, mac="0" * 64), "10.90.0.1", NOW_S) is None
    assert one.greet(signed(), "10.90.0.1", NOW_S) is None, "it knows the life, and needs no greeting"


def test_a_sender_of_before_may_leave_the_life_out_and_not_name_a_wrong_one() -> None:
    one = Door(lambda _sender, _address: (KEY,), LIFE, is_older=lambda sender: sender == "n1")
    assert one.admit(signed(replace(GOOD, nonce="00ff")), "10.90.0.1", NOW_S) == KEY
    assert one.admit(signed(replace(GOOD, nonce=nonce_for("00fe", "m" * 16))), "10.90.0.1", NOW_S) is None
    assert one.admit(signed(replace(GOOD, sender="n3", nonce="00ff")), "10.90.0.1", NOW_S) is None


def test_all_strangers_have_one_share_together() -> None:
    one = Door(lambda _sender, _address: (), LIFE, knows=lambda address: address == "10.90.0.1")
    assert one.caller("10.90.0.1") == "10.90.0.1"
    assert one.caller("10.90.0.7") == one.caller("10.90.0.8") == STRANGERS


CHANGES = st.sampled_from(
    [
        {"method": "GET"},
        {"path": "/remove-peer"},
        {"to": "n3"},
        {"at_s": int(NOW_S) + 1},
        {"nonce": nonce_for("00fe", LIFE)},
        {"nonce": "00ff"},
        {"nonce": nonce_for("00ff", "m" * 16)},
        {"body": b'{"a":2}'},
        {"mac": "0" * 64},
        {"mac": ""},
        {"mac": "é"},
    ]
)


@given(CHANGES)
def test_whatever_is_changed_is_noticed(change: dict[str, object]) -> None:
    assert door().admit(replace(signed(), **change), "10.90.0.1", NOW_S) is None  # type: ignore[arg-type]


def test_a_flood_of_numbers_makes_it_deaf_and_not_forgetful() -> None:
    one = door()
    for number in range(core.MAX_NUMBERS):
        one._numbers[str(number)] = NOW_S + 1
    assert one.admit(signed(), "10.90.0.1", NOW_S) is None
    assert one.admit(signed(), "10.90.0.1", NOW_S + 2) == KEY


def test_who_knocks_too_often_has_to_wait() -> None:
    one = door()
    assert sum(one.may_knock("10.90.0.9", 5.0) for _ in range(1000)) == BURST
    assert one.may_knock("10.90.0.1", 5.0)
    assert one.may_knock("10.90.0.9", 5.1)


def test_callers_do_not_fill_the_memory() -> None:
    one = door()
    for number in range(2 * MAX_CALLERS):
        one.may_knock(str(number), 1.0)
    assert len(one._buckets) <= MAX_CALLERS


def test_each_key_is_good_for_one_thing() -> None:
    secret = b"k" * 32
    made = (key_of_pair(secret), key_of_cluster(secret), key_of_token(secret, "a"), key_of_token(secret, "b"))
    assert len({secret, *made}) == 5
