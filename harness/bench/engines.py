"""What a node's life costs on each engine, beside the engine's own commands in the same run."""

import asyncio
import os
import secrets
import subprocess
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from harness.bench.clusters import drawn
from harness.bench.figures import Figure
from harness.clock import now_s
from harness.engines.choice import ENGINES, engine_for, why_unusable
from harness.engines.daemons import chosen_daemon
from harness.engines.engine import NodeDefinition
from harness.engines.imported import image_key
from harness.events import MembershipSeen
from harness.history import History
from harness.images import ensure_image
from harness.keeper import Keeper
from harness.rundir import RunDirectory
from harness.software.choice import software_called

METHOD = (
    "One node without software: each verb of the engine, from its call to its return; then the same with the engine's "
    "own commands (docker, lxc), same image, same daemon, in turn. Restart is power on after a power cut. Quorum: a "
    "cluster of three nodes in three sites, from nothing to three members seen by every node's own Corosync, with "
    "observers, fabric and disks. Bare commands make no fabric, no files and no observers, and include their own start."
)
Times = dict[str, list[float]]
VERBS = ("create", "start", "freeze", "thaw", "kill", "restart", "destroy")


async def _verbs(engine_name: str, times_s: Times) -> None:
    """One node's life on our engine."""
    run = RunDirectory.create(f"bench-{secrets.token_hex(4)}")
    keeper = Keeper.start(run)
    try:
        engine = engine_for(engine_name, run)
        acts: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: engine.create(NodeDefinition("n1", ensure_image())),
            lambda: engine.start("n1"),
            lambda: engine.pause("n1"),
            lambda: engine.resume("n1"),
            lambda: engine.kill("n1"),
            lambda: engine.start("n1"),
            lambda: engine.destroy("n1"),
        )
        for verb, act in zip(VERBS, acts, strict=True):
            began_s = now_s()
            await act()
            times_s[verb].append(now_s() - began_s)
    finally:
        await keeper.end()


def _bare_commands(engine_name: str, name: str) -> Sequence[Sequence[str]] | None:
    """The engine's own commands for the same life; None when it has none (or they are not installed)."""
    key = image_key(ensure_image())
    if engine_name == "docker":
        made = ["create", "--name", name, "--network", "none", f"ha-harness:{key}", "sleep", "1000"]
        verbs: tuple[list[str], ...] = (
            made, ["start", name], ["pause", name], ["unpause", name], ["kill", name], ["start", name],
            ["rm", "--force", name],
        )  # fmt: skip
        return [["docker", *verb] for verb in verbs]
    if engine_name == "lxd":
        initialise = ["init", f"ha-harness-{key}", name, "--no-profiles", "--storage", "harness"]
        initialise += ["--config", "security.privileged=true", "--config", "raw.lxc=lxc.init.cmd = /usr/bin/sleep 1000"]
        verbs = (
            initialise, ["start", name], ["pause", name], ["start", name], ["stop", "--force", name], ["start", name],
            ["delete", "--force", name],
        )  # fmt: skip
        return [["lxc", *verb] for verb in verbs]
    return None


def _bare(engine_name: str, times_s: Times, directory: Path) -> None:
    commands = _bare_commands(engine_name, f"bare-{secrets.token_hex(4)}")
    if commands is None:
        return
    socket = chosen_daemon("docker" if engine_name == "docker" else "lxd").socket
    variables = {"DOCKER_HOST": f"unix://{socket}", "LXD_SOCKET": socket, "LXD_CONF": str(directory)}
    for verb, command in zip(VERBS, commands, strict=True):
        began_s = now_s()
        subprocess.run(
            command, env=os.environ | variables, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60
        )
        times_s[verb].append(now_s() - began_s)


async def _to_quorum(engine_name: str, directory: Path) -> float:
    cluster = drawn("quorum", (software_called("sfha"), software_called("etcd")), directory, engine_name)
    began_s = now_s()
    try:
        await cluster.start()
        await cluster.until_settled(within_s=120)
    finally:
        cluster.record_ending("passed", "")
        await cluster.end()
    nodes = cluster.topology.node_names
    history = History.read(cluster.run_directory)
    whole = [event for event in history.of(MembershipSeen) if set(event.members) == set(nodes)]
    return max(min(event.t_s for event in whole if event.node == node) for node in nodes) - began_s


def run(runs: int, directory: Path, say: Callable[[str], None], only: str = "") -> tuple[Figure, ...]:
    """Measure on every engine that can be used here (``only``: on this one)."""
    figures: list[Figure] = []
    for engine_name in (only,) if only else ENGINES:
        if reason := why_unusable(engine_name):
            figures.append(Figure(engine_name, (), f"not shown here: {reason}"))
            continue
        ours: Times = defaultdict(list)
        bare: Times = defaultdict(list)
        quorum_s: list[float] = []
        for number in range(runs):
            say(f"{engine_name}: {number + 1} of {runs}")
            asyncio.run(_verbs(engine_name, ours))
            _bare(engine_name, bare, directory)
            quorum_s.append(asyncio.run(_to_quorum(engine_name, directory)))
        for verb in VERBS:
            figures.append(Figure(f"{engine_name}: {verb}", tuple(ours[verb])))
            if bare[verb]:
                figures.append(Figure(f"peer, bare commands of {engine_name}: {verb}", tuple(bare[verb])))
        figures.append(Figure(f"{engine_name}: nothing to quorum 3 of 3", tuple(quorum_s)))
    return tuple(figures)
