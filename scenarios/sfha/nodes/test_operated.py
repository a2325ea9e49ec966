"""An operator is at work while other things go wrong."""

import pytest

from fixtures.expected import highly_available
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
