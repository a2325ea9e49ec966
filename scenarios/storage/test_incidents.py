"""Common incidents, each made for real on a node whose kernel has NBD, and mended by the daemon.

That an incident is there is seen before anything is waited for. That it is over is what the kernel of the node, its
processes and the bytes of volumes say; the audit log of the daemon is compared with that in the end.
"""

import asyncio
import json

import pytest

from fixtures.marks import promise, software, topology
from fixtures.storage.on_node import (
    NODE,
    RUN,
    STATE,
    WITHIN_S,
    content_of,
    digest,
    holds,
    index_of,
    link,
    only_with_own_kernels,
    run,
    server_of,
    shell,
    until,
    until_it_answers,
)  # fmt: skip
from harness import wait
from harness.cluster import Cluster, ClusterDesign
from harness.faults.process import Kill
from harness.faults.select import node
from harness.subjects.storage.subject import API_PORT, TOKEN

VOLUMES = tuple(f"/srv/disk-{number}" for number in range(4))


@pytest.fixture
def cluster_design(cluster_design: ClusterDesign, engine_name: str) -> ClusterDesign:
    """One node; only where it has a kernel of its own."""
    only_with_own_kernels(engine_name)
    return cluster_design


async def api(cluster: Cluster, path: str) -> object:
    """What the daemon answers."""
    asked = f'curl -sf -H "Authorization: Bearer $(cat {TOKEN})" localhost:{API_PORT}/v1/{path}'
    return json.loads(await shell(cluster, asked))


async def cured(cluster: Cluster) -> set[str]:
    """Kinds that the daemon calls cured, by its audit log."""
    said = await shell(cluster, "mfs-autonomy audit show")
    return {line.split("cured: ")[1].split()[0] for line in said.splitlines() if "  cured: " in line}


async def is_cured(cluster: Cluster, name: str) -> None:
    """The daemon says so as well."""

    async def is_so() -> bool:
        return await holds(cluster, f"mfs-autonomy audit show | grep -q 'cured: {name} '")

    await wait.until(is_so, within_s=WITHIN_S, what=f"{name} is called cured", every_s=0.3)


async def made_and_mapped(cluster: Cluster) -> dict[str, str]:
    """Volumes of chance, mapped; each with the digest of what is in it."""
    for volume in VOLUMES:
        await run(cluster, "dd", "if=/dev/urandom", f"of={volume}", "bs=1M", "count=4", "status=none")
    await asyncio.gather(*(run(cluster, "mfs-autonomy", "map", volume) for volume in VOLUMES))
    return {volume: await digest(cluster, volume) for volume in VOLUMES}


async def links_are_mended(cluster: Cluster, content: dict[str, str]) -> None:
    """One that is gone, and one of a volume that is not mapped."""
    await shell(cluster, f"rm {link(VOLUMES[0])}; ln -s /dev/nbd9 {link('/srv/never')}")
    await until(cluster, "the link is there again", f"test -b {link(VOLUMES[0])}")
    await until(cluster, "the stale link is gone", f"! test -L {link('/srv/never')}")
    assert await content_of(cluster, VOLUMES[0]) == content[VOLUMES[0]]


async def a_server_dies(cluster: Cluster, content: dict[str, str]) -> None:
    """kill -9: the kernel lets the device go, and the volume is mapped again."""
    before = await server_of(cluster, VOLUMES[0])
    await shell(cluster, f"kill -9 {before}")
    # Its device is not read meanwhile: whoever has it open keeps it from being let go.
    pid = f"$(cat {RUN}/nbdkit-$(readlink {link(VOLUMES[0])} | tr -dc 0-9).pid)"
    await until(cluster, "another server serves it", f"p={pid} && [ $p != {before} ] && kill -0 $p")
    assert await content_of(cluster, VOLUMES[0]) == content[VOLUMES[0]]


