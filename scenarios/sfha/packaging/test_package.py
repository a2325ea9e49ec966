"""The package on systems that boot systemd: installed by apt, founded and joined by commands, started by its units."""

from pathlib import Path

from fixtures.expected import undisturbed
from fixtures.marks import caught_by, image, promise, software
from fixtures.sfha.operator import Operator, node_count
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.engines.engine import NodeFile
from harness.faults.process import Kill
from harness.faults.select import holder_of
from harness.scenario import until_it_bites
from harness.wait import until

SANDBOX = NodeFile("/etc/systemd/system/sfha.service.d/sandbox.conf", b"[Service]\nReadWritePaths=/nonexistent\n")
NAMESPACE_FAILED = "226"
"""The exit status that systemd.exec(5) calls EXIT_NAMESPACE."""
BROUGHT = {"sfha", "corosync", "iproute2", "libcmap4", "libnftables1", "libquorum5", "python3-yaml", "wireguard-tools"}
"""The package and what it depends on, but for python3: the watch inside of a node needs that, too."""
UNITS = ("sfha-mesh.service", "corosync.service", "sfha.service")


@software("sfha-packaged", "etcd")
@image("systemd-trixie")
@promise("S1-25", "S1-29", "S1-30", "S1-31", "S1-32", "S1-33", "S1-34", "S1-35", "S1-36", "S1-37", "S1-38")
async def test_package_on_trixie(cluster: Cluster, vip: str, operator: Operator, package: Path) -> None:
    """Three fresh Debian 13 systems become a cluster that survives the loss of its leader, and a boot."""
    await _installed_founded_joined(cluster, vip, operator, package)


@software("sfha-packaged", "etcd")
@image("systemd-bookworm")
@promise("S1-25", "S1-29", "S1-30", "S1-31", "S1-32", "S1-33", "S1-34", "S1-35", "S1-36", "S1-37", "S1-38")
async def test_package_on_bookworm(cluster: Cluster, vip: str, operator: Operator, package: Path) -> None:
    """The same on Debian 12."""
    await _installed_founded_joined(cluster, vip, operator, package)


@software("sfha-packaged", "etcd")
@image("systemd-trixie")
@caught_by("body_passed")
async def test_sabotage_unit_with_a_sandbox_that_fails(cluster: Cluster, operator: Operator, package: Path) -> None:
    """Its sandbox wants a directory that is not there: systemd says 226/NAMESPACE, and the daemon never runs."""

    async def failed_so() -> bool:
        asked = "systemctl show --property=ExecMainStatus --value sfha.service"
        return (await operator.shell("n1", asked)).strip() == NAMESPACE_FAILED

    async def answers() -> bool:
        return bool(await operator.status("n1"))

    with until_it_bites():
        await _booted(operator, "n1")
        await cluster.engine.write_file("n1", SANDBOX)
        await _installed(operator, "n1", package)
        await operator.succeeds("n1", "cp /root/config.yml /etc/sfha/config.yml")
        await operator.shell("n1", "systemctl start sfha.service")
        await until(failed_so, within_s=10, every_s=0.05, what=f"the unit ends with {NAMESPACE_FAILED}/NAMESPACE")
        assert await _lacked_a_namespace(operator, "n1"), "the journal does not say so"
    await until(answers, within_s=5, every_s=0.2, what="the daemon answers on n1")


async def _installed_founded_joined(cluster: Cluster, vip: str, operator: Operator, package: Path) -> None:
    everybody = cluster.all_but(())
    for name in everybody:
        await _booted(operator, name)
        await _installed(operator, name, package)
    await operator.succeeds("n1", "cp /root/config.yml /etc/sfha/config.yml")
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip, outage_s=10))
    await operator.joins("n2", seeder="n1")
    await operator.logged("n1", "newcomer-votes", name="n2")
    await operator.joins("n3", seeder="n2")
    await operator.logged("n1", "newcomer-votes", name="n3")
    await operator.all_list(everybody, everybody)
    await cluster.until(quorate(everybody, everybody), within_s=10)
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    for name in everybody:
        assert node_count(await operator.corosync_conf(name)) == 3
        await operator.has_peers(name, 2)
    assert f" {vip}/" in await operator.shell("n1", "ip -4 -o address")
    assert [name for name in everybody if await _lacked_a_namespace(operator, name)] == []
    others = cluster.all_but(("n1",))
    for name in others:
        await operator.follows(name)
        await _shown(operator, name, "the leader is now n1")
        assert f"the leader is now {name}" not in await operator.followed(name)
        assert await operator.times(name, "leader-elected", leader_name=name) == []
    async with cluster.under(Kill(holder_of(vip))):
        await cluster.until(held_by_one_of(vip, others), within_s=10)
        holder = await cluster.holder(vip)
        await _shown(operator, holder, f"the leader is now {holder}")
    # Nobody types anything on the node that boots again: its units have to do it all.
    await cluster.until_settled(within_s=60)
    for name in UNITS:
        await _active(operator, "n1", name)
    assert [name for name in everybody if await _lacked_a_namespace(operator, name)] == []


async def _booted(operator: Operator, node: str) -> None:
    async def running() -> bool:
        state = (await operator.shell(node, "systemctl is-system-running")).strip()
        return state in ("running", "degraded")

    await until(running, within_s=60, every_s=0.2, what=f"systemd of {node} has booted")


async def _active(operator: Operator, node: str, unit: str) -> None:
    async def active() -> bool:
        return (await operator.shell(node, f"systemctl is-active {unit}")).strip() == "active"

    await until(active, within_s=30, every_s=0.2, what=f"{unit} is active on {node}")


async def _installed(operator: Operator, node: str, package: Path) -> None:
    brought = await operator.installs(node, package)
    assert brought >= BROUGHT, f"apt did not install on {node}: {', '.join(sorted(BROUGHT - brought))}"


async def _lacked_a_namespace(operator: Operator, node: str) -> bool:
    """Whether systemd says so in the journal of this boot, which has to tell of the unit."""
    journal = await operator.succeeds(node, "journalctl --sync && journalctl --no-pager --boot")
    assert "sfha.service" in journal, f"the journal of {node} does not tell of sfha.service: {journal}"
    return "NAMESPACE" in journal


async def _shown(operator: Operator, node: str, words: str) -> None:
    async def there() -> bool:
        return words in await operator.followed(node)

    await until(there, within_s=10, every_s=0.1, what=f"`sfha logs -f` on {node} shows: {words}")
