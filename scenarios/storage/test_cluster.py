"""Three nodes tell each other what they have mapped, over a real network that is cut.

What is judged is what the nodes' own commands answer, each by itself: nobody is asked what he thinks of another's state
but by the way that a person would ask.
"""

import asyncio
import json
from typing import Any

from fixtures.marks import promise, software, topology
from harness import wait
from harness.clock import now_s
from harness.cluster import Cluster
from harness.faults.network import Isolate
from harness.faults.select import node
from harness.subjects.storage.subject import API_PORT, SHARED, TOKEN

KNOWN_WITHIN_S, SETTLED_S = 5.0, 30.0
OTHERS = ("n2", "n3")


async def said(cluster: Cluster, on: str, *command: str, code: int = 0) -> str:
    """What a command on a node said; asserts its exit code."""
    done = await cluster.engine.exec(on, list(command))
    text = (done.stdout + done.stderr).decode().strip()
    cluster.note(f"{on}: {' '.join(command)}: {text[-400:]}")
    assert done.exit_code == code, text
    return text


async def seen(cluster: Cluster, by: str, of: str) -> dict[str, Any]:
    """What one node says of another; nothing where its daemon does not answer yet."""
    asked = f'curl -sf -H "Authorization: Bearer $(cat {TOKEN})" localhost:{API_PORT}/v1/cluster'
    done = await cluster.engine.exec(by, ["sh", "-c", asked])
    nodes: list[dict[str, Any]] = json.loads(done.stdout)["nodes"] if done.exit_code == 0 else []
    return next((one for one in nodes if one["name"] == of), {})


async def until_seen(cluster: Cluster, of: str, what: str, within_s: float, **expected: object) -> float:
    """Wait until both others see it so; how long it took."""
    began_s = now_s()

    async def is_so() -> bool:
        found = await asyncio.gather(*(seen(cluster, by, of) for by in OTHERS))
        volumes = [{**one, "volumes": [row["volume"] for row in one.get("volumes", [])]} for one in found]
        return all(one.get(name) == value for one in volumes for name, value in expected.items())

    await wait.until(is_so, within_s=within_s, what=what, every_s=0.1)
    took_s = now_s() - began_s
    cluster.note(f"{what}: seen by both others after {took_s:.2f} s")
    return took_s


@promise("S5-28", "S5-33")
@software("mfs-autonomy-daemon", peers=True)
@topology("single-site")
async def test_what_one_node_has_all_know_and_who_is_cut_off_is_silent(cluster: Cluster) -> None:
    """A volume is refused elsewhere while its node is heard; a node that is cut off is never called well."""
    volume = f"{SHARED}/disk-0"
    for name in ("n1", *OTHERS):
        await said(cluster, name, "sh", "-c", f"mkdir -p {SHARED}; truncate -s 1M {volume}")
    for name in ("n1", *OTHERS):
        await until_seen_well(cluster, name)
    await said(cluster, "n1", "mfs-autonomy", "map", volume, "--driver", "file")
    await until_seen(cluster, "n1", "n1 has the volume", KNOWN_WITHIN_S, state="well", volumes=[volume])
    assert "n1 has it" in await said(cluster, "n2", "mfs-autonomy", "map", volume, "--driver", "file", code=1)
    async with cluster.under(Isolate(node("n1"))):
        await until_seen(cluster, "n1", "n1 is silent", SETTLED_S, state="silent", volumes=[volume])
        for name in OTHERS:
            shown = await said(cluster, name, "mfs-autonomy", "cluster", code=1)
            assert any(line.startswith("n1 ") and "silent" in line for line in shown.splitlines())
        warned = await said(cluster, "n2", "mfs-autonomy", "map", volume, "--driver", "file")
        assert "nobody knows whether it still has" in warned
    await until_seen(cluster, "n1", "n1 is well again", SETTLED_S, state="well")
    incidents = "mfs-autonomy incidents | grep -q ^mapped-elsewhere"

    async def told() -> bool:
        found = [await cluster.engine.exec(name, ["sh", "-c", incidents]) for name in ("n1", "n2")]
        return all(one.exit_code == 0 for one in found)

    await wait.until(told, within_s=SETTLED_S, what="both that have it say so", every_s=0.3)
    await said(cluster, "n2", "mfs-autonomy", "unmap", volume)


async def until_seen_well(cluster: Cluster, name: str) -> None:
    """All others hear of it."""

    async def is_so() -> bool:
        found = [await seen(cluster, by, name) for by in ("n1", *OTHERS) if by != name]
        return all(one.get("state") == "well" for one in found)

    await wait.until(is_so, within_s=SETTLED_S, what=f"all hear of {name}", every_s=0.2)
