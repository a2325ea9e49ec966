"""What a node's life costs on each engine, beside the engine's own commands in the same run."""

import asyncio
import os
import secrets
import shutil
import statistics
import subprocess
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from harness.bench import side_by_side, virtual_machine
from harness.bench.clusters import drawn, first_sights
from harness.bench.figures import Figure
from harness.clock import now_s
from harness.engines.choice import (
    DAEMONS,
    ENGINES,
    UNPRIVILEGED,
    engine_for,
    has_own_kernels,
    why_no_gate,
    why_unusable,
)
from harness.engines.daemons import chosen_daemon
from harness.engines.engine import NodeDefinition
from harness.engines.imported import image_key
from harness.engines.laid import pack
from harness.engines.lxd import PIVOT
from harness.engines.remains import REPOSITORY
from harness.history import History
from harness.images import ensure_image
from harness.keeper import Keeper
from harness.rundir import RunDirectory
from harness.subjects.found import subject_called

COMMANDS = 20
METHOD = (
    "One node without software: each verb of the engine, from its call to its return; then the same with the engine's "
    "own commands (docker, lxc), same image, same daemon, same storage pool, in turn. What docker creates bare "
    "gets its one file by `docker cp`. Restart is power on after a power cut. Overhead is median by median: what our "
    "verb takes longer (or, negative, shorter) than the bare command. Quorum: a cluster of three nodes in three sites, "
    "from nothing to three members seen by every node's own Corosync, with observers, fabric and disks. Bare commands "
    "make no fabric, no files and no observers, and include their own start. Three nodes: created and started at once, "
    f"until each has run `true`; a command: `true` on one of them, the median of {COMMANDS}. {side_by_side.METHOD} "
    f"{virtual_machine.METHOD}"
)
Times = dict[str, list[float]]
VERBS = ("create", "start", "freeze", "thaw", "kill", "restart", "destroy")
BOTH = ("kill", "restart")
"""Looked at together as well: our power cut does not wait until the daemon has heard of it, the restart does."""


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


async def _three(engine_name: str) -> tuple[float, float]:
    """From nothing until three nodes run a command each; and how long one takes then, on one of them (median)."""
    run = RunDirectory.create(f"bench-{secrets.token_hex(4)}")
    keeper = Keeper.start(run)
    try:
        engine = engine_for(engine_name, run)
        began_s = now_s()
        await side_by_side.ready(engine, ("n1", "n2", "n3"))
        ready_s, taken_s = now_s() - began_s, []
        for _ in range(COMMANDS):
            began_s = now_s()
            await engine.exec("n1", ["true"])
            taken_s.append(now_s() - began_s)
        return ready_s, statistics.median(taken_s)
    finally:
        await keeper.end()


def _bare_commands(engine_name: str, name: str) -> tuple[Sequence[Sequence[str]], ...] | None:
    """The engine's own commands for the same life, verb by verb; None when it, or this host, has none."""
    if shutil.which("docker" if engine_name == "docker" else "lxc") is None:
        return None
    key = image_key(ensure_image())
    if engine_name == "docker":
        made = ["create", "--name", name, "--network", "none", f"{REPOSITORY}:{key}", "sleep", "1000"]
        return tuple(
            [["docker", *command] for command in verb]
            for verb in (
                (made, ["cp", "-", f"{name}:/"]), (["start", name],), (["pause", name],), (["unpause", name],),
                (["kill", name],), (["start", name],), (["rm", "--force", name],),
            )
        )  # fmt: skip
    if engine_name in ("lxd", UNPRIVILEGED):
        made = ["init", f"{REPOSITORY}-{key}", name, "--no-profiles", "--storage", str(chosen_daemon("lxd").pool())]
        privileged = str(engine_name == "lxd").lower()
        made += ["--config", f"security.privileged={privileged}"]
        made += ["--config", f"raw.lxc=lxc.init.cmd = /usr/bin/sleep 1000\n{PIVOT}"]
        return tuple(
            [["lxc", *command]]
            for command in (
                made, ["start", name], ["pause", name], ["start", name], ["stop", "--force", name], ["start", name],
                ["delete", "--force", name],
            )
        )  # fmt: skip
    return None


