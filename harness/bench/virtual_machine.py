"""A virtual machine without acceleration: what a host without KVM would otherwise have for a kernel of a node's own."""

import asyncio
import os
import platform
import secrets
import select
import signal
from collections import defaultdict
from collections.abc import Sequence

from harness.bench.figures import Figure
from harness.clock import now_s
from harness.engines.choice import engine_for
from harness.engines.engine import NodeDefinition
from harness.errors import EngineError
from harness.images import ensure_image
from harness.keeper import Keeper
from harness.procfs import memory_bytes, process_name, processor_time_s
from harness.rundir import RunDirectory

MACHINE = "qemu without acceleration"
IMAGE = "virtual-machine"
SAID = b"process 1 runs"
STARTED_WITHIN_S = 120.0
SETTLED_S, IDLE_S = 3.0, 5.0
COMMAND = (
    "nice", "-n", "-10", "qemu-system-x86_64", "-accel", "tcg", "-m", "512", "-nographic", "-no-reboot", "-net", "none",
    "-kernel", "/srv/kernel", "-initrd", "/srv/initrd", "-append", "console=ttyS0 quiet panic=-1",
)  # fmt: skip
METHOD = (
    "The peer of the engine uml is `qemu-system-x86_64` without acceleration, on a node of the local engine, with the "
    "priority that kernels of nodes have: Debian's kernel for clouds, 512 MB, and a disk in memory whose process 1 "
    "only says that it runs; no other disk, no network, no agent. Started: from the call until that is read. Killed: "
    f"from SIGKILL until its process is gone. Idle: {SETTLED_S:g} s later, its processor time in a second of "
    f"{IDLE_S:g} idle ones."
)
STARTED, KILLED, IDLE = "started, process 1 runs", "killed", "idle, each second"


class VirtualMachine:
    """What runs of it have measured."""

    def __init__(self) -> None:
        self._rows_s: dict[str, list[float]] = defaultdict(list)
        self._memories_bytes: list[int] = []

    async def measure(self) -> None:
        """One life of it. Raises EngineError when it does not start within two minutes."""
        run = RunDirectory.create(f"bench-{secrets.token_hex(4)}")
        keeper = Keeper.start(run)
        try:
            engine = engine_for("local", run)
            await engine.create(NodeDefinition("host", ensure_image(IMAGE)))
            await engine.start("host")
            began_s = now_s()
            machine = await engine.spawn("host", COMMAND)
            await _said(machine.stdout)
            self._rows_s[STARTED].append(now_s() - began_s)
            pid = _machine_among(engine.processes("host"))
            await asyncio.sleep(SETTLED_S)
            used_s, began_s = processor_time_s(pid), now_s()
            await asyncio.sleep(IDLE_S)
            self._rows_s[IDLE].append((processor_time_s(pid) - used_s) / (now_s() - began_s))
            self._memories_bytes.append(memory_bytes(pid))
            self._rows_s[KILLED].append(_killed_within_s(pid))
        finally:
            await keeper.end()

    def figures(self) -> list[Figure]:
        """Its rows of the table."""
        if why := why_none():
            return [Figure(f"peer, {MACHINE}", (), f"not shown here: {why}")]
        remarks = {IDLE: f"{max(self._memories_bytes, default=0) / 1e6:.0f} MB at most"}
        return [
            Figure(f"peer, {MACHINE}: {what}", tuple(values_s), remarks.get(what, ""))
            for what, values_s in self._rows_s.items()
        ]


def why_none() -> str | None:
    """Why there is none on this host, if so."""
    here = platform.machine()
    return None if here == "x86_64" else f"the image {IMAGE} is of x86_64, this host is {here}"


async def _said(console: asyncio.StreamReader | None) -> None:
    read = bytearray()
    try:
        async with asyncio.timeout(STARTED_WITHIN_S):
            while console is not None and SAID not in read and (more := await console.read(4096)):
                read += more
    except TimeoutError:
        pass
    if SAID not in read:
        raise EngineError(f"the virtual machine did not start; its console says: {bytes(read[-500:])!r}")


def _machine_among(pids: Sequence[int]) -> int:
    return next(pid for pid in pids if process_name(pid).startswith("qemu-system"))


def _killed_within_s(pid: int) -> float:
    process = os.pidfd_open(pid)
    try:
        began_s = now_s()
        signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [])
        return now_s() - began_s
    finally:
        os.close(process)
