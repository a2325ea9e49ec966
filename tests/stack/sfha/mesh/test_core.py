"""The text WireGuard is told."""

from dataclasses import replace
from itertools import pairwise

import pytest

from harness.stack.kit.wireguard_peers import SeenPeer
from harness.stack.sfha.mesh.core import (
    KEEPALIVE_S,
    LAST_NUDGE_S,
    PATIENT_NUDGE_S,
    Ear,
    Endpoints,
    HandshakeCare,
    Silence,
    TunnelPeer,
    change_of,
    only_handshakes,
    render_setconf,
)


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
        "PersistentKeepalive = 25",
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


def test_a_peer_that_shakes_hands_in_vain_is_soon_given_time() -> None:
    """It may be well and silent: its keep-alive comes no sooner than after KEEPALIVE_S."""
    care, set_at_s = HandshakeCare(), [0.0]
    for tick in range(1200):
        now_s = tick / 10
        if care.overdue({"a=": Silence(None, now_s - set_at_s[-1])}, ["a="], now_s):
            set_at_s.append(now_s)
    pauses_s = [later - earlier for earlier, later in pairwise(set_at_s)]
    assert max(pauses_s[:4]) <= LAST_NUDGE_S
    assert min(pauses_s[4:]) >= PATIENT_NUDGE_S > KEEPALIVE_S


LEARNT = SeenPeer("a=", "198.51.100.7:40001", "10.90.0.2/32", 1700000000, 4096, KEEPALIVE_S)
ANNOUNCED = TunnelPeer("a=", "172.16.0.2:51820", "10.90.0.2")


def test_a_learnt_endpoint_is_not_written_over() -> None:
    assert change_of(ANNOUNCED, LEARNT) is None
    moved = replace(ANNOUNCED, address="10.90.0.9")
    assert change_of(moved, LEARNT) == replace(moved, endpoint="")


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (None, ANNOUNCED),
        (replace(LEARNT, handshake_at_s=0), ANNOUNCED),
        (replace(LEARNT, endpoint="", handshake_at_s=0), ANNOUNCED),
        (replace(LEARNT, keepalive_s=0), replace(ANNOUNCED, endpoint="")),
        (replace(LEARNT, endpoint=ANNOUNCED.endpoint, handshake_at_s=0), None),
    ],
)
def test_what_wireguard_does_not_know_it_is_told(seen: SeenPeer | None, told: TunnelPeer | None) -> None:
    assert change_of(ANNOUNCED, seen) == told


@pytest.mark.parametrize("size", [0, -5, 148, 92, 240, 296, 148 * 3 + 92])
def test_handshakes_alone_are_nothing_heard(size: int) -> None:
    assert only_handshakes(size)


@pytest.mark.parametrize("size", [32, 148 + 32, 92 + 32, 128, 5000])
def test_whatever_came_under_keys_is_heard(size: int) -> None:
    assert not only_handshakes(size)


def test_the_ear_counts_what_came_under_keys() -> None:
    ear = Ear()

    def at(now_s: float, received_bytes: int) -> float | None:
        ear.listen([replace(LEARNT, received_bytes=received_bytes)], now_s)
        return ear.heard_s_ago("a=", now_s)

    assert at(1.0, 4096) is None  # whatever that was may be long ago
    assert at(2.0, 4096 + 148) is None
    assert at(3.0, 4096 + 148 + 64) == 0.0
    assert at(5.0, 4096 + 148 + 64) == 2.0
    ear.forget("a=")
    assert at(6.0, 92) == 3.0
    assert at(7.0, 92 + 32) == 0.0


def test_a_silent_daemon_with_a_living_tunnel_is_no_reason_to_begin_anew() -> None:
    """Keys were renewed after the daemon's last word; Corosync, or the kernel, was heard under them."""
    assert Silence(60.0, 3.0).without_keys()
    assert not Silence(0.3, 3.0).without_keys()


def test_the_endpoint_that_worked_comes_first_and_others_have_their_turn() -> None:
    endpoints = Endpoints()
    endpoints.saw(LEARNT)
    tried = [endpoints.next("a=", [ANNOUNCED.endpoint, ""]) for _ in range(4)]
    assert tried == [LEARNT.endpoint, ANNOUNCED.endpoint] * 2
    endpoints.saw(replace(LEARNT, endpoint=ANNOUNCED.endpoint))  # what was told to WireGuard teaches nothing
    assert endpoints.next("a=", [ANNOUNCED.endpoint]) == LEARNT.endpoint
    endpoints.worked("a=", ANNOUNCED.endpoint)
    assert endpoints.next("a=", [ANNOUNCED.endpoint]) == ANNOUNCED.endpoint


def test_a_peer_of_which_no_endpoint_is_known_has_to_begin() -> None:
    assert Endpoints().next("a=", ["", ""]) == ""
