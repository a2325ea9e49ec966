"""A member takes the whole configuration of another one; its Corosync reads its list of nodes, whoever has it do so."""

import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.stack.sfha.admin import applied_roster, service
from harness.stack.sfha.admin.service import AdminService
from harness.stack.sfha.config.load import Mesh, MeshNode
from harness.stack.sfha.datagrams.unsealed import Unsealed
from harness.stack.sfha.roster.core import Acceptor, Roster, roster_to_json
from tests.stack.sfha.admin.test_applied_roster import ALL, MEMBERS, Toy

NEWER = Roster(2, MEMBERS, 3)


class Ring(Toy):
    """A node whose Corosync is in a ring with these."""

    def __init__(self, members: frozenset[int]) -> None:
        ids = {one.name: one.node_id for one in MEMBERS}
        self.candidates = SimpleNamespace(report=SimpleNamespace(members=members), id_of=ids.get)


async def reloads(ring: frozenset[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **body: object) -> int:
    """How often n1 reloads its Corosync by itself, when n2 gives it a roster that it has not."""
    reloaded: list[str] = []

    async def nothing(*_arguments: object) -> None:
        """Of the kernel and the disk."""

    async def is_news() -> bool:
        return True

    async def reload() -> None:
        reloaded.append("n1")

    for name in ("store", "save_mesh"):
        monkeypatch.setattr(applied_roster, name, lambda *_arguments: None)
    monkeypatch.setattr(service, "AUTHKEY_PATH", tmp_path / "authkey")
    (tmp_path / "authkey").write_bytes(bytes(128))
    peers = tuple(MeshNode(one.node_id, one.name, one.address, 1, one.public_key) for one in MEMBERS[1:])
    mesh = Mesh(base64.b64encode(bytes(32)).decode(), MeshNode(1, "n1", "10.90.0.1"), 24, peers)
    toy: Any = Toy()
    node: Any = Ring(ring)
    admin = AdminService(toy, mesh, Acceptor(ALL), node=node, link=toy, log=toy.log, end=lambda: None, older=Unsealed())
    for name in ("add_tunnels", "remove_strangers"):
        monkeypatch.setattr(admin.applied, name, nothing)
    monkeypatch.setattr(admin.applied, "write_corosync", is_news)
    monkeypatch.setattr(admin.applied, "reload_corosync", reload)
    told = {"roster": roster_to_json(NEWER), **body}
    status, _ = await admin.server.routes["POST", "/full-config"]("n2", told)
    assert status == 200
    assert admin.applied.roster() == NEWER
    return len(reloaded)


async def test_who_is_in_the_senders_ring_leaves_it_to_the_senders_reload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await reloads(frozenset({1, 2, 3}), tmp_path, monkeypatch, reload=False) == 0


async def test_who_is_outside_of_it_has_to_reload_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was cut off while the others changed, and is just back: no reload of theirs reaches its Corosync."""
    assert await reloads(frozenset({1}), tmp_path, monkeypatch, reload=False) == 1


async def test_where_nobody_else_is_going_to_it_reloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await reloads(frozenset({1, 2, 3}), tmp_path, monkeypatch) == 1
