"""A host in the fabric that is no node: it is plugged in, heard, and numbered so that no two are the same."""

import asyncio

import pytest
from scapy.layers.l2 import ARP, Ether

from harness.errors import FabricError, UsageError
from harness.fabric.layout import isolate
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


async def test_announcements_of_some_addresses_are_swallowed_and_no_others(stretched: Built) -> None:
    fabric = stretched.fabric

    async def came_in(address: str, asked: str) -> bool:
        ears, mouth = Tap(fabric.end("user"), ETHERTYPE_ARP), Tap(fabric.end("n1"), ETHERTYPE_ARP)
        frame = bytes(Ether(src=fabric.end("n1").mac, dst="ff:ff:ff:ff:ff:ff") / ARP(psrc=address, pdst=asked))
        listening = asyncio.create_task(ears.count(lambda heard: heard[28:32] == frame[28:32], within_s=0.3, enough=1))
        await asyncio.sleep(0)
        mouth.say(frame)
        found = await listening
        await asyncio.gather(ears.close(), mouth.close())
        return found == 1

    swallowed = "ether type arp arp saddr ip { 192.0.2.77, 192.0.2.78 } arp daddr ip { 192.0.2.77, 192.0.2.78 }"
    assert await came_in("192.0.2.77", "192.0.2.77")
    cut = fabric.cut("swallow", isolate(stretched.topology, "n1"), swallowed)
    assert not await came_in("192.0.2.77", "192.0.2.77")
    assert cut.dropped_packets() > 0
    assert await came_in("192.0.2.79", "192.0.2.79")
    assert await came_in("192.0.2.77", "192.0.2.1"), "a question is no announcement"
    cut.heal()
    assert await came_in("192.0.2.77", "192.0.2.77")


async def test_nobody_listens_where_nobody_is(stretched: Built) -> None:
    end = stretched.fabric.end("n1")
    stretched.fabric.unplug("n1")
    with pytest.raises(FabricError, match="nobody can listen at"):
        Tap(end, ETHERTYPE_ARP)
