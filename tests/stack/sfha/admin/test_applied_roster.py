"""Who has left by itself may say goodbye, who was removed may not, and neither is asked for its word for long."""

from typing import Any

import pytest

from harness.stack.sfha.admin import applied_roster as module
from harness.stack.sfha.admin.applied_roster import AppliedRoster
from harness.stack.sfha.admin.removing import Removals
from harness.stack.sfha.config.load import Mesh, MeshNode
from harness.stack.sfha.membership import corosync
from harness.stack.sfha.roster.core import Acceptor, Member, Roster, roster_to_json

MEMBERS = tuple(
    Member(number, f"n{number}", f"10.90.0.{number}", 1, f"key {number}", f"h:{number}") for number in (1, 2, 3)
)
ALL = Roster(1, MEMBERS, 3)


class Toy:
    """The parts of a node that a roster is told to; what they make of it is not what is tried here."""

    epoch = 1

    def __getattr__(self, _name: str) -> Any:
        return lambda *_arguments, **_more: None


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> AppliedRoster:
    for name in ("store", "save_mesh"):
        monkeypatch.setattr(module, name, lambda *_arguments: None)
    toy: Any = Toy()
    peers = tuple(MeshNode(one.node_id, one.name, one.address, 1, one.public_key) for one in MEMBERS[1:])
    mesh = Mesh("", MeshNode(1, "n1", "10.90.0.1"), 24, peers)
    return AppliedRoster(toy, mesh, Acceptor(ALL), node=toy, link=toy, log=toy.log)


async def test_who_left_may_say_goodbye(applied: AppliedRoster) -> None:
    await applied.learn(ALL.without("n3", by_itself=True))
    assert applied.leaver("n3") == MEMBERS[2]
    assert applied.leavers() == [MEMBERS[2]]
    assert applied.public_key("n3") == "key 3", "it is told things, too"


async def test_a_goodbye_has_its_time(applied: AppliedRoster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GOODBYE_WITHIN_S", 0.0)
    await applied.learn(ALL.without("n3", by_itself=True))
    assert applied.leaver("n3") is None
    assert applied.leavers() == []


async def test_who_was_removed_may_not(applied: AppliedRoster) -> None:
    await applied.learn(ALL.without("n3"))
    assert applied.leaver("n3") is None
    assert applied.leavers() == []
    assert applied.public_key("n3") == "key 3", "it has to be told"
    assert applied.public_key("n9") == ""


async def test_a_leaver_has_no_say_in_who_is_a_member(applied: AppliedRoster, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: Any = Toy()

    async def done(*_arguments: object) -> bool:
        return True

    for name in ("remove_strangers", "write_corosync", "reload_corosync"):
        monkeypatch.setattr(applied, name, done)
    removals = Removals(applied, nothing, nothing, nothing.end, frozenset)
    left = ALL.without("n3", by_itself=True)
    await applied.learn(left)
    odd = roster_to_json(Roster(99, MEMBERS[:1], 3))
    tell = removals.routes()["POST", "/remove-peer"]
    assert (await tell("n3", {"peerName": "n2", "peerMeshIp": "-", "roster": odd}))[0] == 409
    assert (await tell("n3", {"peerName": "n3", "peerMeshIp": "-", "roster": odd}))[0] == 200
    assert applied.roster() == left
    assert (await tell("n2", {"peerName": "n3", "peerMeshIp": "-", "roster": roster_to_json(left)}))[0] == 200


async def test_whoever_sees_to_corosync_hears_of_each_file_that_is_another_one(
    applied: AppliedRoster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reload that somebody else asks for may not come."""
    heard: list[str] = []
    confs = ["the same", "another", "another"]
    monkeypatch.setattr(module, "corosync_conf", lambda *_arguments: confs.pop(0))
    monkeypatch.setattr(corosync, "write_conf", lambda text: text == "another" and not heard)
    applied.corosync_written = lambda: heard.append("written")
    assert [await applied.write_corosync() for _ in range(3)] == [False, True, False]
    assert heard == ["written"]
