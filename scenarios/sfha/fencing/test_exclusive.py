"""A service that must never run twice moves only when the node that may still run it is out of the way."""

import json
from typing import Any

import pytest

from fixtures.expected import highly_available
from fixtures.marks import caught_by, headline, per_engine, promise, software
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate, written_by_one_of
from harness.expectations import (
    clients_not_stranded,
    never_without_quorum,
    nothing_lost,
    one_answerer,
    one_holder,
    one_writer,
    outage_at_most,
    writing_gap_at_most,
)
from harness.faults.network import CutSite
from harness.faults.process import Freeze, Kill, Suspend
from harness.faults.select import aim, holder_of, node, site_of
from harness.ledger import ClusterLedger
from harness.outside import PowerSwitch, WriteRecorder
from harness.subjects.sfha.fenced import SERVICE
from harness.wait import until

GAP_LIMIT_S = 10.0


@pytest.fixture(autouse=True)
def recorded(writes: WriteRecorder) -> WriteRecorder:
    """In every scenario the service has a place to write to."""
    return writes


async def _writing(cluster: Cluster) -> None:
    await cluster.until(written_by_one_of(SERVICE, cluster.topology.node_names), within_s=10)


async def _moved_back(cluster: Cluster) -> None:
    """Everybody is back, and the service is where it would be if nothing had ever happened."""
    await cluster.until_settled()
    await cluster.until(written_by_one_of(SERVICE, cluster.topology.node_names[:1]), within_s=10)


async def _fencing(cluster: Cluster, node: str) -> dict[str, Any]:
    """What `sfha stonith status` says on a node."""
    done = await cluster.engine.exec(node, ["sfha", "stonith", "status", "--json"])
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


async def _fenced(cluster: Cluster, vip: str, power: PowerSwitch, lost: tuple[str, ...]) -> None:
    """Address and service move away from what was lost, which has no power by then; it gets its power again."""
    survivors = cluster.all_but(lost)
    await cluster.until(held_by_one_of(vip, survivors), within_s=10)
    await cluster.until(written_by_one_of(SERVICE, survivors), within_s=GAP_LIMIT_S)
    assert tuple(power.switched_off) == lost
    await cluster.power_on(*lost)


async def _frozen_and_fenced(cluster: Cluster, vip: str, power: PowerSwitch, ledger: ClusterLedger) -> None:
    cluster.expect(*highly_available(vip), one_writer(SERVICE), writing_gap_at_most(SERVICE, GAP_LIMIT_S))
    await _writing(cluster)
    async with ledger.writing():
        async with cluster.under(Freeze(holder_of(vip))) as freeze:
            await _fenced(cluster, vip, power, freeze.targets)
        await _moved_back(cluster)


@headline
@per_engine
@promise("S2-02")
@software("sfha-fenced", "etcd")
async def test_frozen_leader_is_fenced_before_its_service_moves(
    cluster: Cluster, vip: str, power: PowerSwitch, ledger: ClusterLedger
) -> None:
    """The leader freezes in the middle of writing: it loses its power, and only then another one writes."""
    await _frozen_and_fenced(cluster, vip, power, ledger)


@promise("S2-02")
@software("sfha-fenced", "etcd", provider="webhook")
async def test_frozen_leader_is_fenced_by_a_web_service(
    cluster: Cluster, vip: str, power: PowerSwitch, ledger: ClusterLedger
) -> None:
    """The same, by the webhook provider."""
    await _frozen_and_fenced(cluster, vip, power, ledger)


@pytest.mark.nightly
@promise("S2-02")
@software("sfha-fenced", "etcd", fence_delay_s=10)
async def test_frozen_leader_with_the_default_delay(
    cluster: Cluster, vip: str, power: PowerSwitch, ledger: ClusterLedger
) -> None:
    """The same, with the ten seconds that are the default."""
    cluster.expect(*highly_available(vip), one_writer(SERVICE), writing_gap_at_most(SERVICE, 10.0 + 3.0))
    await _writing(cluster)
    async with ledger.writing():
        async with cluster.under(Freeze(holder_of(vip))) as freeze:
            survivors = cluster.all_but(freeze.targets)
            await cluster.until(written_by_one_of(SERVICE, survivors), within_s=15)
            await cluster.power_on(*freeze.targets)
        await _moved_back(cluster)


