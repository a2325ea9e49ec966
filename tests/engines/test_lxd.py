"""The lxd engines pass the contract, and leave nothing on the host or in their daemon."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from harness.engines.choice import UNPRIVILEGED
from harness.engines.engine import Engine, NodeDefinition, NodeFile
from tests.contracts.engine import EngineContract
from tests.engines.hosted_runs import engines, needs

NewEngine = Callable[[], Engine]


class TestLxdEngine(EngineContract):
    """The contract."""

    pytestmark = needs("lxd")

    @pytest.fixture
    async def new_engine(self) -> AsyncIterator[NewEngine]:
        """Engines with a run of their own."""
        async with engines("lxd") as make:
            yield make


class TestUnprivilegedLxdEngine(EngineContract):
    """The contract, and what an unprivileged node is."""

    pytestmark = needs(UNPRIVILEGED)

    @pytest.fixture
    async def new_engine(self) -> AsyncIterator[NewEngine]:
        """Engines with a run of their own."""
        async with engines(UNPRIVILEGED) as make:
            yield make

    async def test_its_root_is_an_ordinary_user_of_the_host(self, engine: Engine, node_image: Path) -> None:
        pid = await self.boot(engine, node_image)
        assert os.stat(f"/proc/{pid}").st_uid != 0
        assert await self.text(engine, "id", "-u") == "0"
        assert os.stat(f"/proc/{pid}/ns/user").st_ino != os.stat("/proc/self/ns/user").st_ino
        assert await self.text(engine, "readlink", "/proc/self/ns/user") == str(Path(f"/proc/{pid}/ns/user").readlink())

    async def test_whatever_is_written_from_outside_is_its_roots(self, engine: Engine, node_image: Path) -> None:
        await engine.create(NodeDefinition("n1", node_image, files=(NodeFile("/root/created", b""),)))
        await engine.write_file("n1", NodeFile("/root/off", b""))
        await engine.start("n1")
        for path in ("/root/on", "/run/on", "/var/cache/new/on"):
            await engine.write_file("n1", NodeFile(path, b"", 0o600))
        owners = await self.text(
            engine, "stat", "-c", "%u:%g", "/root/created", "/root/off", "/root/on", "/run/on", "/var/cache/new/on"
        )
        assert owners.split() == ["0:0"] * 5
        await engine.kill("n1")
        await engine.write_file("n1", NodeFile("/var/lib/later/off", b""))
        await engine.start("n1")
        assert await self.text(engine, "stat", "-c", "%u:%g", "/var/lib/later", "/var/lib/later/off") == "0:0\n0:0"
        await self.text(engine, "install", "-d", "-o", "games", "-m", "700", "/root/private")
        await self.text(engine, "sh", "-c", "echo mine > /root/private/file")
        assert await engine.read_file("n1", "/root/private/file") == b"mine\n"
