"""Membership: what changes mean, and the corosync.conf that is written."""

from dataclasses import replace

from harness.stack.sfha.membership.core import (
    DISCONNECTED,
    Change,
    MembershipCore,
    Report,
    RingNode,
    Totem,
    render_corosync_conf,
)

NODES = [RingNode(number, f"n{number}", f"10.90.0.{number}", votes=1) for number in (1, 2, 3)]
KNET = Totem("knet", token_ms=300, consensus_ms=360, ping_interval_ms=200, ping_timeout_ms=250, pong_count=1)


def keys(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def test_losing_the_connection_is_losing_quorum() -> None:
    core = MembershipCore()
    assert core.take(DISCONNECTED) is None
    gained = core.take(Report(True, 4, frozenset({1, 2})))
    assert gained == Change(frozenset({1, 2}), frozenset(), quorum_gained=True, quorum_lost=False)
    assert core.take(Report(True, 4, frozenset({1, 2}))) is None
    lost = core.take(DISCONNECTED)
    assert lost == Change(frozenset(), frozenset({1, 2}), quorum_gained=False, quorum_lost=True)


def test_three_nodes_over_knet() -> None:
    text = render_corosync_conf("demo", NODES, KNET, "/var/log/c.log")
    lines = keys(text)
    for line in (
        "version: 2",
        "cluster_name: demo",
        "transport: knet",
        "secauth: on",
        "crypto_cipher: aes256",
        "crypto_hash: sha256",
        "token: 300",
        "token_coefficient: 0",
        "consensus: 360",
        "knet_ping_timeout: 250",
        "provider: corosync_votequorum",
        "ring0_addr: 10.90.0.2",
        "quorum_votes: 1",
    ):
        assert line in lines
    assert not any(line.startswith(("two_node", "join")) for line in lines)
    assert "join: 500" in keys(render_corosync_conf("demo", NODES, replace(KNET, join_ms=500), "/l"))
    assert all(line.count(": ") <= 1 for line in lines), "one key per line"
    assert text.count("{") == text.count("}")


def test_two_node_is_set_for_exactly_two_nodes() -> None:
    for count in (1, 2, 3):
        lines = keys(render_corosync_conf("demo", NODES[:count], KNET, "/l"))
        assert ("two_node: 1" in lines) is (count == 2)


def test_udpu_has_no_encryption_of_its_own_and_no_knet_keys() -> None:
    lines = keys(render_corosync_conf("demo", NODES, Totem("udpu", 150, 180), "/l"))
    assert "secauth: off" in lines
    assert not any("knet" in line or "crypto" in line for line in lines)


def test_every_node_writes_the_same_file() -> None:
    assert len({render_corosync_conf("demo", NODES, KNET, "/l") for _ in NODES}) == 1