@promise("S2-02")
@software("sfha-fenced", "etcd")
async def test_a_leader_without_power_is_not_waited_for(
    cluster: Cluster, vip: str, power: PowerSwitch, ledger: ClusterLedger
) -> None:
    """Its kernel is gone and the switch says so: nothing has to be fenced, and the service moves at once."""
    cluster.expect(*highly_available(vip), one_writer(SERVICE), writing_gap_at_most(SERVICE, 2.0))
    await _writing(cluster)
    async with ledger.writing():
        async with cluster.under(Kill(holder_of(vip))) as kill:
            await cluster.until(written_by_one_of(SERVICE, cluster.all_but(kill.targets)), within_s=GAP_LIMIT_S)
            assert power.switched_off == []
        await _moved_back(cluster)


@promise("S2-02")
@software("sfha-fenced", "etcd")
async def test_a_leader_whose_whole_kernel_stops_is_fenced(
    cluster: Cluster, vip: str, power: PowerSwitch, ledger: ClusterLedger
) -> None:
    """Nothing on it runs, nothing comes from it or reaches it, and it has power: fenced before its service moves."""
    cluster.expect(*highly_available(vip), one_writer(SERVICE), writing_gap_at_most(SERVICE, GAP_LIMIT_S))
    await _writing(cluster)
    async with ledger.writing():
        (holder,) = await aim(cluster, holder_of(vip))
        async with cluster.under(Freeze(node(holder))) as freeze, cluster.under(CutSite(site_of(node(holder)))):
            await _fenced(cluster, vip, power, freeze.targets)
        await _moved_back(cluster)


@promise("S2-02")
@software("sfha-fenced", "etcd")
async def test_a_hung_daemon_whose_service_goes_on_writing_is_fenced(
    cluster: Cluster, vip: str, power: PowerSwitch, ledger: ClusterLedger
) -> None:
    """Only the daemon hangs; the address moves, but the service there still writes, until its node has no power."""
    cluster.expect(*highly_available(vip), one_writer(SERVICE), writing_gap_at_most(SERVICE, GAP_LIMIT_S))
    await _writing(cluster)
    async with ledger.writing():
        async with cluster.under(Suspend(holder_of(vip), daemon="sfha")) as suspend:
            survivors = cluster.all_but(suspend.targets)
            await cluster.until(held_by_one_of(vip, survivors), within_s=10)
            await cluster.until(written_by_one_of(SERVICE, suspend.targets), within_s=1)
            await cluster.until(written_by_one_of(SERVICE, survivors), within_s=GAP_LIMIT_S)
            assert tuple(power.switched_off) == suspend.targets
            await cluster.power_on(*suspend.targets)
        await _moved_back(cluster)


@headline
@promise("S2-02")
@software("sfha-fenced", "etcd")
async def test_while_fencing_fails_the_service_stays_down(
    cluster: Cluster, vip: str, power: PowerSwitch, ledger: ClusterLedger
) -> None:
    """The switch is out of order: the address moves, the service does not, and the status says what it waits for."""
    cluster.expect(*highly_available(vip), one_writer(SERVICE))
    await _writing(cluster)
    async with ledger.writing(), power.answering("with an error"):
        async with cluster.under(Freeze(holder_of(vip))) as freeze:
            survivors = cluster.all_but(freeze.targets)
            runs_elsewhere = written_by_one_of(SERVICE, survivors)  # from now on: it may have, before all were up
            await cluster.until(held_by_one_of(vip, survivors), within_s=10)
            leader = await cluster.holder(vip)

            async def fencing_failed() -> bool:
                done = await cluster.engine.exec(leader, ["sfha", "stonith", "history", "--json"])
                return [one["ok"] for one in json.loads(done.stdout)["history"]] == [False]

            await until(fencing_failed, within_s=20, what="the fencing has failed", every_s=0.2)

            async def waits_for_it() -> bool:
                status = await _fencing(cluster, leader)
                assert not status["permitted"]
                return bool(status["waits_for"] == freeze.targets[0])

            # A leader that has just taken its lease anew asks everybody again before it says so.
            await until(waits_for_it, within_s=5, what="the status says what the service waits for", every_s=0.2)
            assert not runs_elsewhere.holds(cluster.live())
        # It thaws, finds that it leads no longer, stops its service and says so: nobody has to be fenced any more.
        await _moved_back(cluster)
        assert power.switched_off == []


