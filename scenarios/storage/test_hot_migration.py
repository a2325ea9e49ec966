"""A guest with two disks goes from one host to another while it writes; both disks are devices on both meanwhile.

No hypervisor is at work: a process is the guest, which numbers what it writes, and the scenario does what Proxmox
would, by the hooks that Proxmox calls. What is judged is what the guest was told is written, and what it finds where
it comes to.
"""

import asyncio
import inspect
import json
import shlex
from dataclasses import replace

import pytest

from fixtures.marks import promise, software, topology
from fixtures.storage import guest
from fixtures.storage.moosefs import CLIENT, MASTER, MOUNT, STANDBY, a_moosefs, mounted, said, until
from fixtures.storage.on_node import only_with_own_kernels
from harness.clock import now_s
from harness.cluster import Cluster, ClusterDesign
from harness.subjects.storage.subject import MfsAutonomy

SOURCE, TARGET, VM = STANDBY, CLIENT, "100"
IMAGES = f"{MOUNT}/images/{VM}"
DISKS = (f"{IMAGES}/disk-0", f"{IMAGES}/disk-1")
LEDGER, PID_FILE = "/root/acknowledged", f"/var/run/qemu-server/{VM}.pid"
STANDS_AT_MOST_S = 10.0
MANY = 40


@pytest.fixture
def cluster_design(cluster_design: ClusterDesign, engine_name: str) -> ClusterDesign:
    """Hosts with kernels of their own, which have NBD; the master wants more memory than those, and has the host's."""
    only_with_own_kernels(engine_name)
    drawn = cluster_design.topology
    nodes = tuple(one.model_copy(update={"engine": "local"}) if one.name == MASTER else one for one in drawn.nodes)
    return replace(cluster_design, topology=drawn.model_copy(update={"nodes": nodes}))


def link(volume: str) -> str:
    """Where the device of a volume is to be found."""
    return f"/run/mfs-autonomy/volumes/{volume.replace('/', '%2F')}"


async def runs(cluster: Cluster, on: str, last: int) -> None:
    """The guest, on this host from here on."""
    words = ["python3", "-c", inspect.getsource(guest), LEDGER, PID_FILE, str(last), *map(link, DISKS)]
    await said(cluster, on, f"mkdir -p {PID_FILE.rpartition('/')[0]}")
    await cluster.engine.spawn(on, ["sh", "-c", f"{shlex.join(words)} 2>>{LEDGER}"])


async def acknowledged(cluster: Cluster, on: str) -> list[tuple[int, float]]:
    """Numbers that the guest was told are written there, and when."""
    lines = (await said(cluster, on, f"cat {LEDGER}")).splitlines()
    assert all(line.split()[0].isdigit() for line in lines), lines[-5:]
    return [(int(number), float(at_s)) for number, at_s in (line.split() for line in lines)]


async def stops(cluster: Cluster, on: str) -> int:
    """The guest stands still here; the last number that it was told is written."""
    await said(cluster, on, f"p=$(cat {PID_FILE}); kill $p; while kill -0 $p 2>/dev/null; do :; done")
    return (await acknowledged(cluster, on))[-1][0]


async def attached(cluster: Cluster, on: str) -> list[str]:
    """Devices that the kernel there says are served."""
    return (await said(cluster, on, "cd /sys/block; ls -d nbd*/pid 2>/dev/null || true")).split()


async def hook(cluster: Cluster, phase: str) -> None:
    """As Proxmox calls it where the guest comes to."""
    await said(cluster, TARGET, f"PVE_MIGRATED_FROM={SOURCE} mfs-autonomy hook proxmox {VM} {phase}")


async def two_hosts(cluster: Cluster, vip: str) -> None:
    """Both have the mount and NBD, and hear of each other; the disks are mapped at the source."""
    await a_moosefs(cluster, vip)
    await mounted(cluster, SOURCE)
    subject = cluster.design.subjects[0]
    assert isinstance(subject, MfsAutonomy)
    for name in (SOURCE, TARGET):
        await subject.load_nbd(cluster.engine, name)
    await said(cluster, SOURCE, f"mkdir -p {IMAGES}; truncate -s 1M {' '.join(DISKS)}")
    await asyncio.gather(*(said(cluster, SOURCE, f"mfs-autonomy map {disk} --driver nbd-client") for disk in DISKS))
    for disk in DISKS:
        seen = f"mfs-autonomy map {disk} --driver nbd-client 2>&1 | grep -q '{SOURCE} has it'"
        await until(cluster, TARGET, f"{disk} is refused, for {SOURCE} has it", seen)


@promise("S5-21", "S5-22", "S5-63", "S5-77")
@software("mfs-autonomy-daemon", peers=True)
@topology("moosefs")
async def test_two_disks_go_with_their_guest_while_it_writes(cluster: Cluster, vip: str) -> None:
    """Mapped before it comes, gone where it was; nothing acknowledged is lost, and nothing stale is read."""
    await two_hosts(cluster, vip)
    await runs(cluster, SOURCE, 0)
    await until(cluster, SOURCE, "it writes", f"[ $(wc -l < {LEDGER}) -gt {MANY} ]")
    before = len(await acknowledged(cluster, SOURCE))
    await hook(cluster, "pre-start")
    assert len(await attached(cluster, TARGET)) == len(await attached(cluster, SOURCE)) == len(DISKS), "on both hosts"
    assert len(await acknowledged(cluster, SOURCE)) > before, "it wrote meanwhile"
    began_s = now_s()
    last = await stops(cluster, SOURCE)
    await runs(cluster, TARGET, last)
    await until(cluster, TARGET, "it goes on", f"[ -s {LEDGER} ]")
    cluster.note(f"the guest stood for {now_s() - began_s:.2f} s")
    assert (await acknowledged(cluster, TARGET))[0][0] == last + 1
    assert now_s() - began_s < STANDS_AT_MOST_S
    await hook(cluster, "post-start")
    await asyncio.gather(*(said(cluster, SOURCE, f"mfs-autonomy unmap {disk}") for disk in DISKS))
    assert await attached(cluster, SOURCE) == []
    await said(cluster, TARGET, f"mfs-autonomy hook post-migrate {VM} {SOURCE} {TARGET} --within 30")
    migrations = json.loads(await said(cluster, TARGET, "mfs-autonomy migration list --json"))
    assert sorted((one["volume"], one["state"]) for one in migrations) == [(disk, "complete") for disk in DISKS]
    complete = "[ $(mfs-autonomy audit show | grep -c migration_complete) = 2 ]"
    await until(cluster, TARGET, "the daemon has heard of both", complete)
    await until(cluster, TARGET, "it writes on", f"[ $(wc -l < {LEDGER}) -gt {MANY} ]")
    end = await stops(cluster, TARGET)
    for disk in DISKS:
        await said(cluster, TARGET, f"mfs-autonomy unmap {disk}")
        found = await said(cluster, SOURCE, f"tail -c {guest.PLACES * guest.BLOCK_BYTES} {disk} | tr -d '\\0.'")
        numbers = [int(found[at : at + 12]) for at in range(0, len(found), 12)]
        assert sorted(numbers) == list(range(end - guest.PLACES + 1, end + 1)), "all that was acknowledged last"
    for name in (SOURCE, TARGET):
        await until(cluster, name, "nothing is wrong with its disks", f"! mfs-autonomy incidents | grep -F {IMAGES}")
