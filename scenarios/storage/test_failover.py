"""A real MooseFS loses its master: a metalogger takes its place, or is refused, and a client goes on.

The daemon of n2 decides by its own eyes. The master's address is moved by the scenario, as a manager with a lease would
(it is sfha's part, and shown with sfha). What is judged: files that the client was told are written, and what it reads.
"""

import json
from itertools import pairwise

import pytest

from fixtures.marks import promise, software, topology
from harness import wait
from harness.cluster import Cluster
from harness.faults.process import Kill
from harness.faults.select import node
from harness.subjects.storage.subject import API_PORT, METALOGGER, TOKEN

MASTER, STANDBY, CLIENT = "n1", "n2", "n3"
MOUNT, LEDGER = "/mnt/mfs", "/root/acknowledged"
STALLS_AT_MOST_S = 120.0
SETTLED_S = 60.0
ANNOUNCES = """
import socket, struct, sys
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
raw.bind((sys.argv[1], 0))
mac, address = raw.getsockname()[4], socket.inet_aton(sys.argv[2])
arp = struct.pack("!HHHBBH6s4s6s4s", 2054, 1, 2048, 6, 4, 1, mac, address, bytes(6), address)
raw.send(bytes([255] * 6) + mac + arp)
"""
"""Gratuitous ARP (RFC 5227, section 3)."""
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


async def said(cluster: Cluster, on: str, script: str, code: int | None = 0) -> str:
    """What a script on a node said; asserts its exit code."""
    done = await cluster.engine.exec(on, ["sh", "-c", script])
    text = (done.stdout + done.stderr).decode().strip()
    cluster.note(f"{on}: {script[:200]}: {text[-400:]}")
    assert code is None or done.exit_code == code, text
    return text


async def until(cluster: Cluster, on: str, what: str, script: str, within_s: float = SETTLED_S) -> None:
    """Wait until a script ends well on a node."""

    async def is_so() -> bool:
        return (await cluster.engine.exec(on, ["sh", "-c", script])).exit_code == 0

    await wait.until(is_so, within_s=within_s, what=what, every_s=0.2)
    cluster.note(f"seen on {on}: {what}")


async def a_moosefs(cluster: Cluster, vip: str) -> None:
    """Master on n1 at the address, metalogger and chunkserver on n2, chunkserver and client on n3."""
    everywhere = (
        f"echo '{vip} mfsmaster' >> /etc/hosts; mkdir -p /srv/chunks {METALOGGER} {MOUNT}; "
        f"chown mfs:mfs /srv/chunks {METALOGGER}; cd /etc/mfs; echo /srv/chunks > mfshdd.cfg; "
        "echo '* / rw,alldirs,admin,maproot=0:0' > mfsexports.cfg; echo 'MASTER_TIMEOUT = 10' > mfschunkserver.cfg; "
        f"touch mfsmaster.cfg; printf 'DATA_PATH = {METALOGGER}\\n' > mfsmetalogger.cfg"
    )
    for name in (MASTER, STANDBY, CLIENT):
        await said(cluster, name, everywhere)
    await has_address(cluster, MASTER, vip)
    await said(cluster, MASTER, "cp /var/lib/mfs/metadata.mfs.empty /var/lib/mfs/metadata.mfs; mfsmaster start")
    await said(cluster, STANDBY, "mfsmetalogger start; mfschunkserver start")
    await said(cluster, CLIENT, "mfschunkserver start")
    servers = "mfscli -H mfsmaster -p '-s|' -SCS | grep -c '^chunk servers:' | grep -qx 2"
    await until(cluster, CLIENT, "both chunkservers are there", servers)
    await said(cluster, CLIENT, f"mfsmount {MOUNT} -H mfsmaster && mkdir {MOUNT}/files")


async def has_address(cluster: Cluster, name: str, vip: str) -> None:
    """What a manager with a lease does, from here on: the address is on this node, and everybody knows."""
    await said(cluster, name, f"ip address replace {vip}/24 dev eth0; python3 -c '{ANNOUNCES}' eth0 {vip}")


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


@promise("S5-64", "S5-65", "S5-66", "S5-67", "S5-68", "S5-69")
@software("mfs-autonomy-daemon", level=5, failover_on=STANDBY)
@topology("moosefs")
async def test_a_metalogger_becomes_the_master(cluster: Cluster, vip: str) -> None:
    """Refused with changelogs alone; with metadata it takes over from a dead node, and nothing acknowledged is lost."""
    if (await cluster.engine.exec(CLIENT, ["test", "-c", "/dev/fuse"])).exit_code:
        pytest.skip("not shown here: nodes have no /dev/fuse, so no client can mount MooseFS")
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
    await said(cluster, CLIENT, "kill $(pgrep -f acknowledged)", code=None)
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
