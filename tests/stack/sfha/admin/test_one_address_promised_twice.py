"""Two nodes that did not reach each other have made tokens for one address: what comes of those who use them.

The seeders, their tokens and their registrations are the real ones; the tunnels are tables, and the roster that both
of them agree on is the real one, decided by a toy: one after the other, whoever comes first.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.stack.kit.tasks import Tasks
from harness.stack.sfha.admin import registration
from harness.stack.sfha.admin.join_tokens import SENDER_PREFIX, Issued, JoinTokens
from harness.stack.sfha.admin.registration import Registrations
from harness.stack.sfha.mesh import wireguard
from harness.stack.sfha.mesh.core import TunnelPeer
from harness.stack.sfha.roster.core import Member, Roster

ADDRESS = "10.90.0.4"
FAR_S = 4e9
A, B = "a", "b"
KEYS = {name: base64.b64encode(name.encode() * 32).decode() for name in "abxy"}


class Agreed:
    """The roster that a majority has decided."""

    def __init__(self) -> None:
        members = (Member(1, A, "10.90.0.1", 1, KEYS[A], "h:1"), Member(2, B, "10.90.0.2", 1, KEYS[B], "h:2"))
        self.roster = Roster(1, members, 2)


@dataclass
class Seeder:
    """A node as registrations see their ground; ``moments`` says how often it lets others go first, at each wait."""

    name: str
    agreed: Agreed
    directory: Path
    moments: list[int]
    tunnel: dict[str, str] = field(default_factory=dict)
    """Address to key, as WireGuard has it: an address is one peer's only, the last one's who got it."""
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        this: Any = self
        self.known = self.agreed.roster
        path = self.directory / f"{self.name}.json"
        issued = Issued(f"token-{self.name}", f"introduction-{self.name}", ADDRESS, int(FAR_S))
        path.write_text(json.dumps([{name: getattr(issued, name) for name in Issued.__slots__}]))
        self.tokens = JoinTokens(this, b"key", path)
        self.registrations = Registrations(this, this, self.tokens, b"key")
        own = self.known.named(self.name)
        assert own is not None
        self.mesh = type("Mesh", (), {"interface": self.name, "own": own, "prefix": 24, "mtu": 1420})
        self.node = type("Node", (), {"status": staticmethod(lambda: type("Status", (), {"quorate": True}))})
        self.config = type("Config", (), {"cluster": "demo"})
        self.tasks = Tasks(self.log)

    async def a_moment(self) -> None:
        for _ in range(self.moments.pop() if self.moments else 0):
            await asyncio.sleep(0)

    # --- the applied roster ---

    def roster(self) -> Roster:
        return self.known

    def log(self, event: str, **_fields: object) -> None:
        self.events.append(event)

    async def set_peer(self, peer: TunnelPeer) -> None:
        await self.a_moment()
        if peer.address:
            self.tunnel[peer.address] = peer.public_key

    async def add_tunnels(self) -> None:
        await self.a_moment()
        self.tunnel |= {one.address: one.public_key for one in self.known.members}

    async def remove_tunnel(self, public_key: str) -> None:
        await self.a_moment()
        self.tunnel = {address: key for address, key in self.tunnel.items() if key != public_key}

    async def write_corosync(self) -> bool:
        return True

    async def reload_corosync(self) -> None:
        await self.a_moment()

    def advertise(self) -> None:
        """Nobody listens."""

    # --- the changes ---

    async def change(self, make: Any) -> Roster:
        await self.a_moment()
        self.known = self.agreed.roster
        self.agreed.roster = self.known = make(self.known)
        await self.a_moment()
        return self.known

    async def spread(self, *, reload: bool) -> dict[str, Any]:
        await self.a_moment()
        return {}

    async def hears(self) -> None:
        """The other one's news."""
        await self.a_moment()
        self.known = self.agreed.roster
        await self.add_tunnels()

    # --- its guests ---

    async def register(self, joiner: str) -> int:
        body: dict[str, object] = {
            "action": "register",
            "name": joiner,
            "pubkey": KEYS[joiner],
            "endpoint": f"{joiner}:51820",
            "meshIp": ADDRESS,
        }
        call = self.registrations.routes()["POST", "/register"]
        return (await call(f"{SENDER_PREFIX}token-{self.name}", body))[0]

    async def settled(self) -> None:
        while self.tasks._running:
            await asyncio.gather(*self.tasks._running)

    @property
    def token(self) -> Issued:
        found = self.tokens.named(f"token-{self.name}")
        assert found is not None
        return found


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "TOLD_WITHIN_S", 0.0)
    monkeypatch.setattr(asyncio, "to_thread", at_once)
    monkeypatch.setattr(wireguard, "handshakes", lambda _interface: dict.fromkeys(KEYS.values(), 1))


async def at_once(function: Callable[..., Any], *arguments: object) -> Any:
    """No threads: what comes in between is what the test says."""
    return function(*arguments)


def fate_of(seeder: Seeder, joiner: str) -> str:
    return "member" if seeder.agreed.roster.named(joiner) else seeder.token.state


async def test_the_later_one_is_refused_at_once_and_told_what_to_do(tmp_path: Path) -> None:
    agreed = Agreed()
    first, second = (Seeder(name, agreed, tmp_path, []) for name in (A, B))
    assert await first.register("x") == 202
    await first.settled()
    await second.hears()
    assert await second.register("y") == 409
    assert second.events == ["registration-refused"]
    assert second.tunnel[ADDRESS] == KEYS["x"]
    assert agreed.roster.named("y") is None


async def test_a_daemon_that_starts_again_leaves_the_address_to_the_member(tmp_path: Path) -> None:
    agreed = Agreed()
    first, second = (Seeder(name, agreed, tmp_path, []) for name in (A, B))
    await first.register("x")
    await first.settled()
    await second.hears()
    await second.tokens.reopen()
    assert second.tunnel[ADDRESS] == KEYS["x"]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 4), max_size=12),
    st.lists(st.integers(0, 4), max_size=12),
    st.integers(0, 12),
    st.booleans(),
)
def test_one_of_two_at_once_gets_it_and_the_other_one_hears_why(
    tmp_path_factory: pytest.TempPathFactory, here: list[int], there: list[int], news_after: int, turned: bool
) -> None:
    agreed = Agreed()
    directory = tmp_path_factory.mktemp("seeders")
    first, second = Seeder(A, agreed, directory, list(here)), Seeder(B, agreed, directory, list(there))

    async def later(seeder: Seeder) -> None:
        for _ in range(news_after):
            await asyncio.sleep(0)
        await seeder.hears()

    async def all_at_once() -> None:
        asking = [first.register("x"), second.register("y")]
        await asyncio.gather(*(reversed(asking) if turned else asking), later(first), later(second))
        await asyncio.gather(first.settled(), second.settled())

    asyncio.run(all_at_once())
    owners = [one for one in agreed.roster.members if one.address == ADDRESS]
    assert len(owners) == 1
    winner, loser = (first, second) if owners[0].name == "x" else (second, first)
    assert winner.token.state == "done"
    assert fate_of(loser, "y" if owners[0].name == "x" else "x") in {"failed", "issued"}
    if loser.token.state == "failed":
        assert ADDRESS in loser.token.error
    for seeder in (first, second):
        if owners[0] in seeder.known.members:
            assert seeder.tunnel[ADDRESS] == owners[0].public_key
        assert set(seeder.tunnel.values()) <= {one.public_key for one in agreed.roster.members}
