"""A host in the fabric that is no node: it is plugged in, heard, and numbered so that no two are the same."""

import asyncio

import pytest

from harness.errors import FabricError, UsageError
from harness.fabric.tap import ETHERTYPE_ARP, Tap
from tests.fabric.conftest import Built, KeptNamespaces

FRAME = bytes.fromhex("ffffffffffff 060000000001 0806") + bytes(28) + b"said by a stranger"


async def test_what_a_stranger_says_comes_in_at_nodes_and_clients(stretched: Built, namespaces: KeptNamespaces) -> None:
    fabric = stretched.fabric
    stranger = fabric.plug_stranger(0, "dijon", namespaces().path)
    taps = {name: Tap(fabric.end(name), ETHERTYPE_ARP) for name in ("n2", "n4", "user")}
    mouth = Tap(stranger, ETHERTYPE_ARP)
    listening = [
        asyncio.create_task(tap.count(lambda frame: b"said by a stranger" in frame, within_s=5.0, enough=1))
        for tap in taps.values()
    ]
    mouth.say(FRAME)
    assert await asyncio.gather(*listening) == [1, 1, 1]
    for tap in (mouth, *taps.values()):
        await tap.close()


async def test_a_stranger_has_no_address_and_no_number_of_anybody_else(
    built: Built, namespaces: KeptNamespaces
) -> None:
    fabric = built.fabric
    assert fabric.free_stranger() == 0
    first = fabric.plug_stranger(0, "dijon", namespaces().path)
    assert fabric.free_stranger() == 1
    second = fabric.plug_stranger(1, "dijon", namespaces().path)
    everybody = [fabric.end(name) for name in built.topology.endpoints]
    assert len({end.address for end in (first, second, *everybody)}) == len(everybody) + 2
    assert len({end.mac for end in (first, second, *everybody)}) == len(everybody) + 2
    for number in range(2, 9):
        fabric.plug_stranger(number, "thory", namespaces().path)
    with pytest.raises(FabricError, match="9 strangers are plugged in already"):
        fabric.free_stranger()
    with pytest.raises(UsageError, match="strangers are numbered 0 to 9"):
        fabric.plan.stranger_address("dijon", 10)


async def test_nobody_listens_where_nobody_is(stretched: Built) -> None:
    end = stretched.fabric.end("n1")
    stretched.fabric.unplug("n1")
    with pytest.raises(FabricError, match="nobody can listen at"):
        Tap(end, ETHERTYPE_ARP)
