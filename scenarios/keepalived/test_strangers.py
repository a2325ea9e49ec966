"""A host that is no node, and speaks VRRP as keepalived does: what it can do to the address."""

from fixtures.marks import headline, hosts_kernel, software
from harness.cluster import Cluster
from harness.conditions import held_by_nobody, held_by_one_of
from harness.expectations import one_holder
from harness.faults.packets import ForgeVrrp

KEEPALIVED_ROUTER = 77


@headline
@hosts_kernel("what a stranger sends is seen by way of the host's kernel")
@software("keepalived", "etcd", advert_s=0.1)
async def test_keepalived_gives_way_to_a_stranger_of_priority_255(cluster: Cluster, vip: str) -> None:
    """What VRRP without authentication means: the master gives the address up, and nobody has it."""
    cluster.expect(one_holder(vip, hand_over_s=0.1))
    await cluster.until(held_by_one_of(vip, cluster.topology.node_names), within_s=10)
    async with cluster.under(ForgeVrrp(vip, router_id=KEEPALIVED_ROUTER, every_s=0.05)):
        await cluster.until(held_by_nobody(vip), within_s=5)
    await cluster.until(held_by_one_of(vip, cluster.topology.node_names), within_s=10)
