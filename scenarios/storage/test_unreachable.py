"""A real MooseFS whose master is cut off, stands still, or is dead: whoever wants a volume is told so, and what to do.

Without that he would wait: the kernel lets nobody touch a file of MooseFS until its master is back.
"""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from fixtures.marks import promise, software, topology
from fixtures.storage.moosefs import CLIENT, MASTER, MOUNT, SETTLED_S, a_moosefs, said, until
from harness import wait
from harness.clock import now_s
from harness.cluster import Cluster
from harness.faults.network import Isolate
from harness.faults.process import Freeze
from harness.faults.select import node
from harness.subjects.storage.subject import API_PORT, TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANSWERED_WITHIN_S = 8.0
IMAGES = f"{MOUNT}/images/100"
MAPPED, OTHER = f"{IMAGES}/disk-0", f"{IMAGES}/disk-1"
COMMANDS = (
    f"map {OTHER}",
    f"unmap {MAPPED}",
    f"move {OTHER} {IMAGES}/disk-2",
    f"move {OTHER} /srv",
    f"preflight /srv/local {IMAGES}",
    f"tpm {IMAGES}/tpm-state",
)
"""All that touch a file of MooseFS."""


@asynccontextmanager
async def dead(cluster: Cluster) -> "AsyncIterator[None]":
    """kill -9 of the master alone, which is started again from its changelogs."""
    await said(cluster, MASTER, "kill -9 $(cat /var/lib/mfs/.mfsmaster.lock)")
    yield
    await said(cluster, MASTER, "mfsmaster -a start")


async def alerts(cluster: Cluster) -> list[tuple[str, str, str]]:
    """Name, subject and severity of those that the client's daemon has."""
    asked = f'curl -sf -m 5 -H "Authorization: Bearer $(cat {TOKEN})" localhost:{API_PORT}/v1/alerts'
    found = json.loads(await said(cluster, CLIENT, asked))
    return [(one["name"], one["subject"], one["severity"]) for one in found]


async def is_told(cluster: Cluster, address: str, words: tuple[str, ...]) -> None:
    """By each command, soon, in one line; by the daemon; and by a look."""
    for command in COMMANDS:
        began_s = now_s()
        line = await said(cluster, CLIENT, f"timeout -s KILL 60 mfs-autonomy {command}", code=1)
        assert now_s() - began_s < ANSWERED_WITHIN_S, f"{command} keeps nobody waiting"
        assert line.count("\n") == 0, "one line"
        assert f"{MOUNT} cannot be reached: its master {address} does not answer" in line
        assert any(word in line for word in words), f"the reason, which is one of {words}"
        assert "is mfsmaster running there" in line, "and what to do"
        assert "Nothing was begun" in line
    shown = await said(cluster, CLIENT, "timeout -s KILL 60 mfs-autonomy incidents", code=1)
    assert any(line.startswith("unreachable-master") and address in line for line in shown.splitlines())

    async def told() -> bool:
        return ("unreachable-master", address, "critical") in await alerts(cluster)

    await wait.until(told, within_s=SETTLED_S, what="the daemon tells it", every_s=0.5)


@promise("S5-10")
@software("mfs-autonomy-daemon")
@topology("moosefs")
async def test_a_master_out_of_reach_is_named_and_what_to_do(cluster: Cluster, vip: str) -> None:
    """Cut off, frozen, dead: each is told, also while a volume of it is mapped; and it is over when it is over."""
    await a_moosefs(cluster, vip)
    await said(cluster, CLIENT, f"mkdir -p {IMAGES}; head -c 1M /dev/urandom | tee {MAPPED} {OTHER} > /srv/local")
    await said(cluster, CLIENT, f"mfs-autonomy map {MAPPED} --driver file")
    before = await said(cluster, CLIENT, f"cat {MAPPED} {OTHER} | sha256sum; ls -A {IMAGES} /srv")
    ways: dict[tuple[str, ...], Callable[[], AbstractAsyncContextManager[object]]] = {
        ("no answer within", "timed out", "No route to host"): lambda: cluster.under(Isolate(node(MASTER))),
        ("no answer within",): lambda: cluster.under(Freeze(node(MASTER))),
        ("Connection refused",): lambda: dead(cluster),
    }
    for words, way in ways.items():
        async with way():
            await is_told(cluster, "mfsmaster:9421", words)
        await until(cluster, CLIENT, "the mount answers", f"timeout -s KILL 5 ls {IMAGES}")
        await until(cluster, CLIENT, "nothing is wrong", "timeout -s KILL 30 mfs-autonomy incidents")

        async def over() -> bool:
            return "unreachable-master" not in [name for name, _, _ in await alerts(cluster)]

        await wait.until(over, within_s=SETTLED_S, what="the alert is gone", every_s=0.5)
        assert await said(cluster, CLIENT, f"cat {MAPPED} {OTHER} | sha256sum; ls -A {IMAGES} /srv") == before
    await said(cluster, CLIENT, f"mfs-autonomy map {OTHER} --driver file && mfs-autonomy unmap {OTHER}")
