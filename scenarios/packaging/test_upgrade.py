"""The .deb of the current source on nodes that are members of a running cluster."""

from pathlib import Path

from deb.build import STACK, build
from fixtures.expected import undisturbed
from fixtures.marks import promise, software
from fixtures.operator import Operator
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.engines.engine import NodeFile

INSTALLED, NEWER = "0.0.1", "99.0"


async def _install(cluster: Cluster, node: str, package: Path) -> None:
    """`dpkg --install` without a network's help."""
    place = f"/root/{package.name}"
    await cluster.engine.write_file(node, NodeFile(place, package.read_bytes()))
    done = await cluster.engine.exec(node, ["dpkg", "--install", place], timeout_s=60)
    said = (done.stdout + done.stderr).decode(errors="replace")
    cluster.note(f"{node}# dpkg --install {package.name} -> {done.exit_code}: {said.strip().splitlines()[-1]}")
    assert done.exit_code == 0, said


async def _is_the_source(cluster: Cluster, operator: Operator, node: str) -> None:
    """What was installed are the files of this source; the unit lets the daemon run in a container."""
    unit = await operator.shell(node, "cat /usr/lib/systemd/system/sfha.service")
    assert {"PrivateTmp=no", "ProtectHome=no", "RestrictNamespaces=no"} <= set(unit.splitlines())
    for file in ("node.py", "runtime.py", "operations/wiring.py"):
        found = await cluster.engine.read_file(node, f"/usr/lib/sfha/harness/stack/{file}")
        assert found == (STACK / file).read_bytes(), f"{file} on {node} is not that of the source"


@software("sfha-unconfigured", "etcd")
@promise("S1-01", "S1-05", "S1-29", "S2-47", "S2-15")
async def test_install_join_and_upgrade(cluster: Cluster, vip: str, operator: Operator, tmp_path: Path) -> None:
    """Three nodes with the package become a cluster; each is upgraded in turn, and Corosync does not notice."""
    installed, newer = build(tmp_path, INSTALLED), build(tmp_path, NEWER)
    everybody = cluster.all_but(())
    for name in everybody:
        await _install(cluster, name, installed)
        await _is_the_source(cluster, operator, name)
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip, outage_s=1.0))
    for name in ("n2", "n3"):
        await operator.joins(name, seeder="n1")
    await operator.all_list(everybody, everybody)
    before = operator.corosyncs()
    for name in everybody:
        await _install(cluster, name, newer)
        await operator.logged(name, "daemon-restarting")
        await operator.all_list(everybody, everybody)
        await cluster.until(quorate(everybody, everybody), within_s=10)
        assert (await operator.shell(name, "dpkg-query -Wf '${Version}' sfha")) == NEWER
    assert operator.corosyncs() == before, "Corosync was started anew"
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
