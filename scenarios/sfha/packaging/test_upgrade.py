"""The .deb of the current source on nodes that are members of a running cluster."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.expected import undisturbed
from fixtures.marks import promise, software
from fixtures.sfha.operator import Operator
from fixtures.wiretap import UDP, listening
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.engines.engine import NodeFile
from harness.packaging.debian import build
from harness.packaging.program import program
from harness.wait import until

ROOT = Path(__file__).resolve().parents[3]
INSTALLED, NEWER = "0.0.1", "99.0"
UNSEALED, UNPAIRED = "80ee440", "ad70726"
"""The last versions whose daemons believed datagrams without a seal, and signed requests with one key for all."""
PLAIN, DATAGRAMS = b"[", 7778
AS_BEFORE = """
import asyncio, json, sys
sys.path.insert(0, "/usr/lib/sfha")
from sfha.config.load import load_mesh
from sfha.p2p.client import Caller, OneKey
from sfha.p2p.core import key_of_cluster
mesh = load_mesh()
key = OneKey(key_of_cluster(open("/etc/corosync/authkey", "rb").read()))
caller = Caller(mesh.own.name, key, mesh.own.address)
async def ask():
    return [(await caller.call(peer.name, peer.address, "/state")).status for peer in mesh.peers]
print(json.dumps(asyncio.run(ask())))
"""


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
    source = program("sfha")
    for file in ("node/node.py", "daemon/daemon.py", "admin/service.py", "kit/messages.py"):
        path = f"usr/lib/sfha/sfha/{file}"
        found = await cluster.engine.read_file(node, f"/{path}")
        assert found == source[path], f"{file} on {node} is not that of the source"


@software("sfha-unconfigured", "etcd")
@promise("S1-01", "S1-05", "S1-29", "S2-47", "S2-15")
async def test_install_join_and_upgrade(cluster: Cluster, vip: str, operator: Operator, tmp_path: Path) -> None:
    """Three nodes with the package become a cluster; each is upgraded in turn, and Corosync does not notice."""
    installed, newer = build("sfha", tmp_path, INSTALLED), build("sfha", tmp_path, NEWER)
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
    before = await operator.corosyncs()
    for name in everybody:
        await _install(cluster, name, newer)
        await operator.logged(name, "daemon-restarting")
        await operator.all_list(everybody, everybody)
        await cluster.until(quorate(everybody, everybody), within_s=10)
        assert (await operator.shell(name, "dpkg-query -Wf '${Version}' sfha")) == NEWER
    assert await operator.corosyncs() == before, "Corosync was started anew"
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)


def _package_of(commit: str, directory: Path) -> Path:
    """The package as it was, by the builder of then; skips where this copy of the source does not go back so far."""
    command = ["git", "-C", str(ROOT), "archive", commit, "harness", "deb"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"not shown here: this copy of the source does not go back to {commit}")
    directory.mkdir()
    subprocess.run(["tar", "-x", "-C", str(directory)], input=done.stdout, check=True)
    build_then = [sys.executable, "-m", "deb.build", "--version", INSTALLED, "--output", str(directory / "dist")]
    subprocess.run(build_then, cwd=directory, check=True, capture_output=True)
    return directory / f"dist/sfha_{INSTALLED}_all.deb"


@software("sfha-unconfigured", "etcd")
@promise("S2-47", "S2-15", "D-23")
async def test_upgrade_from_the_version_without_seals(
    cluster: Cluster, vip: str, operator: Operator, tmp_path: Path
) -> None:
    """Node after node, while it serves: who is upgraded is heard sealed and in no other way, in the end all are."""
    await _upgrades(cluster, vip, operator, tmp_path, UNSEALED)
    async with listening(cluster, "n1", "wg-sfha") as heard:
        await cluster.stay(for_s=1, why="datagrams have to be heard")
    datagrams = [packet for packet in heard if packet.protocol == UDP and packet.target_port == DATAGRAMS]
    assert datagrams
    assert not any(packet.payload.startswith(PLAIN) for packet in datagrams), "somebody still speaks unsealed"


@software("sfha-unconfigured", "etcd")
@promise("S2-47", "S2-15", "D-50")
async def test_upgrade_from_the_version_with_one_key_for_all(
    cluster: Cluster, vip: str, operator: Operator, tmp_path: Path
) -> None:
    """The same for requests: both versions answer each other, and who is upgraded is asked in its own key alone."""
    await _upgrades(cluster, vip, operator, tmp_path, UNPAIRED)
    statuses = json.loads(await operator.succeeds("n2", f"python3 -c '{AS_BEFORE}'"))
    assert statuses == [404, 404], "the key of before is still taken"


async def _upgrades(cluster: Cluster, vip: str, operator: Operator, tmp_path: Path, commit: str) -> None:
    before = _package_of(commit, tmp_path / "before")
    newer = build("sfha", tmp_path, NEWER)
    everybody = cluster.all_but(())
    for name in everybody:
        await _install(cluster, name, before)
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    for name in everybody[1:]:
        await operator.joins(name, seeder="n1")
    await operator.all_list(everybody, everybody)
    for name in everybody[1:]:
        await operator.logged("n1", "newcomer-votes", name=name)
    cluster.expect(*undisturbed(vip, outage_s=1.0))
    corosyncs = await operator.corosyncs()
    for place, name in enumerate(everybody, 1):
        await _install(cluster, name, newer)
        await operator.logged(name, "daemon-restarting")
        await operator.all_list(everybody, everybody)
        await cluster.until(quorate(everybody, everybody), within_s=10)
        waiting = list(everybody[place:])

        async def says_who_waits(name: str = name, waiting: list[str] = waiting) -> bool:
            status = await operator.status(name)
            unsealed = waiting if commit == UNSEALED else []
            return (status.get("unsealed"), status.get("unpaired")) == (unsealed, waiting)

        await until(says_who_waits, within_s=10, every_s=0.2, what=f"{name} hears only {waiting} as before")
        if waiting:
            assert waiting[0] in await operator.does(name, "status")
        await operator.does(waiting[0] if waiting else name, "vip", "add", f"on-{name}", f"198.51.100.{place}/32")
        await operator.does(name, "vip", "remove", f"on-{name}")
    assert await operator.corosyncs() == corosyncs, "Corosync was started anew"
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    for name in everybody:

        async def knows_all(name: str = name) -> bool:
            status = await operator.status(name)
            return not (status["unsealed"] or status["unpaired"])

        await until(knows_all, within_s=10, every_s=0.2, what=f"{name} hears nobody as before")
