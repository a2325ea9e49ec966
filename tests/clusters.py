"""Small clusters for the harness's own tests: quick to boot, nothing to settle."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness.cluster import Cluster
from harness.design import ClusterDesign
from harness.images import ensure_image
from harness.subjects.redis.subject import Redis
from harness.topology import Topology, load

TOPOLOGY = Path(__file__).parents[1] / "fixtures/topologies/three-sites.toml"


def drawn(directory: Path, engine: str = "local", topology: Topology | None = None) -> Cluster:
    """Nodes that run Redis, three in three sites unless a topology is given; nobody holds the virtual address."""
    run_id = f"test-{secrets.token_hex(5)}"
    return Cluster(
        ClusterDesign(
            scenario="a test of the harness",
            topology=topology or load(TOPOLOGY),
            subjects=(Redis(),),
            image=ensure_image(),
            engine=engine,
            seed=7,
            run_id=run_id,
            run_directory=directory / run_id,
        )
    )


def unstarted(topology: Topology) -> Cluster:
    """A cluster of this topology that has no image to be started from."""
    nowhere = Path("/nonexistent")
    return Cluster(
        ClusterDesign(
            scenario="a test of the harness",
            topology=topology,
            subjects=(Redis(),),
            image=nowhere,
            engine="local",
            seed=7,
            run_id="unstarted",
            run_directory=nowhere,
        )
    )


@asynccontextmanager
async def running(directory: Path, engine: str = "local", topology: Topology | None = None) -> AsyncIterator[Cluster]:
    """Such a cluster, started; gone afterwards."""
    cluster = drawn(directory, engine, topology)
    try:
        await cluster.start()
        yield cluster
    finally:
        await cluster.end()
