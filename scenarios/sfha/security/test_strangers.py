"""A host that is no node, in the same network as the nodes: what it can do to an address, and what it cannot."""

from fixtures.expected import undisturbed
from fixtures.marks import headline, promise
from harness.cluster import Cluster
from harness.conditions import answers, quorate
from harness.expectations import nothing_lost, one_holder
from harness.faults.packets import (
    AddressConflict,
    ArpFlood,
    ForgeAnnouncement,
    ForgeVrrp,
    MutateDatagrams,
    ReplayDatagrams,
)
from harness.ledger import ClusterLedger
from harness.subjects.sfha.subject import WIREGUARD_PORT

LASTS_S = 2.0
BELIEVED_FOR_S = 40.0
"""A neighbour that was lied to asks again when nothing comes back, at the latest after this: what kernels do."""
KEEPALIVED_ROUTER = 77


@headline
async def test_a_stranger_that_floods_and_speaks_vrrp_disturbs_nobody(
    cluster: Cluster, vip: str, ledger: ClusterLedger
) -> None:
    """A thousand ARP questions a second, and VRRP with priority 255: nothing that the nodes listen to."""
    cluster.expect(*undisturbed(vip))
    await cluster.until_settled()
    async with ledger.writing():
        async with cluster.under(ArpFlood("all", rate=1000)):
            await cluster.stay(for_s=LASTS_S, why="clients would notice")
        async with cluster.under(ForgeVrrp(vip, router_id=KEEPALIVED_ROUTER)):
            await cluster.stay(for_s=LASTS_S, why="a speaker of VRRP would have given the address up")


async def test_a_stranger_with_the_same_address_takes_it_from_no_node(
    cluster: Cluster, vip: str, ledger: ClusterLedger
) -> None:
    """Clients may believe it while it is there, and for as long as their kernels remember; the nodes do not.

    Nothing in the network tells one host that speaks for an address from another (ARP has no proof of anything).
    """
    cluster.expect(one_holder(vip), nothing_lost())
    await cluster.until_settled()
    holder = await cluster.holder(vip)
    async with ledger.writing():
        for fault in (AddressConflict(vip), ForgeAnnouncement(vip, every_s=0.1)):
            async with cluster.under(fault):
                await cluster.stay(for_s=LASTS_S, why="clients come to believe it")
                assert await cluster.holder(vip) == holder
            await cluster.until(answers(vip), within_s=BELIEVED_FOR_S)
    await cluster.until_settled()


@promise("D-52")
async def test_what_nodes_said_to_each_other_is_said_again_by_a_stranger(
    cluster: Cluster, vip: str, ledger: ClusterLedger
) -> None:
    """Word for word, and changed, under the sender's address and five hundred times a second to each node.

    All that nodes say to each other goes through the tunnel, so there is nothing else to be heard in their network.
    """
    cluster.expect(*undisturbed(vip), nothing_lost())
    await cluster.until_settled()
    holder, nodes = await cluster.holder(vip), cluster.topology.node_names
    async with ledger.writing():
        for kind in (ReplayDatagrams, MutateDatagrams):
            async with cluster.under(kind("all", port=WIREGUARD_PORT, rate=500 * len(nodes))):
                await cluster.stay(for_s=LASTS_S, why="a receiver that believes it would do something")
                assert await cluster.holder(vip) == holder
    assert await cluster.holder(vip) == holder
    await cluster.until(quorate(nodes, nodes), within_s=5)
