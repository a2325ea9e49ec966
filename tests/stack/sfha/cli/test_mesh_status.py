"""What `wg show INTERFACE dump` says becomes a list without keys."""

from dataclasses import asdict

from harness.stack.sfha.cli.mesh_status import parse_peers

PRIVATE, KEY_2, KEY_3 = (letter * 43 + "=" for letter in "abc")
DUMP = "\n".join(
    [
        f"{PRIVATE}\t{KEY_2}\t51820\toff",
        f"{KEY_2}\t(none)\t192.0.2.2:51820\t10.90.0.2/32\t1000\t123456\t42\toff",
        f"{KEY_3}\t(none)\t(none)\t10.90.0.3/32\t0\t0\t0\t25",
        "half a line",
    ]
)


def test_peers_are_named_and_judged() -> None:
    n2, stranger = parse_peers(DUMP, {KEY_2: "n2"}, 1100.0)[::-1]
    assert (n2.name, n2.address, n2.endpoint, n2.handshake_s_ago) == ("n2", "10.90.0.2", "192.0.2.2:51820", 100.0)
    assert n2.connected
    assert stranger.name == "(not in mesh.json)"
    assert stranger.handshake_s_ago is None
    assert not stranger.connected
    assert not parse_peers(DUMP, {}, 1200.0)[0].connected, "a handshake of 200 s ago is too old"


def test_no_key_is_left_in_it() -> None:
    shown = str([asdict(peer) for peer in parse_peers(DUMP, {KEY_2: "n2"}, 1100.0)])
    for key in (PRIVATE, KEY_2, KEY_3):
        assert key not in shown