async def a_server_is_stopped(cluster: Cluster, content: dict[str, str]) -> None:
    """SIGSTOP: reads hang, until it is woken."""
    server = await server_of(cluster, VOLUMES[1])
    await shell(cluster, f"kill -STOP {server}; grep -q '^State:.T' /proc/{server}/status")
    await until(cluster, "the server runs again", f"! grep -q '^State:.T' /proc/{server}/status")
    assert await content_of(cluster, VOLUMES[1]) == content[VOLUMES[1]]


async def a_mapping_leaks(cluster: Cluster) -> None:
    """A record is lost: its device serves a volume that nobody knows of. Its link is stale, too."""
    index = await index_of(cluster, VOLUMES[2])
    await shell(cluster, f"rm {STATE}/mappings/{VOLUMES[2].replace('/', '%2F')}.json; cat /sys/block/nbd{index}/pid")
    await until(cluster, "the device is free", f"! test -e /sys/block/nbd{index}/pid")
    await until(cluster, "its server has ended", f"! test -e {RUN}/nbdkit-{index}.sock")
    await until(cluster, "the link is gone", f"! test -L {link(VOLUMES[2])}")


async def a_volume_is_deleted(cluster: Cluster) -> None:
    """It is mapped, and gone."""
    index = await index_of(cluster, VOLUMES[3])
    await shell(cluster, f"rm {VOLUMES[3]}; cat /sys/block/nbd{index}/pid")
    await until(cluster, "the device is free", f"! test -e /sys/block/nbd{index}/pid && ! test -L {link(VOLUMES[3])}")
    await until(cluster, "its record is gone", f"! ls {STATE}/mappings | grep -q disk-3")


async def a_volume_grows(cluster: Cluster) -> None:
    """Its device follows."""
    await shell(cluster, f"truncate -s 8M {VOLUMES[1]}")
    grown = f"[ $(blockdev --getsize64 {link(VOLUMES[1])}) = 8388608 ]"
    assert not await holds(cluster, grown)
    await until(cluster, "the device has the size of the file", grown)


async def a_mapper_dies(cluster: Cluster) -> None:
    """kill -9 once it has written down whose the index is: the volume is a file again, whole."""
    volume = VOLUMES[2]
    before = await digest(cluster, volume)
    record = f"{STATE}/mappings/{volume.replace('/', '%2F')}.json"
    # The process is stopped before it is killed, so that what was seen of it is still so.
    script = (
        f"mfs-autonomy map {volume} & p=$!; until grep -qsE 'attaching|proving' {record}; do :; done; "
        f"kill -STOP $p; grep -oE 'attaching|proving' {record}; kill -KILL $p; wait $p"
    )
    assert await shell(cluster, script, code=137), "it was caught on the way"
    await until(cluster, "its record is gone", f"! test -e {record}")
    assert await digest(cluster, volume) == before, "also where a nonce may have stood"


async def a_lock_is_kept(cluster: Cluster) -> None:
    """Whoever took it was killed, and what he had started has it still."""
    lock = f"'{RUN}/volume%20%2Fsrv%2Fdisk-2.lock'"
    await shell(cluster, f"setsid sh -c 'exec 9>$0; flock 9; sleep 1000 & kill -9 $$' {lock} || true")
    assert not await holds(cluster, f"flock -n {lock} true"), "it is kept"
    await until(cluster, "the lock is free", f"flock -n {lock} true")


async def a_server_is_left(cluster: Cluster) -> None:
    """Servers of no device: one that runs, one that is dead and left its socket."""
    serve = "nbdkit -U {0}/nbdkit-{1}.sock -P {0}/nbdkit-{1}.pid --filter=limit file file=/srv/disk-2 limit=1"
    for index in (12, 13):
        await shell(cluster, f"echo -n /srv/disk-2 > {RUN}/nbdkit-{index}.file; {serve.format(RUN, index)}")
    server = await shell(cluster, f"kill -9 $(cat {RUN}/nbdkit-13.pid); cat {RUN}/nbdkit-12.pid")
    await until(cluster, "the server has ended", f"! test -e {RUN}/nbdkit-12.sock && ! kill -0 {server}")
    await until(cluster, "the dead one's socket is gone", f"! test -e {RUN}/nbdkit-13.sock")


