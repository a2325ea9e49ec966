"""Nodes of an engine as tests of it handle them: booted with a cable, asked, and seen to be gone."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from harness.engines.engine import Engine, NodeDefinition, NodeFile
from harness.errors import EngineError, HarnessError
from harness.fabric.plug import Plug
from harness.procfs import process_state
from harness.wait import until

NewEngine = Callable[[], Engine]
SOON_S = 10.0
PLUG = Plug("eth0", "02:00:00:00:00:01", "10.9.8.7", 24, None)


def service(name: str, body: str) -> NodeFile:
    """An executable of the node's boot."""
    return NodeFile(f"/etc/boot.d/{name}", f"#!/bin/sh\n{body}\n".encode(), 0o755)


COUNTER = service(
    "10-counter", "i=0; while :; do i=$((i+1)); echo $i > /root/count.new; mv /root/count.new /root/count; done"
)


async def plug(engine: Engine, pid: int, node: str = "n1") -> None:
    """Give the node what its boot waits for: an interface eth0 that is up."""
    if engine.capabilities(node).own_kernel:
        await engine.connect(node, PLUG)
        await engine.connected(node, PLUG)
        return
    await asyncio.to_thread(_plug_in, pid)


def _plug_in(pid: int) -> None:
    commands = ("link add eth0 type veth peer name wire0", "link set wire0 up", "link set eth0 up")
    for command in commands:
        subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "ip", *command.split()], check=True)


async def are_gone(*pids: int) -> None:
    """See that processes have ended (a zombie that nobody has collected yet has).

    At once, but for one thing: in control groups of version 2 a process leaves its group, its files closed and its
    memory given back, some instructions before it is a zombie.
    """
    await until(lambda: all(map(_is_gone, pids)), within_s=SOON_S / 100, what=f"processes {pids} are gone")


def _is_gone(pid: int) -> bool:
    try:
        return process_state(pid) in "ZX"
    except HarnessError:
        return True


async def eventually(condition: Callable[[], Awaitable[object]], what: str) -> None:
    """Wait for a condition that has to ask the engine."""

    async def holds() -> bool:
        return bool(await condition())

    assert await until(holds, within_s=SOON_S, what=what)


class NodesOfAnEngine:
    """What tests of an engine do with its nodes. ``new_engine`` is a fixture of whoever derives from this."""

    @pytest.fixture
    def engine(self, new_engine: NewEngine) -> Engine:
        """One engine with a run of its own."""
        return new_engine()

    async def boot(self, engine: Engine, image: Path, *files: NodeFile, name: str = "n1") -> int:
        """A node with these files, created, started and plugged in."""
        await engine.create(NodeDefinition(name, image, files=files))
        pid = await engine.start(name)
        await plug(engine, pid, name)
        return pid

    async def text(self, engine: Engine, *command: str, node: str = "n1") -> str:
        """What a command that must succeed prints."""
        done = await engine.exec(node, command)
        assert done.exit_code == 0, done
        return done.stdout.decode().strip()

    async def count(self, engine: Engine) -> int:
        """How far the COUNTER service has come, read from outside; 0 before it began."""
        try:
            return int(await engine.read_file("n1", "/root/count"))
        except FileNotFoundError:
            return 0

    async def count_of_paused(self, engine: Engine) -> int:
        """The same while the node is paused; 0 where only its own kernel could tell, which then is paused itself."""
        if not engine.capabilities("n1").own_kernel:
            return await self.count(engine)
        with pytest.raises(EngineError, match="n1 is paused"):
            await self.count(engine)
        return 0

    async def there(self, engine: Engine, path: str) -> bool:
        """Whether the node's disk has this file."""
        return await self.content(engine, path) is not None

    async def runs(self, engine: Engine, pattern: str) -> bool:
        """Whether a process with this command line runs in the node."""
        return (await engine.exec("n1", ["pgrep", "-f", pattern])).exit_code == 0

    async def content(self, engine: Engine, path: str) -> bytes | None:
        """What is in a file; None when it is not there."""
        try:
            return await engine.read_file("n1", path)
        except FileNotFoundError:
            return None
