"""The tunnel is looked after while the daemon runs."""

import asyncio
import threading

from harness.stack.config import Mesh, MeshNode
from harness.stack.mesh.core import Condition
from harness.stack.tunnel_repair import TunnelRepair

MESH = Mesh("key", MeshNode(1, "n1", "10.90.0.1"), 24, ())
WELL = Condition(there=True, up=True, addresses=frozenset({"10.90.0.1"}), mtu=1420)


class Tunnel:
    """An interface that can break, and be brought up unless that ``fails``."""

    def __init__(self, now: Condition) -> None:
        self.now, self.fails, self.ups = now, "", 0
        self.logged: list[str] = []
        self.care = TunnelRepair(lambda: MESH, self.bring_up, self.log, lambda _interface: self.now)

    def bring_up(self, _mesh: Mesh) -> None:
        self.ups += 1
        if self.fails:
            raise OSError(self.fails)
        self.now = WELL

    def log(self, event: str, **_fields: object) -> None:
        self.logged.append(event)


async def test_one_that_is_well_is_left_alone() -> None:
    tunnel = Tunnel(WELL)
    assert await tunnel.care.repair_if_needed()
    assert (tunnel.ups, tunnel.logged) == (0, [])


async def test_down_bare_and_gone_are_repaired_once_and_told() -> None:
    for broken in (
        Condition(),
        Condition(there=True),
        Condition(True, True),
        Condition(True, True, frozenset({"10.9.9.9"})),
    ):
        tunnel = Tunnel(broken)
        assert await tunnel.care.repair_if_needed()
        assert await tunnel.care.repair_if_needed()
        assert (tunnel.ups, tunnel.logged) == (1, ["tunnel-repaired"])


async def test_what_cannot_be_repaired_is_said_once_and_tried_again() -> None:
    tunnel = Tunnel(Condition())
    tunnel.fails = "port taken"
    assert not await tunnel.care.repair_if_needed()
    assert not await tunnel.care.repair_if_needed()
    assert (tunnel.ups, tunnel.logged) == (2, ["warning"])
    tunnel.fails = ""
    assert await tunnel.care.repair_if_needed()
    assert tunnel.logged == ["warning", "tunnel-repaired"]


async def test_one_that_is_given_up_stays_away() -> None:
    """Else a node that leaves would have its tunnel back, and nobody to take it down."""
    tunnel = Tunnel(Condition())
    await tunnel.care.end()
    assert await tunnel.care.repair_if_needed()
    assert (tunnel.ups, tunnel.logged) == (0, [])


async def test_a_repair_under_way_is_over_before_the_tunnel_is_given_up() -> None:
    tunnel, goes_on = Tunnel(Condition()), threading.Event()

    def bring_up(_mesh: Mesh) -> None:
        goes_on.wait(5)
        tunnel.now = WELL

    care = TunnelRepair(lambda: MESH, bring_up, tunnel.log, lambda _interface: tunnel.now)
    repairing = asyncio.ensure_future(care.repair_if_needed())
    await asyncio.sleep(0)
    ending = asyncio.ensure_future(care.end())
    await asyncio.sleep(0)
    assert not ending.done()
    goes_on.set()
    await ending
    assert await repairing
    assert tunnel.now is WELL
