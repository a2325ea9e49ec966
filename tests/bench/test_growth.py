"""What the bench of growth draws and reads."""

import os

from harness.bench.growth import topology
from harness.procfs import host_memory_bytes, memory_bytes


def test_nodes_are_spread_over_three_sites() -> None:
    drawn = topology(30)
    assert len(drawn.nodes) == 30
    sites = [node.site for node in drawn.nodes]
    assert [sites.count(site.name) for site in drawn.sites] == [10, 10, 10]
    assert len({node.id for node in drawn.nodes}) == 30


def test_memory_is_read_from_the_kernel() -> None:
    assert 1 << 20 < memory_bytes(os.getpid()) < host_memory_bytes("MemAvailable")
    assert memory_bytes(0) == 0
