"""Cuts of some packets only, and what proves them: canaries to one port, of some length, and flocks of them."""

import math

import pytest

from harness.fabric.canary import ORDINARY, Like
from harness.fabric.layout import drop
from tests.fabric.conftest import Built

LOST_S = 0.05
SOON_S = 5.0


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_a_cut_of_one_port_loses_what_is_sent_to_it_and_nothing_else(built: Built, protocol: str) -> None:
    fabric, wanted = built.fabric, Like("tcp" if protocol == "tcp" else "udp", 5405)
    assert await fabric.canary("n1", "n3", SOON_S, wanted)
    cut = fabric.cut("port", drop("n1", "n3"), f"{protocol} dport 5405")
    assert not await fabric.canary("n1", "n3", LOST_S, wanted)
    assert cut.dropped_packets() > 0
    assert await fabric.canary("n1", "n3", SOON_S, Like(wanted.protocol, 5406))
    assert await fabric.canary("n1", "n3", SOON_S, ORDINARY)
    assert await fabric.canary("n3", "n1", SOON_S, wanted)
    cut.heal()
    assert await fabric.canary("n1", "n3", SOON_S, wanted)


async def test_a_cut_of_long_packets_loses_them_to_the_byte(built: Built) -> None:
    cut = built.fabric.cut("long", drop("n1", "n3"), "ip length > 1000")
    assert not await built.fabric.canary("n1", "n3", LOST_S, Like(length_bytes=1001))
    assert await built.fabric.canary("n1", "n3", SOON_S, Like(length_bytes=1000))
    cut.heal()
    assert await built.fabric.canary("n1", "n3", SOON_S, Like(length_bytes=1500))


async def test_of_a_flock_all_arrive_or_the_share_that_is_not_dropped(built: Built) -> None:
    fabric, count = built.fabric, 1000
    assert await fabric.flock("n1", "n3", count) == count
    cut = fabric.cut("some", drop("n1", "n3"), "numgen random mod 100 < 20")
    lost = count - await fabric.flock("n1", "n3", count)
    assert abs(lost - 0.2 * count) < 6 * math.sqrt(count * 0.2 * 0.8)
    assert cut.dropped_packets() == lost
    cut.heal()


async def test_without_a_carrier_the_kernel_at_the_other_end_says_so(stretched: Built) -> None:
    fabric = stretched.fabric
    assert fabric.has_carrier("n2")
    fabric.drop_carrier("n2")
    assert not fabric.has_carrier("n2")
    assert fabric.has_carrier("n1")
    assert not await fabric.canary("n2", "n1", LOST_S)
    assert not await fabric.canary("n1", "n2", LOST_S)
