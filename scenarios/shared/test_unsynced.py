"""Stores that acknowledge what they have not synced: a power cut that takes it shows what was promised for nothing.

Only where nodes have kernels of their own does a power cut take anything: elsewhere none of this can be shown.
"""

from dataclasses import replace

import pytest

from fixtures.marks import caught_by, image, software
from harness.cluster import Cluster, ClusterDesign
from harness.conditions import held_by_one_of
from harness.engines.choice import loses_unsynced_writes
from harness.expectations import nothing_lost, one_holder
from harness.faults.process import Kill
from harness.faults.select import all_nodes
from harness.ledger import ClusterLedger
from harness.scenario import until_it_bites
from harness.subjects.etcd.subject import Etcd
from harness.subjects.redis.subject import Redis
from harness.wait import together

ELECTION_S = 2.0
"""keepalived that all boot at once may all take the address until they have heard of each other; not the point here."""


@pytest.fixture
def cluster_design(cluster_design: ClusterDesign, engine_name: str) -> ClusterDesign:
    """Not where what was written survives anyway."""
    if not loses_unsynced_writes(engine_name):
        pytest.skip(f"not shown here: unsynced writes survive a power cut on the engine {engine_name} (uml loses them)")
    return cluster_design


class TestWithEtcd:
    """Three members, each with its log on its own disk."""

    @pytest.fixture
    def cluster_design(self, cluster_design: ClusterDesign, request: pytest.FixtureRequest) -> ClusterDesign:
        """With an etcd that does not sync, in the sabotage."""
        sabotaged = request.node.get_closest_marker("caught_by") is not None
        first, _ = cluster_design.subjects
        return replace(cluster_design, subjects=(first, Etcd(unsafe_no_fsync=sabotaged)))

    @software("keepalived", "etcd")
    async def test_what_is_synced_survives(self, cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
        """All power goes while clients write, and comes back: nothing that was acknowledged is lost."""
        await all_power_goes(cluster, vip, ledger)

    @caught_by("nothing_lost")
    @software("keepalived", "etcd")
    async def test_what_is_not_synced_is_lost(self, cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
        """The same with --unsafe-no-fsync."""
        await all_power_goes(cluster, vip, ledger)


class TestWithRedis:
    """A master, and replicas that follow it."""

    @pytest.fixture(params=["no", "everysec"])
    def cluster_design(self, cluster_design: ClusterDesign, request: pytest.FixtureRequest) -> ClusterDesign:
        """With a Redis that leaves it to the kernel when to write, or does it once a second."""
        first, _ = cluster_design.subjects
        return replace(cluster_design, subjects=(first, Redis(appendfsync=request.param)))

    @caught_by("nothing_lost")
    @software("keepalived", "redis")
    async def test_what_is_not_synced_is_lost(self, cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
        """All power goes while clients write, and comes back."""
        await all_power_goes(cluster, vip, ledger)


class TestWithNats:
    """Streams of three replicas: what is acknowledged is in the memory of a majority."""

    @image("nats")
    @caught_by("nothing_lost")
    @software("keepalived", "nats")
    async def test_what_is_not_synced_is_lost(self, cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
        """With the settings that it has by itself, it syncs every two minutes (nats-server#7564)."""
        await all_power_goes(cluster, vip, ledger)


async def all_power_goes(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """Every node loses its power at the same instant while clients write."""
    cluster.expect(nothing_lost(), one_holder(vip, hand_over_s=ELECTION_S))
    with until_it_bites():
        await cluster.until(held_by_one_of(vip, cluster.all_but(())), within_s=30)
        async with ledger.writing():
            # What there was before the writes is not the point: the members have to come back.
            await together(*(cluster.engine.exec(node, ["sync"]) for node in cluster.all_but(())))
            await cluster.stay(for_s=2, why="clients write")
            async with cluster.under(Kill(all_nodes())):
                pass
            await cluster.until(held_by_one_of(vip, cluster.all_but(())), within_s=60)
            await cluster.until(ledger.acknowledges_again(), within_s=60)