@promise("S2-02")
@software("sfha-fenced", "etcd", min_delay_s=0)
async def test_a_switch_that_works_again_is_used(
    cluster: Cluster, vip: str, power: PowerSwitch, ledger: ClusterLedger
) -> None:
    """The switch does not answer at first; when it does, the node is fenced, and the service goes on elsewhere."""
    cluster.expect(*highly_available(vip), one_writer(SERVICE))
    await _writing(cluster)
    async with ledger.writing():
        async with cluster.under(Freeze(holder_of(vip))) as freeze:
            survivors = cluster.all_but(freeze.targets)
            async with power.answering("with an error"):
                await cluster.until(held_by_one_of(vip, survivors), within_s=10)
                await cluster.stay(for_s=4, why="the first try to fence has failed")
                assert power.switched_off == []
            await cluster.until(written_by_one_of(SERVICE, survivors), within_s=20)
            assert tuple(power.switched_off) == freeze.targets
            await cluster.power_on(*freeze.targets)
        await _moved_back(cluster)


@promise("S2-02")
@software("sfha-fenced", "etcd")
async def test_a_clean_shut_down_needs_no_fencing(
    cluster: Cluster, vip: str, power: PowerSwitch, ledger: ClusterLedger
) -> None:
    """The leader is shut down in good order: it stops its service, says so, and the next one starts at once."""
    cluster.expect(*highly_available(vip), one_writer(SERVICE), writing_gap_at_most(SERVICE, 3.0))
    await _writing(cluster)
    async with ledger.writing():
        (holder,) = await aim(cluster, holder_of(vip))
        await cluster.shut_down(holder)
        survivors = cluster.all_but((holder,))
        await cluster.until(written_by_one_of(SERVICE, survivors), within_s=10)
        await cluster.until(quorate(survivors, survivors), within_s=10)
        await cluster.stay(for_s=3, why="a node that said goodbye is not fenced, whatever the delay")
        assert power.switched_off == []
        await cluster.power_on(holder)
        await _moved_back(cluster)


@promise("S2-02", "D-10")
@software("sfha-fenced", "etcd", guarded=False)
async def test_an_address_without_the_lease_waits_for_fencing(
    cluster: Cluster, vip: str, power: PowerSwitch, ledger: ClusterLedger
) -> None:
    """Nothing in the kernel of the frozen leader gives it up in time, so it moves when that node has no power."""
    cluster.expect(
        one_holder(vip),
        one_answerer(vip),
        outage_at_most(vip, GAP_LIMIT_S),
        never_without_quorum(vip, tolerance_s=GAP_LIMIT_S),
        clients_not_stranded(vip),
        nothing_lost(),
    )
    async with ledger.writing():
        async with cluster.under(Freeze(holder_of(vip))) as freeze:
            survivors = cluster.all_but(freeze.targets)
            await cluster.until(quorate(survivors, survivors), within_s=10)
            assert power.switched_off == []
            await cluster.until(held_by_one_of(vip, survivors), within_s=10)
            assert tuple(power.switched_off) == freeze.targets
            await cluster.power_on(*freeze.targets)
        await _moved_back(cluster)


@caught_by("one_writer")
@software("sfha-fenced", "etcd", fencing=False)
async def test_without_fencing_two_nodes_write(
    cluster: Cluster, vip: str, power: PowerSwitch, ledger: ClusterLedger
) -> None:
    """Sabotage: fencing is off, so the service starts elsewhere although the one under the hung daemon goes on."""
    cluster.expect(*highly_available(vip), one_writer(SERVICE))
    await _writing(cluster)
    async with ledger.writing():
        async with cluster.under(Suspend(holder_of(vip), daemon="sfha")) as suspend:
            survivors = cluster.all_but(suspend.targets)
            await cluster.until(held_by_one_of(vip, survivors), within_s=10)
            await cluster.until(written_by_one_of(SERVICE, survivors), within_s=10)
            await cluster.until(written_by_one_of(SERVICE, suspend.targets), within_s=10)
        await _moved_back(cluster)
