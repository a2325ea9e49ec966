"""The tokens of a node on its disk: when several holders come at a time, and when their time is over."""

import asyncio
import base64
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from harness.stack.sfha.admin import registration
from harness.stack.sfha.admin.join_tokens import Issued, JoinTokens
from harness.stack.sfha.admin.registration import Registrations
from harness.stack.sfha.roster.core import Member, Roster
from harness.stack.sfha.token.core import Reply, encode_reply, proof_of_key

AT_A_TIME = 16


async def test_what_became_of_each_token_is_kept_though_all_come_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    issued = [Issued(f"{number:024x}", "key", f"10.99.0.{number}", 1) for number in range(AT_A_TIME)]
    path.write_text(json.dumps([asdict(one) for one in issued]))
    nowhere: Any = None  # no token is made here: the node behind them is not asked for anything
    tokens = JoinTokens(nowhere, b"", path)
    for state in ("pending", "done"):
        await asyncio.gather(*(tokens.advance(one.token_id, state=state, name=one.address) for one in issued))
        kept = {row["token_id"]: (row["state"], row["name"]) for row in json.loads(path.read_text())}
        assert kept == {one.token_id: (state, one.address) for one in issued}


MESH, JOINER, OTHER = (X25519PrivateKey.generate() for _ in range(3))
TOKEN, AUTHKEY, HOLDER = "t" * 24, b"k" * 128, "10.99.0.2"
SENDER = f"token:{TOKEN}"


def text_of(key: X25519PrivateKey) -> tuple[str, str]:
    """Private and public, as WireGuard writes them."""
    public = key.public_key().public_bytes_raw()
    return base64.b64encode(key.private_bytes_raw()).decode(), base64.b64encode(public).decode()


class Grounds:
    """As much of a node as a registration looks at: the roster, and the tunnel's key."""

    def __init__(self, directory: Path, state: str, *, left_s: float = 3600, voter: bool | None = False) -> None:
        own = Member(1, "n1", "10.99.0.1", 1, text_of(MESH)[1], "h:1")
        joined = () if voter is None else (Member(2, "n2", HOLDER, 1, text_of(JOINER)[1], "h:2", voter),)
        self.present = Roster(2, (own, *joined), 2)
        self.mesh = type("M", (), {"private_key": text_of(MESH)[0], "prefix": 24, "mtu": 1420, "own": own})
        path = directory / "tokens.json"
        name = "" if state == "issued" else "n2"
        issued = Issued(TOKEN, "key", HOLDER, int(time.time() + left_s), state, name, text_of(JOINER)[1], "{}")
        path.write_text(json.dumps([asdict(issued)]))
        this: Any = self
        self.tokens = JoinTokens(this, AUTHKEY, path)
        self.registrations = Registrations(this, this, self.tokens, AUTHKEY)

    def roster(self) -> Roster:
        return self.present

    async def seen_endpoint(self, public_key: str) -> str:
        return f"endpoint of {public_key}"

    async def asks(self, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        return await self.registrations.routes()["POST", "/registration"](SENDER, body)


def proof(key: X25519PrivateKey) -> dict[str, object]:
    return {"proof": proof_of_key(key.exchange(MESH.public_key()), TOKEN)}


@pytest.mark.parametrize("state", ["issued", "pending", "failed", "done"])
def test_an_expired_token_opens_nothing_however_far_its_holder_was(tmp_path: Path, state: str) -> None:
    assert Grounds(tmp_path, state).tokens.key_for(SENDER, HOLDER) is not None
    assert Grounds(tmp_path, state, left_s=-1).tokens.key_for(SENDER, HOLDER) is None


def test_a_used_token_opens_nothing_also_after_a_restart(tmp_path: Path) -> None:
    """Its holder votes, or is a member no more; a newcomer that lost its power may still have to come again."""
    assert Grounds(tmp_path, "done", voter=False).tokens.key_for(SENDER, HOLDER) is not None
    for voter in (True, None):
        assert Grounds(tmp_path, "done", voter=voter).tokens.key_for(SENDER, HOLDER) is None


async def test_the_clusters_key_is_given_to_the_node_that_registered_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token's text is not enough, as another user of that node may have it: the node's own key is needed."""
    config = tmp_path / "config.yml"
    config.write_text("cluster: {name: demo}\n")
    monkeypatch.setattr(registration, "CONFIG_PATH", config)
    applied = Grounds(tmp_path, "done")
    wrong: list[dict[str, object]] = [{}, {"proof": ""}, {"proof": None}, {"proof": "é"}, proof(OTHER)]
    for body in wrong:
        status, answer = await applied.asks(body)
        assert (status, list(answer)) == (400, ["error"])
    status, answer = await applied.asks(proof(JOINER))
    assert (status, answer["state"]) == (200, "done")
    assert base64.b64decode(str(answer["authkey"])) == AUTHKEY


async def test_how_far_a_registration_is_says_nothing_else(tmp_path: Path) -> None:
    assert await Grounds(tmp_path, "issued").asks({}) == (200, {"state": "issued"})
    assert await Grounds(tmp_path, "pending").asks(proof(JOINER)) == (200, {"state": "pending"})
    assert (await Grounds(tmp_path, "pending").asks({}))[0] == 400


async def test_an_expired_token_registers_nobody_by_hand(tmp_path: Path) -> None:
    applied = Grounds(tmp_path, "issued", left_s=-1)
    this: Any = applied
    this.node = type("N", (), {"status": staticmethod(lambda: type("S", (), {"quorate": True}))})
    public = text_of(JOINER)[1]
    issued = applied.tokens.named(TOKEN)
    assert issued is not None
    reply = encode_reply(Reply(TOKEN, "n2", public, "192.0.2.2:51820", HOLDER), applied.tokens.key_of(issued))
    with pytest.raises(registration.RegistrationRefused, match="expired"):
        await applied.registrations.by_hand(reply)
