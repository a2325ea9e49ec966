"""Moves whose node loses its power, with all that its kernel had not yet written: nothing of the volume is lost."""

import pytest

from fixtures.marks import promise, software, topology
from fixtures.storage.on_node import NODE, digest, only_with_own_kernels, run, until_it_answers
from harness import wait
from harness.cluster import Cluster, ClusterDesign
from harness.faults.process import Kill
from harness.faults.select import node

SOURCE, TARGET = "/srv/old/disk", "/srv/new/disk"
SIZE_MIB = 64
JOURNALS = "/var/lib/mfs-autonomy/moves"


@pytest.fixture
def cluster_design(cluster_design: ClusterDesign, engine_name: str) -> ClusterDesign:
    """One node, which loses what it did not sync."""
    only_with_own_kernels(engine_name)
    return cluster_design


async def cut_while(cluster: Cluster, phase: str) -> str:
    """A move whose node loses its power once it is in this phase; the digest of the volume before."""
    await run(cluster, "mkdir", "-p", "/srv/old", "/srv/new")
    await run(cluster, "dd", "if=/dev/urandom", f"of={SOURCE}", "bs=1M", f"count={SIZE_MIB}", "status=none")
    await run(cluster, "sync")
    before = await digest(cluster, SOURCE)
    await cluster.engine.spawn(NODE, ["mfs-autonomy", "move", SOURCE, TARGET, "--approve", "--grace", "20"])

    async def is_in_it() -> bool:
        written = f'"phase":"{phase}"'
        done = await cluster.engine.exec(NODE, ["sh", "-c", f"grep -qs '{written}' {JOURNALS}/*.journal"])
        return done.exit_code == 0

    await wait.until(is_in_it, within_s=60, what=f"the move is in {phase}")
    async with cluster.under(Kill(node(NODE))):
        pass
    await until_it_answers(cluster)
    return before


@promise("S5-18", "S5-19", "S5-52", "S5-79")
@software("mfs-autonomy")
@topology("one-node")
async def test_power_lost_while_it_copies(cluster: Cluster) -> None:
    """The copy is rolled back, and says so; the source is whole."""
    before = await cut_while(cluster, "copy")
    assert "failed and rolled back" in await run(cluster, "mfs-autonomy", "move", "--resume", code=1)
    assert await digest(cluster, SOURCE) == before
    assert await run(cluster, "find", "/srv", "-type", "f") == f"{SOURCE}\n"
    await run(cluster, "mfs-autonomy", "status")


@promise("S5-17", "S5-48", "S5-49", "S5-50", "S5-51")
@software("mfs-autonomy")
@topology("one-node")
async def test_power_lost_in_the_grace_period(cluster: Cluster) -> None:
    """Committed: the target is whole although all that was not synced is gone, and the source goes only now."""
    before = await cut_while(cluster, "grace")
    assert await digest(cluster, TARGET) == before
    assert await digest(cluster, SOURCE) == before
    assert "moved, and verified" in await run(cluster, "mfs-autonomy", "move", "--resume")
    assert await digest(cluster, TARGET) == before
    assert await run(cluster, "find", "/srv", "-type", "f") == f"{TARGET}\n"
    await run(cluster, "mfs-autonomy", "status")
