"""Plans of faults that nobody wrote: whatever they do, what is promised holds, and afterwards all is well.

An ordinary run performs two short ones; --plans N --seed S performs N, a night's run as many as it has time for.
"""

from fixtures.marks import nightly, topology
from harness.chaos.performing import Performing
from harness.cluster import Cluster


async def test_a_plan(cluster: Cluster, performing: Performing) -> None:
    """Of two, the first ends with everything healed, the second with a majority healed and the rest broken for good."""
    await performing.perform()


@nightly
@topology("five-nodes")
async def test_a_plan_on_five_nodes(cluster: Cluster, performing: Performing) -> None:
    """Where more can be broken at once."""
    await performing.perform()
