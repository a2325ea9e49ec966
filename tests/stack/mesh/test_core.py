"""The text WireGuard is told."""

from itertools import pairwise

import pytest

from harness.stack.mesh.core import HandshakeCare, Silence, TunnelPeer, render_setconf


def test_each_peer_may_use_its_own_address_only() -> None:
    text = render_setconf("secret=", 51820, [TunnelPeer("a=", "10.0.0.2:51820", "10.90.0.2")])
    assert text.splitlines() == [
        "[Interface]",
        "PrivateKey = secret=",
        "ListenPort = 51820",
        "",
        "[Peer]",
        "PublicKey = a=",
        "AllowedIPs = 10.90.0.2/32",
        "Endpoint = 10.0.0.2:51820",
    ]


def test_peers_that_begin_are_given_no_endpoint() -> None:
    peers = [TunnelPeer("a=", "10.0.0.2:51820", "10.90.0.2"), TunnelPeer("b=", "10.0.0.3:51820", "10.90.0.3")]
    text = render_setconf("secret=", 51820, peers, waits_for=["a="])
    assert "10.0.0.2:51820" not in text
    assert "Endpoint = 10.0.0.3:51820" in text
    assert "AllowedIPs = 10.90.0.2/32" in text


NO_HANDSHAKE = Silence(None, None)


def test_a_peer_without_a_handshake_is_set_anew_ever_more_seldom() -> None:
    care = HandshakeCare()
    due_s = [tick / 100 for tick in range(4000) if care.overdue({"a=": NO_HANDSHAKE}, ["a="], tick / 100)]
    pauses_s = [later - earlier for earlier, later in pairwise([0.0, *due_s])]
    assert pauses_s[:4] == pytest.approx([0.3, 0.45, 0.675, 1.0125], abs=0.011)
    assert max(pauses_s) == pytest.approx(2.0, abs=0.011)


def test_the_other_side_lets_it_begin() -> None:
    care = HandshakeCare()
    due_s = [tick / 10 for tick in range(100) if care.overdue({"a=": NO_HANDSHAKE}, [], tick / 10)]
    assert due_s[0] == 0.6


def test_a_silent_peer_with_keys_that_worked_is_left_alone() -> None:
    care = HandshakeCare()
    assert not any(
        care.overdue({"a=": Silence(20.0 + now_s, 70.0 + now_s)}, ["a="], float(now_s)) for now_s in range(100)
    )


def test_keys_under_which_nothing_was_ever_heard_count_for_nothing() -> None:
    care = HandshakeCare()
    silences = {"a=": Silence(None, 3.0), "b=": Silence(9.0, 3.0)}
    assert care.overdue(silences, ["a=", "b="], 0.0) == []
    assert care.overdue(silences, ["a=", "b="], 0.4) == ["a=", "b="]


def test_a_peer_whose_keys_have_expired_is_set_anew() -> None:
    care = HandshakeCare()
    assert care.overdue({"a=": Silence(100.0, 181.0)}, ["a="], 0.0) == []
    assert care.overdue({"a=": Silence(100.4, 181.4), "b=": Silence(1.0, 3.0)}, ["a="], 0.4) == ["a="]


def test_a_peer_that_answers_starts_from_the_beginning() -> None:
    care = HandshakeCare()
    for now_s in range(20):
        care.overdue({"a=": NO_HANDSHAKE}, ["a="], float(now_s))
    assert care.overdue({}, ["a="], 21.0) == []
    assert care.overdue({"a=": NO_HANDSHAKE}, ["a="], 22.0) == []
    assert care.overdue({"a=": NO_HANDSHAKE}, ["a="], 22.4) == ["a="]