def _bare(engine_name: str, times_s: Times, directory: Path) -> None:
    verbs = _bare_commands(engine_name, f"bare-{secrets.token_hex(4)}")
    if verbs is None:
        return
    socket = chosen_daemon(DAEMONS[engine_name]).socket
    variables = {"DOCKER_HOST": f"unix://{socket}", "LXD_SOCKET": socket, "LXD_CONF": str(directory)}
    laid = pack(NodeDefinition("n1", ensure_image()))

    def act(commands: Sequence[Sequence[str]], *, check: bool = True) -> None:
        for command in commands:
            given = laid if "cp" in command else b""
            environment = os.environ | variables
            subprocess.run(command, env=environment, check=check, capture_output=True, input=given, timeout=60)

    try:
        for verb, commands in zip(VERBS, verbs, strict=True):
            began_s = now_s()
            act(commands)
            times_s[verb].append(now_s() - began_s)
    except BaseException:  # nobody else knows of it
        act(verbs[-1], check=False)
        raise


async def _to_quorum(engine_name: str, directory: Path) -> float:
    own_kernels = has_own_kernels(engine_name)
    subjects = tuple(subject_called(name).suited(own_kernels=own_kernels) for name in ("sfha", "etcd"))
    cluster = drawn("quorum", subjects, directory, engine_name)
    began_s = now_s()
    try:
        await cluster.start()
        await cluster.until_settled(within_s=120)
    finally:
        cluster.record_ending("passed", "")
        await cluster.end()
    return max(first_sights(History.read(cluster.run_directory), cluster.topology.node_names)) - began_s


def _kill_and_restart(engine_name: str, ours: Times, bare: Times) -> list[Figure]:
    ours_s, bare_s = (tuple(map(sum, zip(*(times[verb] for verb in BOTH), strict=True))) for times in (ours, bare))
    what = " and ".join(BOTH)
    figures = [Figure(f"{engine_name}: {what}", ours_s, _overhead(ours_s, bare_s))]
    return [*figures, Figure(f"peer, bare commands of {engine_name}: {what}", bare_s)] if bare_s else figures


def _overhead(ours_s: Sequence[float], bare_s: Sequence[float]) -> str:
    if not bare_s:
        return ""
    return f"overhead {statistics.median(ours_s) / statistics.median(bare_s) - 1:+.0%}"


def _each(measured_s: Sequence[tuple[float, float]], which: int) -> tuple[float, ...]:
    return tuple(one[which] for one in measured_s)


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
        three_s: list[tuple[float, float]] = []
        rows, memories_bytes, no_gate = side_by_side.new_rows(), list[float](), why_no_gate(engine_name)
        peer = virtual_machine.VirtualMachine() if has_own_kernels(engine_name) else None
        for number in range(runs):
            say(f"{engine_name}: {number + 1} of {runs}")
            asyncio.run(_verbs(engine_name, ours))
            _bare(engine_name, bare, directory)
            three_s.append(asyncio.run(_three(engine_name)))
            memories_bytes.append(side_by_side.measure(engine_name, directory, rows))
            if peer and not virtual_machine.why_none():
                asyncio.run(peer.measure())
            if no_gate is None:
                quorum_s.append(asyncio.run(_to_quorum(engine_name, directory)))
        for verb in VERBS:
            figures.append(Figure(f"{engine_name}: {verb}", tuple(ours[verb]), _overhead(ours[verb], bare[verb])))
            if bare[verb]:
                figures.append(Figure(f"peer, bare commands of {engine_name}: {verb}", tuple(bare[verb])))
        figures += _kill_and_restart(engine_name, ours, bare)
        figures.append(Figure(f"{engine_name}: nothing to three nodes, a command run on each", _each(three_s, 0)))
        figures.append(Figure(f"{engine_name}: a command (true)", _each(three_s, 1)))
        figures += side_by_side.figures(engine_name, rows, memories_bytes)
        figures += peer.figures() if peer else []
        why = f"not shown here: {no_gate}" if no_gate else ""
        figures.append(Figure(f"{engine_name}: nothing to quorum 3 of 3", tuple(quorum_s), why))
    return tuple(figures)
