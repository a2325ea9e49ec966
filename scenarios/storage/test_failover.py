"""A real MooseFS loses its master: a metalogger takes its place, or is refused, and a client goes on.

The daemon of n2 decides by its own eyes. The master's address is moved by the scenario, as a manager with a lease would
(it is sfha's part, and shown with sfha). What is judged: files that the client was told are written, and what it reads.
"""

import json
from itertools import pairwise

from fixtures.marks import promise, software, topology
from fixtures.storage.moosefs import CLIENT, MASTER, MOUNT, STANDBY, a_moosefs, has_address, said, until
from harness.cluster import Cluster
from harness.faults.process import Kill
from harness.faults.select import node
from harness.subjects.storage.subject import API_PORT, METALOGGER, TOKEN

LEDGER = "/root/acknowledged"
STALLS_AT_MOST_S = 120.0
WRITES = f"""
n=0
while :; do
    n=$((n + 1))
    if printf 'content of %06d' $n | dd of={MOUNT}/files/$n conv=fsync status=none; then
        echo "$n $(date +%s.%N)" >> {LEDGER}
    fi
    sleep 0.05
done
"""


async def audit(cluster: Cluster) -> list[str]:
    """What the daemon of the standby wrote down: what, and why."""
    asked = f'curl -sf -H "Authorization: Bearer $(cat {TOKEN})" "localhost:{API_PORT}/v1/audit?most=1000"'
    entries = json.loads(await said(cluster, STANDBY, asked))["entries"]
    return [f"{one['what']} {one['why']}" for one in entries]


async def changelogs_alone_are_refused(cluster: Cluster, vip: str) -> None:
    """The master dies before the metalogger ever had its metadata: a master made of that would be an empty one."""
    await said(cluster, MASTER, "kill -9 $(cat /var/lib/mfs/.mfsmaster.lock)")
    await until(cluster, STANDBY, "it waits for the address", "mfs-autonomy audit show | grep -q 'failover: waiting'")
    await said(cluster, MASTER, f"ip address delete {vip}/24 dev eth0")
    await has_address(cluster, STANDBY, vip)
    refused = "mfs-autonomy audit show | grep 'failover: refused' | grep -q 'changelogs at most'"
    await until(cluster, STANDBY, "it is refused", refused)
    assert not await said(cluster, STANDBY, "pgrep -x mfsmaster", code=1), "no master was made"
    await said(cluster, STANDBY, f"ip address delete {vip}/24 dev eth0")
    await has_address(cluster, MASTER, vip)
    await said(cluster, MASTER, "mfsmaster -a start")


def stall_s(ledger: str) -> float:
    """The longest time between two files that the client was told are written."""
    times = [float(line.split()[1]) for line in ledger.splitlines()]
    return max(later - earlier for earlier, later in pairwise(times))


async def an_upgrade_of_the_daemon_leaves_the_master(cluster: Cluster, vip: str) -> None:
    """The daemon ends and another begins, as an upgrade of the package does; that one knows whose the master is."""
    master = await said(cluster, STANDBY, "pgrep -x mfsmaster")
    written = int(await said(cluster, CLIENT, f"wc -l < {LEDGER}"))
    await said(
        cluster, STANDBY, "p=$(pgrep -f '[m]fs-autonomy daemon'); kill $p; while kill -0 $p 2>/dev/null; do :; done"
    )
    await cluster.engine.spawn(STANDBY, ["sh", "-c", "exec /etc/boot.d/40-mfs-autonomy"])
    await until(cluster, STANDBY, "another daemon runs", "[ $(mfs-autonomy audit show | grep -c '  started') = 2 ]")
    await until(cluster, CLIENT, "the client writes on", f"[ $(wc -l < {LEDGER}) -gt {written + 40} ]")
    assert await said(cluster, STANDBY, "pgrep -x mfsmaster") == master
    await said(cluster, CLIENT, "kill $(pgrep -f acknowledged)", code=None)


async def who_loses_the_address_steps_down(cluster: Cluster, vip: str) -> None:
    """Also where the daemon that made the master is gone."""
    await said(cluster, STANDBY, f"ip address delete {vip}/24 dev eth0")
    await until(cluster, STANDBY, "its master has stopped", "! pgrep -x mfsmaster")
    await until(cluster, STANDBY, "and it says so", "mfs-autonomy audit show | grep -q 'done: step down'")


@promise("S5-64", "S5-65", "S5-66", "S5-67", "S5-68", "S5-69", "S5-75", "S5-91")
@software("mfs-autonomy-daemon", level=5, failover_on=STANDBY)
@topology("moosefs")
async def test_a_metalogger_becomes_the_master(cluster: Cluster, vip: str) -> None:
    """Refused with changelogs alone; with metadata it takes over from a dead node, and nothing acknowledged is lost."""
    await a_moosefs(cluster, vip)
    await changelogs_alone_are_refused(cluster, vip)
    await said(cluster, MASTER, "mfssupervisor -s; sleep 1")
    await said(cluster, STANDBY, "mfsmetalogger restart")
    await until(cluster, STANDBY, "the metalogger has metadata", f"test -s {METALOGGER}/metadata_ml.mfs.back")
    await cluster.engine.spawn(CLIENT, ["sh", "-c", WRITES])
    await until(cluster, CLIENT, "files are written", f"[ $(wc -l < {LEDGER}) -gt 40 ]")
    before = len(await audit(cluster))
    async with cluster.under(Kill(node(MASTER))):
        await until(cluster, STANDBY, "it waits for the address", "mfs-autonomy audit show | tail -1 | grep -q waiting")
        count = int(await said(cluster, CLIENT, f"wc -l < {LEDGER}"))
        await has_address(cluster, STANDBY, vip)
        await until(
            cluster, CLIENT, "the client goes on", f"[ $(wc -l < {LEDGER}) -gt {count + 40} ]", STALLS_AT_MOST_S
        )
        await until(cluster, STANDBY, "it is the master", "mfs-autonomy audit show | grep -q 'failover: master'")
    await an_upgrade_of_the_daemon_leaves_the_master(cluster, vip)
    entries = (await audit(cluster))[before:]
    assert any(one.startswith("promote not true HA: clients may wait 30 to 120 s") for one in entries), "openly"
    assert any("no chunk missing" in one for one in entries if one.startswith("done: check")), "and consistent"
    ledger = await said(cluster, CLIENT, f"cat {LEDGER}")
    stalled_s = stall_s(ledger)
    cluster.note(f"the client waited {stalled_s:.1f} s at most; {len(ledger.splitlines())} files are acknowledged")
    assert stalled_s < STALLS_AT_MOST_S
    check = (
        f'while read n at; do [ "$(cat {MOUNT}/files/$n)" = "$(printf \'content of %06d\' $n)" ] || echo lost $n; '
        f"done < {LEDGER}"
    )
    assert await said(cluster, CLIENT, check) == "", "every acknowledged file is there, with its content"
    await who_loses_the_address_steps_down(cluster, vip)
