"""A node that would rather not lead: all hear of it, another leads where one can. Wired as in the daemon."""

import pytest

from tests.stack.sfha.node.world import Cluster


@pytest.fixture
def cluster() -> Cluster:
    """Up, quorate, the address on node 1."""
    cluster = Cluster()
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(0.4)
    assert cluster.holders() == [1]
    return cluster


def test_another_leads_as_long_as_it_lasts_and_everybody_says_why(cluster: Cluster) -> None:
    cluster.nodes[1].reluctant_for("disk", True)
    cluster.pass_time(0.2)
    assert cluster.holders() == [2]
    for node in cluster.nodes.values():
        assert [one.reluctant for one in node.status().nodes] == [("disk",), (), ()]
    assert ("reluctant", {"why": "no room on its disk"}) in cluster.toys[1].events
    assert cluster.nodes[2].candidates.why_not_lead("n1", cluster.now_s) == "reluctant"
    assert cluster.nodes[1].candidates.why_not_lead("n1", cluster.now_s) == "reluctant"
    cluster.nodes[1].reluctant_for("disk", False)
    cluster.pass_time(0.2)
    assert cluster.holders() == [1]
    assert cluster.toys[1].names().count("willing") == 1


def test_a_node_that_is_still_so_says_nothing_new(cluster: Cluster) -> None:
    for _ in range(3):
        cluster.nodes[3].reluctant_for("disk", True)
    assert cluster.toys[3].names().count("reluctant") == 1


def test_where_all_would_rather_not_nobody_moves(cluster: Cluster) -> None:
    for node in (2, 3, 1):
        cluster.nodes[node].reluctant_for("disk", True)
    cluster.pass_time(0.5)
    assert cluster.holders() == [1]
    assert cluster.toys[3].names().count("leader-elected") == 1


def test_it_leads_rather_than_nobody(cluster: Cluster) -> None:
    cluster.nodes[1].reluctant_for("disk", True)
    cluster.pass_time(0.2)
    cluster.nodes[2].set_standby(True)
    cluster.nodes[3].set_standby(True)
    cluster.pass_time(0.5)
    assert cluster.holders() == [1]


def test_a_reason_that_only_a_newer_daemon_knows_counts_like_any_other(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.stack.sfha.node.node.message", lambda key, **_: key)
    cluster.nodes[1].reluctant_for("of-tomorrow", True)
    cluster.pass_time(0.2)
    assert cluster.holders() == [2]
    assert cluster.nodes[3].status().nodes[0].reluctant == ("of-tomorrow",)
