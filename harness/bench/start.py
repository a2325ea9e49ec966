"""From nothing to a cluster: nodes, quorum, address; beside bare containers of the same runtime in the same run."""

import asyncio
import json
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path

from harness.bench.clusters import drawn, first_sights
from harness.bench.figures import Figure
from harness.clock import now_s
from harness.engines.oci import configuration, find_runtime
from harness.events import Announced, NodeStarted
from harness.history import History
from harness.images import ensure_image
from harness.reap import destroy
from harness.rundir import RunDirectory
from harness.subjects.found import subject_called

METHOD = (
    "The clock starts before the run's directory exists. Nodes: three are created, started, plugged in. "
    "Quorum: every node's own Corosync reports three members. Address: its first gratuitous ARP is seen on the wire. "
    "The peer creates and starts three bare containers with the same runtime and image, in parallel, without network, "
    "disk or observers."
)


async def _once(directory: Path) -> tuple[float, float, float]:
    cluster = drawn("start", (subject_called("sfha"), subject_called("etcd")), directory)
    start_s = now_s()
    try:
        await cluster.start()
        await cluster.until_settled(within_s=60)
    finally:
        cluster.record_ending("passed", "")
        await cluster.end()
    history = History.read(cluster.run_directory)
    plugged_s = max(event.t_s for event in history.of(NodeStarted))
    quorum_s = max(first_sights(history, cluster.topology.node_names))
    announced_s = history.of(Announced)[0].t_s
    return plugged_s - start_s, quorum_s - start_s, announced_s - start_s


def _bare() -> float:
    """Three bare containers, from nothing to running."""
    runtime, image = find_runtime(), ensure_image()
    run = RunDirectory.create(f"bare-{secrets.token_hex(4)}")  # so that reap finds them, and not while they are used
    root = run.path
    running: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(3):
            bundle = root / str(number)
            bundle.mkdir()
            config = configuration(f"{run.run_id}-{number}", f"{run.cgroup}/{number}", image, {})
            (bundle / "config.json").write_text(json.dumps(config | {"root": {"path": str(image), "readonly": True}}))
        start_s = now_s()
        command = [str(runtime.program), "--root", str(root / "state")]
        # The image must stay as it is: a private mount namespace makes it the container's, read-only.
        for number in range(3):
            begin = ["run", "--detach", "--bundle", str(root / str(number)), f"{run.run_id}-{number}"]
            running.append(
                subprocess.Popen(
                    ["unshare", "--mount", *command, *begin],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        codes = [process.wait() for process in running]
        took_s = now_s() - start_s
    finally:
        for process in running:
            process.kill()
            process.wait()
        destroy(run)
    return took_s if not any(codes) else float("nan")


def run(runs: int, directory: Path, say: Callable[[str], None]) -> tuple[Figure, ...]:
    """Measure ``runs`` starts, ours and the peer's in turn."""
    ours: list[tuple[float, float, float]] = []
    bare: list[float] = []
    for number in range(runs):
        say(f"start {number + 1} of {runs}")
        ours.append(asyncio.run(_once(directory)))
        bare.append(_bare())
    whats = ("3 nodes with power", "quorum 3 of 3", "the VIP, held by a quorate majority")
    figures = [Figure(f"nothing to {what}", tuple(one[index] for one in ours)) for index, what in enumerate(whats)]
    return (*figures, Figure("peer: 3 bare containers of the same runtime", tuple(bare)))
