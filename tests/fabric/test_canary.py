"""Canaries: what they prove, what they do not depend on, and that they leave nothing open."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.clock import now_s
from harness.errors import FabricError
from harness.fabric.canary import End, arrives
from harness.fabric.layout import drop, partition
from tests.fabric.conftest import Built


def end_of(built: Built, name: str) -> End:
    plan = built.fabric.plan
    return End(built.ends[name].path, "eth0", plan.mac(name), plan.address(name))


def open_files() -> set[str]:
    return {file.name for file in Path("/proc/self/fd").iterdir()}


async def test_a_canary_needs_one_direction_only(stretched: Built) -> None:
    stretched.fabric.cut("back", drop("n3", "n1"))
    assert await arrives(end_of(stretched, "n1"), end_of(stretched, "n3"), within_s=5.0)
    assert not await arrives(end_of(stretched, "n3"), end_of(stretched, "n1"), within_s=0.05)


async def test_a_canary_arrives_at_once_after_a_heal_whatever_address_resolution_has_suffered(stretched: Built) -> None:
    cut = stretched.fabric.cut("long", partition(["n1"], ["n3"]))
    assert not await stretched.fabric.canary("n1", "n3", within_s=0.1)
    cut.heal()
    assert await stretched.fabric.canary("n1", "n3", within_s=5.0)


async def test_a_canary_that_does_not_arrive_gives_up_in_time(stretched: Built) -> None:
    stretched.fabric.cut("there", drop("n1", "n3"))
    began_s = now_s()
    assert not await stretched.fabric.canary("n1", "n3", within_s=0.05)
    assert now_s() - began_s >= 0.05


async def test_nothing_stays_open(stretched: Built) -> None:
    before = open_files()
    await stretched.fabric.canary("n1", "n3", within_s=1.0)
    stretched.fabric.cut("there", drop("n1", "n3"))
    await stretched.fabric.canary("n1", "n3", within_s=0.02)
    with pytest.raises(FabricError):
        await arrives(replace(end_of(stretched, "n1"), interface="eth7"), end_of(stretched, "n3"), within_s=0.02)
    assert open_files() == before


async def test_an_end_without_such_a_link_or_address_is_named(stretched: Built) -> None:
    here, there = end_of(stretched, "n1"), end_of(stretched, "n3")
    with pytest.raises(FabricError, match=r"no canary at .* on eth7: No such device"):
        await arrives(replace(here, interface="eth7"), there, within_s=0.02)
    with pytest.raises(FabricError, match=r"no canary at 10\.9\.9\.9 on eth0: Cannot assign"):
        await arrives(here, replace(there, address="10.9.9.9"), within_s=0.02)
