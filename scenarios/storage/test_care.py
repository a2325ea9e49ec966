"""Volumes on a real MooseFS that are well: which storage class they get by their use, and their snapshots.

The daemon of n3 decides. What is judged is what MooseFS's own tools say of classes, and the bytes of snapshots.
"""

import json
from typing import Any

from fixtures.marks import promise, software, topology
from fixtures.storage.moosefs import CLIENT, MOUNT, STANDBY, a_moosefs, said, until
from harness import wait
from harness.cluster import Cluster
from harness.subjects.storage.subject import API_PORT, CARED_FOR, KEPT, ONE_COPY, TOKEN

COPIED_WITHIN_S = 180.0
"""MooseFS begins to copy what lacks copies a minute after its master did."""
SNAPSHOTS = f"{CARED_FOR}/.mfs-autonomy-snapshots"


async def api(cluster: Cluster, path: str, body: object = None, method: str = "POST") -> Any:
    """What the daemon answers."""
    sent = "" if body is None else f"-X {method} -H 'Content-Type: application/json' -d '{json.dumps(body)}'"
    asked = f'curl -sf -H "Authorization: Bearer $(cat {TOKEN})" {sent} localhost:{API_PORT}/v1/{path}'
    return json.loads(await said(cluster, CLIENT, asked) or "null")


async def has_class(cluster: Cluster, path: str, wanted: str) -> None:
    """As MooseFS says."""
    seen = f"mfsgetsclass {path} | grep -q ': {wanted}$'"
    await until(cluster, CLIENT, f"{path} has {wanted}", seen, COPIED_WITHIN_S)


async def class_of(cluster: Cluster, path: str) -> str:
    return (await said(cluster, CLIENT, f"mfsgetsclass {path}")).rpartition(": ")[2]


async def volumes(cluster: Cluster) -> None:
    """One that nobody has used for long, a guest's folder that is used, and one that must not have fewer copies."""
    # What is written while one of them looks through its disk has one copy at first: nothing is tiered meanwhile.
    ready = "[ $(mfscli -H mfsmaster -p '-s|' -SHD | grep '^disks:' | grep -c '|ok|') = 2 ]"
    await until(cluster, CLIENT, "both chunkservers have looked through their disks", ready)
    await said(cluster, CLIENT, f"mfscreatesclass -M {MOUNT} -K '*' {ONE_COPY}; mkdir {CARED_FOR} {KEPT}")
    await said(
        cluster,
        CLIENT,
        f"mkdir {MOUNT}/made; cd {MOUNT}/made; mkdir 100; for v in cold kept 100/disk-0 100/disk-1; do "
        "head -c 300000 /dev/urandom > $v; done; sync; touch -d '100 days ago' cold kept; "
        f"mv kept {KEPT}/cold; mv cold 100 {CARED_FOR}/",
    )


async def what_is_not_used_has_fewer_copies(cluster: Cluster) -> None:
    """By itself, at level 4; and never fewer than the least."""
    await has_class(cluster, f"{CARED_FOR}/cold", ONE_COPY)
    assert await class_of(cluster, f"{CARED_FOR}/100") == "2CP"
    assert await class_of(cluster, f"{KEPT}/cold") == "2CP"
    seen = await api(cluster, "tiering")
    (kept,) = [one["why"] for one in seen["kept"] if one["path"] == f"{KEPT}/cold"]
    assert "2 are the least" in kept
    await until(cluster, CLIENT, "it is written down", "mfs-autonomy audit show | grep -q 'done: tier'")
    shown = await said(cluster, CLIENT, "mfs-autonomy tier")
    assert f"{KEPT}/cold" in shown


async def at_level_three_a_person_is_asked(cluster: Cluster) -> None:
    """Another volume that nobody has used: it gets fewer copies once somebody agreed."""
    await api(cluster, "level", {"level": 3, "why": "somebody wants to be asked"}, "PUT")
    made = f"{MOUNT}/made/asked"
    await said(cluster, CLIENT, f"echo x > {made}; touch -d '100 days ago' {made}; mv {made} {CARED_FOR}/")
    waiting = "mfs-autonomy audit show | grep 'asked: tier' | grep -q 'needs approval'"
    await until(cluster, CLIENT, "a person is asked", waiting)
    (asked,) = [one for one in await api(cluster, "requests") if one["state"] == "waiting for approval"]
    assert await class_of(cluster, f"{CARED_FOR}/asked") == "2CP"
    await api(cluster, f"requests/{asked['id']}/approve", {"why": "one will do"})
    await has_class(cluster, f"{CARED_FOR}/asked", ONE_COPY)
    await api(cluster, "level", {"level": 4, "why": "it asked for the right thing"}, "PUT")


