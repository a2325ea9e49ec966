"""The door of the P2P service: what is genuine, fresh and new gets in, once; nothing else does."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from harness.stack.p2p import core
from harness.stack.p2p.core import BURST, FRESH_FOR_S, MAX_CALLERS, Door, Request, key_of, key_of_token, sign

KEY = key_of(b"k" * 128)
NOW_S = 1_700_000_000.0
GOOD = Request("POST", "/leave", "n1", "n2", int(NOW_S), "00ff", b'{"a":1}')


def signed(request: Request = GOOD, key: bytes = KEY) -> Request:
    return replace(request, mac=sign(key, request))


def door() -> Door:
    return Door(lambda sender, address: KEY if (sender, address) == ("n1", "10.90.0.1") else None)


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


CHANGES = st.sampled_from(
    [
        {"method": "GET"},
        {"path": "/remove-peer"},
        {"to": "n3"},
        {"at_s": int(NOW_S) + 1},
        {"nonce": "00fe"},
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
    authkey = b"k" * 128
    keys = {authkey, key_of(authkey), key_of_token(authkey, "a"), key_of_token(authkey, "b")}
    assert len(keys) == 4
