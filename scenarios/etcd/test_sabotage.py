"""A store that is asked for less than it promises: the checks of consistency have to find that out."""

import pytest

from fixtures.loads import REGISTERS, stale_reads
from fixtures.marks import caught_by, headline, topology
from harness.cluster import Cluster
from harness.expectations import linearizable_register
from harness.faults.network import Partition
from harness.traffic import Traffic

CUT_OFF = "n3"


@pytest.fixture
def stale(cluster: Cluster, vip: str) -> Traffic:
    """Clients that write by the virtual address and read what one member holds, without its asking the others."""
    return Traffic(cluster, (stale_reads(cluster, vip, CUT_OFF),))


@headline
@topology("single-site")
@caught_by("linearizable_register")
async def test_sabotage_by_serializable_reads_from_a_member_cut_off(cluster: Cluster, stale: Traffic) -> None:
    """The member answers from its own copy, while what clients write goes past it: stale reads, for real."""
    cluster.expect(linearizable_register(REGISTERS))
    async with stale.running():
        async with cluster.under(Partition((CUT_OFF,), cluster.all_but((CUT_OFF,)))):
            await cluster.until(stale.acknowledges_again(), within_s=10)
            await cluster.stay(for_s=0.5, why="a read that lacks those writes has to be called after they returned")
        await cluster.until_settled()
