"""The text WireGuard is told."""

from itertools import pairwise

from harness.stack.mesh.core import HandshakeCare, TunnelPeer, render_setconf


def test_each_peer_may_use_its_own_address_only() -> None:
    text = render_setconf("secret=", 51820, [TunnelPeer("a=", "10.0.0.2:51820", "10.90.0.2")])
    assert text.splitlines() == [
        "[Interface]",
        "PrivateKey = secret=",
        "ListenPort = 51820",
        "",
        "[Peer]",
        "PublicKey = a=",
        "Endpoint = 10.0.0.2:51820",
        "AllowedIPs = 10.90.0.2/32",
    ]


def test_a_peer_without_a_handshake_is_set_anew_ever_more_seldom() -> None:
    care = HandshakeCare(["a="])
    due_s = [tick / 10 for tick in range(400) if care.overdue({"a=": None}, tick / 10)]
    pauses_s = [round(later - earlier, 1) for earlier, later in pairwise([0.0, *due_s])]
    assert pauses_s[:4] == [0.3, 0.5, 0.7, 1.1]
    assert max(pauses_s) == pauses_s[-1] == 5.0


def test_the_other_side_lets_it_begin() -> None:
    care = HandshakeCare([])
    due_s = [tick / 10 for tick in range(100) if care.overdue({"a=": None}, tick / 10)]
    assert due_s[0] == 1.3


def test_a_silent_peer_with_usable_keys_is_left_alone() -> None:
    care = HandshakeCare(["a="])
    assert not any(care.overdue({"a=": 170.0}, now_s) for now_s in range(100))


def test_a_peer_whose_keys_have_expired_is_set_anew() -> None:
    care = HandshakeCare(["a="])
    assert care.overdue({"a=": 181.0}, 0.0) == []
    assert care.overdue({"a=": 181.4, "b=": 3.0}, 0.4) == ["a="]


def test_a_peer_that_answers_starts_from_the_beginning() -> None:
    care = HandshakeCare(["a="])
    for now_s in range(20):
        care.overdue({"a=": None}, float(now_s))
    assert care.overdue({}, 21.0) == []
    assert care.overdue({"a=": None}, 22.0) == []
    assert care.overdue({"a=": None}, 22.4) == ["a="]
