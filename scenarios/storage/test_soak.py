"""A month of a host in minutes: an incident a day, of any kind, at any volume, and nobody who mends anything.

Each is made for real, and seen to be there. It counts as mended where all is well again without a person: every volume
is a device by its link, with the bytes that were written to it, and the program finds nothing wrong.
"""

import asyncio
from collections import Counter

import pytest

from fixtures.marks import nightly, promise, software, topology
from fixtures.storage.on_node import (
    NODE,
    RUN,
    STATE,
    WITHIN_S,
    digest,
    holds,
    link,
    only_with_own_kernels,
    run,
    shell,
    until,
    until_it_answers,
)  # fmt: skip
from harness import wait
from harness.cluster import Cluster, ClusterDesign
from harness.errors import DeadlinePassed
from harness.faults.process import Kill
from harness.faults.select import node

DAYS = 30
FIRST_S = 300.0
VOLUMES = tuple(f"/srv/disk-{number}" for number in range(4))
SPARE = "/srv/spare"
_SERVE = "nbdkit -U $RUN/nbdkit-{0}.sock -P $RUN/nbdkit-{0}.pid --filter=limit file file=$SPARE limit=1"
_RECORD = f"{STATE}/mappings/{SPARE.replace('/', '%2F')}.json"
POWER = "the power is cut"
INCIDENTS: dict[str, str] = {
    "a link is lost": "rm $LINK && ! test -L $LINK",
    "a link is left": "ln -s /dev/nbd9 $RUN/volumes/%2Fsrv%2Fnever; test -L $RUN/volumes/%2Fsrv%2Fnever",
    "a server dies": "kill -9 $SERVER",
    "a server is stopped": "kill -STOP $SERVER; grep -q '^State:.T' /proc/$SERVER/status",
    "a volume grows": "truncate -s +1M $VOLUME",
    "whoever maps dies": (
        f"mfs-autonomy map $SPARE & p=$!; until grep -qsE 'attaching|proving' {_RECORD}; do :; done; "
        f"kill -STOP $p; grep -qE 'attaching|proving' {_RECORD}; r=$?; kill -KILL $p; wait $p; exit $r"
    ),
    "a lock is kept": (
        "setsid sh -c 'exec 9>$0; flock 9; sleep 1000 & kill -9 $$' \"$RUN/volume%20%2Fsrv%2Fspare.lock\"; "
        '! flock -n "$RUN/volume%20%2Fsrv%2Fspare.lock" true'
    ),
    "a server is left": f"echo -n $SPARE > $RUN/nbdkit-14.file; {_SERVE.format(14)}; kill -0 $(cat $RUN/nbdkit-14.pid)",
    "a socket is left": (
        f"echo -n $SPARE > $RUN/nbdkit-15.file; {_SERVE.format(15)}; kill -9 $(cat $RUN/nbdkit-15.pid); "
        "test -S $RUN/nbdkit-15.sock"
    ),
    "a file is left": f"touch -d '2 hours ago' {STATE}/mappings/left.json.new",
    "whoever moves dies": (
        f"rm -rf {STATE}/moves/*.journal /srv/new /srv/old; mkdir -p /srv/new /srv/old; cp $SPARE /srv/old/disk; "
        "mfs-autonomy move /srv/old/disk /srv/new --approve --grace 3 >/dev/null 2>&1 & p=$!; "
        f'until grep -qs \'"phase":"grace"\' {STATE}/moves/*.journal; do sleep 0.1; done; '
        "kill -9 $p; test -e /srv/old/disk"
    ),
    POWER: "",
}
AFTERWARDS = {"whoever moves dies": "cmp $SPARE /srv/new/disk && [ $(ls -A /srv/new /srv/old | grep -c .) = 3 ]"}
"""What else has to be so, where that is not plain."""


@pytest.fixture
def cluster_design(cluster_design: ClusterDesign, engine_name: str) -> ClusterDesign:
    """One node with a kernel of its own."""
    only_with_own_kernels(engine_name)
    return cluster_design


def on(volume: str, script: str) -> str:
    """The script with what it speaks of."""
    server = f"$(cat {RUN}/nbdkit-$(readlink {link(volume)} | tr -dc 0-9).pid)"
    return f"RUN={RUN} SPARE={SPARE} VOLUME={volume} LINK={link(volume)}; SERVER={server}; {script}"


async def is_well(cluster: Cluster, content: dict[str, str], name: str, within_s: float = WITHIN_S) -> bool:
    """Whether all is as it should be, in time."""
    mapped = " && ".join(f'[ "$(sha256sum < {link(one)})" = "{digest}  -" ]' for one, digest in content.items())
    script = f"mfs-autonomy incidents && {mapped} && {AFTERWARDS.get(name, 'true')}"

    async def so() -> bool:
        return await holds(cluster, on(VOLUMES[0], script))

    try:
        await wait.until(so, within_s=within_s, what=f"all is well again after: {name}", every_s=0.5)
    except DeadlinePassed:
        return False
    return True


async def happens(cluster: Cluster, name: str, volume: str) -> None:
    """One incident, which is there then."""
    if name == POWER:
        async with cluster.under(Kill(node(NODE))):
            pass
        await until_it_answers(cluster)
    else:
        await shell(cluster, on(volume, INCIDENTS[name]))


@nightly
@promise("S5-88", "S5-89")
@software("mfs-autonomy-daemon")
@topology("one-node")
async def test_a_month_without_a_person(cluster: Cluster) -> None:
    """Thirty incidents, each kind twice at least; none has to be mended by hand, and no byte is lost."""
    await until(cluster, "the daemon has loaded NBD", "test -e /sys/block/nbd15")
    for volume in (*VOLUMES, SPARE):
        await run(cluster, "dd", "if=/dev/urandom", f"of={volume}", "bs=1M", "count=1", "status=none")
    await asyncio.gather(*(run(cluster, "mfs-autonomy", "map", volume) for volume in VOLUMES))
    content = {volume: await digest(cluster, volume) for volume in VOLUMES}
    spare = await digest(cluster, SPARE)
    assert await is_well(cluster, content, "nothing yet", FIRST_S)
    days = [*INCIDENTS] * 2
    days += cluster.random.choices([name for name in INCIDENTS if name != POWER], k=DAYS - len(days))
    cluster.random.shuffle(days)
    by_hand: Counter[str] = Counter()
    for day, name in enumerate(days, start=1):
        volume = cluster.random.choice(VOLUMES)
        cluster.note(f"day {day}: {name}, at {volume}")
        await happens(cluster, name, volume)
        content[volume] = await digest(cluster, volume)
        if not await is_well(cluster, content, name):
            by_hand[name] += 1
            await shell(cluster, f"mfs-autonomy incidents; mfs-autonomy unmap {volume}; mfs-autonomy map {volume}")
            assert await is_well(cluster, content, name), "not even by hand"
    cluster.note(f"{DAYS} incidents, {sum(by_hand.values())} mended by hand: {dict(by_hand)}")
    assert not by_hand
    assert await digest(cluster, SPARE) == spare
    assert "all as it was written" in await run(cluster, "mfs-autonomy", "audit", "verify")
