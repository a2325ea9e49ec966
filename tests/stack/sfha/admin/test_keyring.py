"""Each pair of nodes has keys of its own: who is removed has none left, and the way of before is open to few."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from harness.stack.sfha.admin.files import mesh_with
from harness.stack.sfha.admin.keyring import Keyring
from harness.stack.sfha.config.load import Mesh, MeshNode
from harness.stack.sfha.datagrams.core.curve import key_from_text, shared_secret
from harness.stack.sfha.datagrams.unsealed import Unsealed
from harness.stack.sfha.p2p.core import Door, Request, key_of_cluster, nonce_for, sign
from harness.stack.sfha.roster.core import Member, Roster

NAMES = ("n1", "n2", "n3")
PRIVATE = {name: X25519PrivateKey.generate() for name in NAMES}
AUTHKEY, LIFE, NOW_S = b"k" * 128, "l" * 16, 1_700_000_000.0


def text_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


MEMBERS = tuple(
    Member(number, name, f"10.90.0.{number}", 1, text_of(PRIVATE[name].public_key().public_bytes_raw()), f"{name}:1")
    for number, name in enumerate(NAMES, 1)
)
ALL = Roster(1, MEMBERS, 3)


class Grounds:
    """As much of a node as its keyring looks at."""

    def __init__(self, name: str, roster: Roster = ALL, older: Unsealed | None = None) -> None:
        own = next(one for one in MEMBERS if one.name == name)
        self.present, self.left = roster, dict[str, Member]()
        private = text_of(PRIVATE[name].private_bytes_raw())
        self.mesh = mesh_with(Mesh(private, MeshNode(own.node_id, name, own.address), 24, ()), roster)
        this: Any = self
        self.keyring = Keyring(this, this, this, AUTHKEY, older or Unsealed())

    def roster(self) -> Roster:
        return self.present

    def public_key(self, name: str) -> str:
        return next((one.public_key for one in MEMBERS if one.name == name), "")

    def leaver(self, name: str) -> Member | None:
        return self.left.get(name)

    def secret_with(self, public_key: str) -> bytes:
        return shared_secret(key_from_text(self.mesh.private_key), key_from_text(public_key))

    def admits(self, key: bytes, sender: str, address: str) -> bool:
        """Whether a request to this node, signed with the key, is let in."""
        door = Door(self.keyring.of_sender, LIFE)
        made = Request("POST", "/leave", sender, self.mesh.own.name, int(NOW_S), nonce_for("00", LIFE), b"{}")
        return door.admit(replace(made, mac=sign(key, made)), address, NOW_S) is not None


def test_both_of_a_pair_have_the_same_key_and_no_third_has_it() -> None:
    keys = {(one, other): Grounds(one).keyring.of(other) for one in NAMES for other in NAMES if one != other}
    assert all(len(key) == 1 and key == keys[other, one] for (one, other), key in keys.items())
    assert len({key for (key,) in keys.values()}) == 3


def test_a_member_signs_in_its_own_name_and_from_its_own_address_alone() -> None:
    (key,) = Grounds("n2").keyring.of("n1")
    assert Grounds("n1").admits(key, "n2", "10.90.0.2")
    assert not Grounds("n1").admits(key, "n2", "10.90.0.3")
    assert not Grounds("n1").admits(key, "n3", "10.90.0.3")
    assert not Grounds("n1").admits(key_of_cluster(AUTHKEY), "n2", "10.90.0.2")


def test_a_removed_node_has_no_key_left_by_any_way() -> None:
    (own,) = Grounds("n3").keyring.of("n1")
    first = Grounds("n1", ALL.without("n3"))
    for name, address in (("n3", "10.90.0.3"), ("n2", "10.90.0.2"), ("n3", "10.90.0.2"), ("n2", "10.90.0.3")):
        assert not first.admits(own, name, address)
        assert not first.admits(key_of_cluster(AUTHKEY), name, address)


def test_who_is_told_that_it_was_removed_is_told_in_its_own_key() -> None:
    (key,) = Grounds("n1", ALL.without("n3")).keyring.of("n3")
    assert Grounds("n3").admits(key, "n1", "10.90.0.1")


def test_who_leaves_by_itself_may_say_goodbye_for_a_while() -> None:
    (own,) = Grounds("n3").keyring.of("n1")
    first = Grounds("n1", ALL.without("n3", by_itself=True))
    assert first.present.leaver == "n3"
    assert ALL.without("n3").leaver is None
    assert not first.admits(own, "n3", "10.90.0.3")
    first.left["n3"] = MEMBERS[2]
    assert first.admits(own, "n3", "10.90.0.3")
    assert not first.admits(key_of_cluster(AUTHKEY), "n3", "10.90.0.3")


def test_the_key_of_before_is_taken_from_who_has_yet_to_be_upgraded_and_from_nobody_else(tmp_path: Path) -> None:
    older = Unsealed([2], path=tmp_path / "unpaired.json")
    first, before = Grounds("n1", older=older), key_of_cluster(AUTHKEY)
    assert first.admits(before, "n2", "10.90.0.2")
    assert not first.admits(before, "n2", "10.90.0.3")
    assert not first.admits(before, "n3", "10.90.0.3")
    pair, asked_as_before = first.keyring.of("n2")
    assert asked_as_before == before
    assert [peer.name for peer in first.keyring.older()] == ["n2"]
    first.keyring.answered("n2", before)
    assert first.admits(before, "n2", "10.90.0.2"), "it has not said that it is upgraded"
    first.keyring.answered("n2", pair)
    assert not first.admits(before, "n2", "10.90.0.2")
    assert first.admits(pair, "n2", "10.90.0.2")
    assert first.keyring.of("n2") == (pair,)
    assert not first.keyring.older()
