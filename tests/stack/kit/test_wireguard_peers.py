"""What WireGuard tells of its peers."""

from harness.stack.kit.wireguard_peers import SeenPeer, parse_peers

DUMP = """private=\tpublic=\t51820\toff
a=\t(none)\t198.51.100.7:40001\t10.90.0.2/32\t1700000000\t4096\t512\t25
b=\t(none)\t(none)\t(none)\t0\t0\t148\toff
torn=\t(none)
"""


def test_peers_are_read_from_a_dump_without_the_private_key() -> None:
    seen = parse_peers(DUMP)
    assert seen == {
        "a=": SeenPeer("a=", "198.51.100.7:40001", "10.90.0.2/32", 1700000000, 4096, 25),
        "b=": SeenPeer("b=", "", "", 0, 0, 0),
    }
    assert parse_peers("") == {}
