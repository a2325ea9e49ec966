"""An operator is at work while other things go wrong."""

import pytest

from fixtures.expected import highly_available
from fixtures.marks import promise, software, topology
from harness.chaos.performing import Performing
from harness.cluster import Cluster


@pytest.mark.plan("operated.json")
async def test_an_operator_is_at_work_while_nodes_die_and_packets_are_lost(
    cluster: Cluster, vip: str, performing: Performing
) -> None:
    """The holder stands by, and who has the address after it loses power: it is not the one in standby that takes over.

    Then a configuration is edited and reloaded while packets are lost.
    """
    cluster.expect(*highly_available(vip))
    await performing.perform()


@promise("S2-08", "S2-47", "S2-52", "S2-54")
@pytest.mark.plan("changed.json")
@topology("five-nodes")
@software("sfha", "etcd", apart=("n5",))
async def test_nodes_are_removed_added_and_upgraded_in_the_middle_of_other_faults(
    cluster: Cluster, vip: str, performing: Performing
) -> None:
    """A member is removed while another is cut off, one is added while the holder is dead, and the holder upgraded.

    Of four members three go on without the one that is cut off; without the one that is removed two of three do.
    """
    cluster.expect(*highly_available(vip))
    await performing.perform()
