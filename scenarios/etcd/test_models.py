"""Objects of every model beside each other, by the virtual address and by each member."""

from fixtures.expected import consistent, highly_available
from fixtures.marks import headline, per_engine, topology
from harness.cluster import Cluster
from harness.conditions import held_by_one_of
from harness.faults.network import Partition
from harness.faults.process import Kill
from harness.faults.select import aim, holder_of
from harness.traffic import Traffic

LONG_ENOUGH = 100
"""So many writes take about a second."""


@headline
@per_engine
async def test_every_model_while_the_holder_is_killed(cluster: Cluster, vip: str, traffic: Traffic) -> None:
    """Clients of the dead member cannot know what became of their operations; all the others see one object each."""
    cluster.expect(*highly_available(vip), *consistent())
    async with traffic.running():
        async with cluster.under(Kill(holder_of(vip))) as kill:
            await cluster.until(held_by_one_of(vip, cluster.all_but(kill.targets)), within_s=10)
            await cluster.until(traffic.acknowledges_again(LONG_ENOUGH), within_s=10)
        await cluster.until_settled()


@topology("single-site")
async def test_every_model_while_the_holder_is_cut_off_from_its_peers(
    cluster: Cluster, vip: str, traffic: Traffic
) -> None:
    """Clients still reach the member that is alone: it may refuse to answer, but not answer for itself."""
    cluster.expect(*highly_available(vip), *consistent())
    async with traffic.running():
        (holder,) = await aim(cluster, holder_of(vip))
        others = cluster.all_but((holder,))
        async with cluster.under(Partition((holder,), others)):
            await cluster.until(held_by_one_of(vip, others), within_s=10)
            await cluster.until(traffic.acknowledges_again(LONG_ENOUGH), within_s=10)
        await cluster.until_settled()
