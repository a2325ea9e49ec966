"""Defects that take several faults on one node: each is brought out by the smallest plan that does, and caught.

The plans are kept as they are: what a seed draws is another plan as soon as there is another fault. No single fault of
one would bring its defect out.
"""

import pytest

from fixtures.marks import caught_by, nightly, software
from harness.chaos.performing import Performing


@nightly
@software("sfha-planted", "etcd", planted="rebooted-unplugged")
@pytest.mark.plan("planted/rebooted-unplugged.json")
@caught_by("one_holder")
async def test_sabotage_of_a_node_that_lost_its_power_and_then_its_cable(performing: Performing) -> None:
    """It takes the address where nobody hears it."""
    await performing.perform()


@nightly
@software("sfha-planted", "etcd", planted="frozen-nameless")
@pytest.mark.plan("planted/frozen-nameless.json")
@caught_by("one_holder")
async def test_sabotage_of_a_node_that_stood_still_and_then_finds_no_names(performing: Performing) -> None:
    """It takes the address beside its holder."""
    await performing.perform()


@nightly
@software("sfha-planted", "etcd", planted="rebooted-twice-frozen")
@pytest.mark.plan("planted/rebooted-twice-frozen.json")
@caught_by("one_holder")
async def test_sabotage_of_a_node_that_lost_its_power_twice_and_then_stood_still(performing: Performing) -> None:
    """It takes the address beside its holder."""
    await performing.perform()
