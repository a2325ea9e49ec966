"""Volumes as devices of a real kernel's NBD: several at once on a fresh boot, and what is left when whoever maps dies.

`mfs-autonomy` says which device it gave to which volume; what is judged is what the node's kernel and the bytes say.
"""

import asyncio
import json
from typing import Any

import pytest

from fixtures.marks import promise, software, topology
from fixtures.storage.on_node import NODE, digest, only_with_own_kernels, run
from harness.cluster import Cluster, ClusterDesign
from harness.subjects.storage.subject import MfsAutonomy

DISKS = 8
KILLED = 128 + 9
VOLUMES = tuple(f"/srv/disk-{number}" for number in range(DISKS))


@pytest.fixture
def cluster_design(cluster_design: ClusterDesign, engine_name: str) -> ClusterDesign:
    """One node; only where it has a kernel of its own, for the host's devices are nobody's to play with."""
    only_with_own_kernels(engine_name)
    return cluster_design


async def volumes_on(cluster: Cluster) -> dict[str, str]:
    """Volumes of chance on a node with NBD; each with the digest of what is in it."""
    subject = cluster.design.subjects[0]
    assert isinstance(subject, MfsAutonomy)
    await subject.load_nbd(cluster.engine, NODE)
    for volume in VOLUMES:
        await run(cluster, "dd", "if=/dev/urandom", f"of={volume}", "bs=1M", "count=4", "status=none")
    return {volume: await digest(cluster, volume) for volume in VOLUMES}


async def attached(cluster: Cluster) -> list[str]:
    """Devices that the kernel says are served."""
    return sorted((await run(cluster, "sh", "-c", "cd /sys/block; ls -d nbd*/pid 2>/dev/null || true")).split())


async def links(cluster: Cluster) -> dict[str, str]:
    """Name of the volume -> its device, as the links on the node have it."""
    said = await run(cluster, "sh", "-c", "cd /run/mfs-autonomy/volumes && for l in *; do echo $l $(readlink $l); done")
    return {name.replace("%2F", "/"): device for name, device in (line.split() for line in said.splitlines())}


@promise("S5-05", "S5-11", "S5-53", "S5-54", "S5-56")
@software("mfs-autonomy")
@topology("one-node")
async def test_several_disks_at_once_on_a_fresh_boot(cluster: Cluster) -> None:
    """Eight maps begin at the same moment: eight devices, each with its volume's bytes, and all of it goes again."""
    content = await volumes_on(cluster)
    await asyncio.gather(*(run(cluster, "mfs-autonomy", "map", volume) for volume in VOLUMES))
    given = await links(cluster)
    assert sorted(given) == sorted(VOLUMES)
    assert len(set(given.values())) == DISKS, "no device was given to two volumes"
    assert len(await attached(cluster)) == DISKS
    for volume in VOLUMES:
        assert await digest(cluster, given[volume]) == content[volume]
    assert "was mapped already" in await run(cluster, "mfs-autonomy", "map", VOLUMES[0])
    assert len(await attached(cluster)) == DISKS
    await asyncio.gather(*(run(cluster, "mfs-autonomy", "unmap", volume) for volume in VOLUMES))
    assert await attached(cluster) == []
    assert {volume: await digest(cluster, volume) for volume in VOLUMES} == content, "also where the nonce stood"


@promise("S5-24", "S5-56")
@software("mfs-autonomy")
@topology("one-node")
async def test_whoever_maps_is_killed(cluster: Cluster) -> None:
    """kill -9 at different moments of a map: the next one clears up, and the volume is what it was."""
    content = await volumes_on(cluster)
    killed = 0
    for number, volume in enumerate(VOLUMES):
        moment = f"{0.3 + 0.25 * number:.2f}"
        command = ["timeout", "-s", "KILL", moment, "mfs-autonomy", "map", volume]
        code = (await cluster.engine.exec(NODE, command)).exit_code
        cluster.note(f"{' '.join(command)}: exit code {code}")
        killed += code == KILLED
        await run(cluster, "mfs-autonomy", "map", volume)
    assert killed >= 2, "a kill that comes too late shows nothing"
    given = await links(cluster)
    assert len(set(given.values())) == DISKS
    assert len(await attached(cluster)) == DISKS, "nothing leaks"
    states: list[dict[str, Any]] = json.loads(await run(cluster, "mfs-autonomy", "devices", "--json"))
    assert [one["state"] for one in states].count("mapped") == DISKS
    for volume in VOLUMES:
        assert await digest(cluster, given[volume]) == content[volume]
        await run(cluster, "mfs-autonomy", "unmap", volume)
    assert await attached(cluster) == []
    assert {volume: await digest(cluster, volume) for volume in VOLUMES} == content


TAKES = "nbdkit -U /run/other-$i.sock memory 1M; nbd-client -unix /run/other-$i.sock /dev/nbd$i -nonetlink >/dev/null"


@promise("S5-13")
@software("mfs-autonomy")
@topology("one-node")
async def test_no_slot_is_left(cluster: Cluster) -> None:
    """Another program has every device: whoever would move a volume or a guest hears of it before anything is done."""
    content = await volumes_on(cluster)
    volume, folder = "/srv/images/100/disk-0", "/srv/images/200"
    await run(cluster, "sh", "-c", f"mkdir -p {folder} {volume.rpartition('/')[0]}; cp {VOLUMES[0]} {volume}")
    await run(cluster, "mfs-autonomy", "map", volume)
    await run(cluster, "mfs-autonomy", "unmap", volume)
    asked = ["mfs-autonomy", "preflight", volume, folder, "--json"]
    assert await slot(cluster, asked) == ("passed", "16 are free")
    await run(cluster, "sh", "-c", f"for i in $(seq 0 15); do {TAKES}; done")
    assert len(await attached(cluster)) == 16
    assert await slot(cluster, asked) == ("failed", "0 are free")
    arrives = ["mfs-autonomy", "hook", "proxmox", "100", "pre-start", "--config", "/root/level.yml"]
    await run(cluster, "sh", "-c", "echo 'level: 3' > /root/level.yml")
    refused = await run(cluster, *arrives, code=1)
    assert f"{volume} is not mapped: " in refused, "a guest is not started here"
    assert "none of 16 indexes is free" in refused
    assert await digest(cluster, volume) == content[VOLUMES[0]]
    await run(cluster, "nbd-client", "-d", "/dev/nbd11")
    assert await slot(cluster, asked) == ("passed", "1 are free")
    await run(cluster, *arrives)
    assert await links(cluster) == {volume: "/dev/nbd11"}
    assert await digest(cluster, "/dev/nbd11") == content[VOLUMES[0]]
    await run(cluster, "mfs-autonomy", "unmap", volume)


async def slot(cluster: Cluster, asked: list[str]) -> tuple[str, str]:
    """What preflight says of the pool, and saw of it."""
    done = await cluster.engine.exec(NODE, asked)
    (found,) = (one for one in json.loads(done.stdout)["findings"] if one["check"] == "a-device-is-free")
    cluster.note(f"preflight: {found}")
    return found["outcome"], found["seen"]