async def a_move_is_interrupted(cluster: Cluster) -> None:
    """kill -9 in the grace period: nobody has to call --resume."""
    before = await digest(cluster, VOLUMES[2])
    await shell(cluster, "mkdir -p /srv/new")
    await shell(
        cluster,
        f"mfs-autonomy move {VOLUMES[2]} /srv/new --approve --grace 8 & p=$!; "
        f'until grep -qs \'"phase":"grace"\' {STATE}/moves/*.journal; do sleep 0.1; done; kill -9 $p; wait $p',
        code=137,
    )
    await until(cluster, "the source is deleted, for the target was verified", f"! test -e {VOLUMES[2]}")
    await until(cluster, "nothing but the target is left", "[ $(ls -A /srv/new) = disk-2 ]")
    assert await digest(cluster, "/srv/new/disk-2") == before


async def somebody_writes_to_the_file(cluster: Cluster) -> None:
    """A second data path is nobody's to mend: it is told, at once, as critical."""
    await shell(cluster, f"setsid sleep 1000 9<>{VOLUMES[0]} >/dev/null 2>&1 & echo $! > /root/writer")

    async def told() -> bool:
        alerts = await api(cluster, "alerts")
        assert isinstance(alerts, list)
        return any((one["name"], one["severity"]) == ("two-data-paths", "critical") for one in alerts)

    await wait.until(told, within_s=WITHIN_S, what="the second data path is told", every_s=0.3)
    await shell(cluster, "kill $(cat /root/writer)")


CURED = {
    "missing-module", "lost-link", "stale-link", "lost-mapping", "frozen-server", "leaked-device", "volume-gone",
    "resized-volume", "unfinished-mapping", "held-lock", "orphaned-server", "dead-socket", "interrupted-move",
    "left-files", "lost-in-a-reboot",
}  # fmt: skip


@promise("S5-03", "S5-24", "S5-26")
@software("mfs-autonomy-daemon")
@topology("one-node")
async def test_incidents_are_mended_by_themselves(cluster: Cluster) -> None:
    """Fifteen kinds on one node, without a person: each is made, seen, mended, and proven to be over."""
    await until(cluster, "the daemon has loaded NBD, which was missing", "test -e /sys/block/nbd15")
    content = await made_and_mapped(cluster)
    await links_are_mended(cluster, content)
    await a_server_dies(cluster, content)
    await a_server_is_stopped(cluster, content)
    await a_mapping_leaks(cluster)
    await a_volume_is_deleted(cluster)
    await a_volume_grows(cluster)
    await a_mapper_dies(cluster)
    await a_lock_is_kept(cluster)
    await a_server_is_left(cluster)
    await a_move_is_interrupted(cluster)
    left = f"{STATE}/mappings/left.json.new"
    await shell(cluster, f"touch -d '2 hours ago' {left}")
    await until(cluster, "what was left is gone", f"! test -e {left}")
    await somebody_writes_to_the_file(cluster)
    await a_reboot(cluster, content)
    for name in CURED:
        await is_cured(cluster, name)
    assert await cured(cluster) == CURED, "nothing else was mended"
    assert "all as it was written" in await run(cluster, "mfs-autonomy", "audit", "verify")
    assert await holds(cluster, "mfs-autonomy incidents"), "nothing is wrong any more"


async def a_reboot(cluster: Cluster, content: dict[str, str]) -> None:
    """Power is lost: what was mapped is mapped again."""
    async with cluster.under(Kill(node(NODE))):
        pass
    await until_it_answers(cluster)
    await until(cluster, "it is mapped again", f"test -b {link(VOLUMES[0])} && head -c 1 {link(VOLUMES[0])} >/dev/null")
    assert await content_of(cluster, VOLUMES[0]) == content[VOLUMES[0]]