async def nothing_while_chunks_are_endangered(cluster: Cluster) -> None:
    """A chunkserver is gone: a volume of one copy that is used waits for its second until all others have theirs."""
    await said(cluster, STANDBY, "mfschunkserver stop")
    seen = "mfs-autonomy tier | grep -q '^nothing is changed now: .* endangered'"
    await until(cluster, CLIENT, "the master counts what has one copy left", seen)
    made = f"{MOUNT}/made/later"
    await said(cluster, CLIENT, f"echo x > {made}; mfssetsclass {ONE_COPY} {made}; mv {made} {CARED_FOR}/")
    # Of two chunkservers one is left: so its class could not be had either.
    told = f"mfs-autonomy tier | grep '{CARED_FOR}/later' | grep -qE 'is due .* endangered|not enough servers'"
    await until(cluster, CLIENT, "it is not given its class", told)
    looked_s = (await api(cluster, "tiering"))["looked_at_s"]

    async def looked_again() -> bool:
        seen = await api(cluster, "tiering")
        return bool(seen["looked_at_s"] > looked_s + 2)

    await wait.until(looked_again, within_s=30, what="the daemon has looked several times", every_s=0.5)
    assert "endangered" in (await api(cluster, "tiering"))["waits"]
    assert await class_of(cluster, f"{CARED_FOR}/later") == ONE_COPY
    await said(cluster, STANDBY, "mfschunkserver start")
    await has_class(cluster, f"{CARED_FOR}/later", "2CP")


async def snapshots_are_made_and_do_not_change(cluster: Cluster) -> None:
    """Of a file, and of a folder as a whole; the oldest go, by MooseFS's own tool."""
    taken = f"ls {SNAPSHOTS} | grep -q ^cold@ && ls {SNAPSHOTS}/100@*/disk-1"
    await until(cluster, CLIENT, "both have a snapshot", taken)
    before = await said(cluster, CLIENT, f"cat {SNAPSHOTS}/100@*/disk-0 | sha256sum")
    assert before == await said(cluster, CLIENT, f"sha256sum < {CARED_FOR}/100/disk-0")
    await said(cluster, CLIENT, f"head -c 100000 /dev/urandom > {CARED_FOR}/100/disk-0; sync")
    assert before == await said(cluster, CLIENT, f"cat {SNAPSHOTS}/100@*/disk-0 | sha256sum")
    for _ in range(2):
        await said(cluster, CLIENT, f"sleep 1.1; mfs-autonomy snapshot {CARED_FOR}/100")
    await until(cluster, CLIENT, "two are kept", f"[ $(ls -d {SNAPSHOTS}/100@* | wc -l) = 2 ]")
    await until(cluster, CLIENT, "it is written down", "mfs-autonomy audit show | grep -q 'deletes a snapshot'")


@promise("S5-72", "S5-73", "S5-74")
@software("mfs-autonomy-daemon", level=4, cares_on=CLIENT)
@topology("moosefs")
async def test_volumes_that_are_well_are_cared_for(cluster: Cluster, vip: str) -> None:
    """Classes by use, with a person where the level wants one, never while chunks are endangered; and snapshots."""
    await a_moosefs(cluster, vip)
    await volumes(cluster)
    await what_is_not_used_has_fewer_copies(cluster)
    await snapshots_are_made_and_do_not_change(cluster)
    await at_level_three_a_person_is_asked(cluster)
    await nothing_while_chunks_are_endangered(cluster)
    ready = await said(cluster, CLIENT, "mfs-autonomy pro check", code=1)
    assert "moosefs-pro-master is in no archive" in ready
    assert "2" in ready.partition("more than half of them")[2].partition("\n")[0], "it has two chunkservers"
