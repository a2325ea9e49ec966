"""Canaries by an agent, through a real fabric in which its namespace is a node."""

import os
from collections.abc import Iterator

import pytest

from harness.engines.uml.canary import KernelEnd
from harness.errors import FabricError
from harness.fabric.canary import ORDINARY, Like
from harness.fabric.layout import isolate
from tests.engines.uml.agents import agent_in
from tests.fabric.conftest import Built, KeptNamespaces, build, draw, namespaces

__all__ = ("namespaces",)
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


@pytest.fixture
def built(namespaces: KeptNamespaces) -> Iterator[Built]:
    """n2 is asked by way of its agent."""
    built = build(draw(), "agent-run", namespaces)
    fabric, node = built.fabric, built.ends["n2"]
    fabric.remember_end("n2", KernelEnd(node.pid, "eth0", fabric.plan.mac("n2"), fabric.plan.address("n2")))
    with agent_in(node.path):
        yield built
    fabric.close()


async def test_canaries_go_both_ways_and_only_where_nothing_cuts_them(built: Built) -> None:
    fabric = built.fabric
    for within_s, arrive in ((5.0, True), (0.1, False), (5.0, True)):
        if not arrive:
            fabric.cut("alone", isolate(built.topology, "n2"))
        assert await fabric.canary("n2", "n3", within_s) is arrive
        assert await fabric.canary("n3", "n2", within_s) is arrive
        assert await fabric.canary("n3", "n2", within_s, Like("tcp", 2380)) is arrive
        fabric.heal("alone")


async def test_a_flock_is_counted(built: Built) -> None:
    assert await built.fabric.flock("n3", "n2", 200) == 200
    built.fabric.cut("alone", isolate(built.topology, "n2"))
    assert await built.fabric.flock("n3", "n2", 200) == 0


async def test_an_end_without_its_address_says_so(built: Built) -> None:
    node, plan = built.ends["n2"], built.fabric.plan
    with pytest.raises(FabricError, match=r"no canary at 10\.0\.0\.1 on eth0: .*assign requested address"):
        KernelEnd(node.pid, "eth0", plan.mac("n2"), "10.0.0.1").receiver(ORDINARY)
    with pytest.raises(FabricError, match=r"no canary at .* on eth7"):
        KernelEnd(node.pid, "eth7", plan.mac("n2"), plan.address("n2")).sender()
