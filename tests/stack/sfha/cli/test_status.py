"""`sfha status`, read by people and by programs."""

import copy
import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from harness.stack.kit.messages import message
from harness.stack.sfha.node.status import Status
from tests.stack.sfha.cli.command import STATUS, run

Daemon = Callable[[Callable[[dict[str, Any]], object]], list[dict[str, Any]]]


def test_it_shows_the_cluster_and_warns_of_a_dead_daemon(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    daemon(lambda _: STATUS)
    assert run("status") == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "Cluster demo, seen from n1",
        "  quorum     yes, 2 of 3 nodes online",
        "  leader     n1 (this node)",
        "  this node  ready",
        "  lease      held by this node",
        "",
        "Nodes",
        "  NAME  ID  COROSYNC  SFHA         ROLE",
        "  n1    1   online    running      leader",
        "  n2    2   online    not running",
        "  n3    3   offline   not running",
        "",
        "Virtual addresses",
        "  NAME  ADDRESS     INTERFACE  STATE",
        "  web   10.0.0.100  eth0       held here",
    ]
    assert shown.err.splitlines() == [
        "⚠ n2: Corosync lives there, but the sfha daemon does not; on n2: `systemctl start sfha`"
    ]


@pytest.mark.parametrize(("egress", "warned"), [(True, False), (None, False), (False, True)])
def test_it_warns_of_a_gate_that_lets_packets_leave(
    daemon: Daemon, capsys: pytest.CaptureFixture[str], egress: bool | None, warned: bool
) -> None:
    daemon(lambda _: STATUS | {"gate_egress": egress})
    assert run("status") == 0
    assert ("before Linux 5.16" in capsys.readouterr().err) is warned


def test_it_warns_of_a_corosync_that_has_not_read_its_file(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    behind = {"for_s": 9.0, "reloads": 1, "helpless": False, "refused": False, "lacks": ["4"], "has_still": []}
    daemon(lambda _: STATUS | {"corosync_behind": behind})
    assert run("status") == 0
    assert "another list of nodes than its file: it lacks 4" in capsys.readouterr().err
    assert run("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["corosync_behind"] == behind


def test_it_names_who_is_believed_without_a_seal(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    daemon(lambda _: STATUS | {"unsealed": ["n3"]})
    assert run("status") == 0
    assert "n3 is to be upgraded" in capsys.readouterr().err


def test_it_says_what_a_node_lacks_and_why(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    document = copy.deepcopy(STATUS)
    document["leader"], document["leader_name"] = 2, "n2"
    why = message("link.rests", why=message("link.down", interface="eth0"), seconds="2")
    document["vips"][0] |= {"held": False, "error": None, "lacks": why.to_json()}
    for node, lacks in zip(document["nodes"], (1, 0, 2), strict=True):
        node["lacks"] = lacks
    document["log_error"] = "/var/log/sfha.log: Is a directory"
    daemon(lambda _: document)
    assert run("status") == 0
    shown = capsys.readouterr()
    assert "with the leader, n2; not offered by this node: interface eth0 is down, until a moment ago" in shown.out
    assert "lacks 1" in shown.out
    assert "n3 cannot offer 2 of the addresses" in shown.err
    assert "n1 cannot offer" not in shown.err
    assert "the log cannot be written: /var/log/sfha.log: Is a directory" in shown.err
    assert run("status", "--lang", "fr") == 0
    assert "l'interface eth0 est désactivée" in capsys.readouterr().out


def test_it_shows_what_is_set_of_an_address_where_anything_is(
    daemon: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    document = copy.deepcopy(STATUS)
    document["vips"].append(document["vips"][0] | {"name": "other", "settings": {"announce_every_s": 5}})
    document["vips"][0]["settings"] = {"announce_every_s": 60, "of_tomorrow": 1}
    daemon(lambda _: document)
    assert run("status") == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "  NAME   ADDRESS     INTERFACE  STATE      SETTINGS",
        "  web    10.0.0.100  eth0       held here  announce_every_s=60, of_tomorrow=1",
        "  other  10.0.0.100  eth0       held here",
    ]


def test_it_says_who_would_rather_not_lead_and_why(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    document = copy.deepcopy(STATUS)
    document["nodes"][0]["reluctant"] = ["disk", "of-tomorrow"]
    daemon(lambda _: document)
    assert run("status") == 0
    shown = capsys.readouterr()
    assert "leader, would rather not lead (no room on its disk), would rather not lead (of-tomorrow)" in shown.out
    assert "n1 would rather not lead: no room on its disk; `sfha doctor` on it says more" in shown.err
    assert run("status", "--lang", "fr") == 0
    assert "préfère ne pas diriger (plus de place sur son disque)" in capsys.readouterr().out


def test_it_speaks_french(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    daemon(lambda _: STATUS | {"quorate": False, "leader": None, "leader_name": None})
    assert run("status", "--lang", "fr") == 0
    shown = capsys.readouterr()
    assert "Grappe demo, vue de n1" in shown.out
    assert "chef     aucun" in shown.out
    assert "pas de quorum" in shown.err


def test_programs_get_the_names_that_they_are_promised(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    daemon(lambda _: STATUS)
    assert run("status", "--json") == 0
    nodes = json.loads(capsys.readouterr().out)["nodes"]
    assert [(node["name"], node["online"], node["sfhaRunning"]) for node in nodes] == [
        ("n1", True, True),
        ("n2", True, False),
        ("n3", False, False),
    ]


def test_lists_that_it_does_not_know_are_shown_as_they_come(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    more = copy.deepcopy(STATUS) | {"gadgets": [{"name": "web", "state": "running", "since_s": 1.50, "ok": True}]}
    daemon(lambda _: more)
    assert run("status") == 0
    assert "  web   running  1.5      yes" in capsys.readouterr().out


def test_there_is_no_place_for_a_secret_in_it() -> None:
    names = {field.name for field in fields(Status)}
    assert not [name for name in names if any(word in name for word in ("token", "secret", "key", "password"))]
