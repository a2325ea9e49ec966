"""The docker engine passes the contract, and leaves nothing on the host or in its daemon."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from harness.engines.cgroup import Cgroup, Hierarchies
from harness.engines.docker import why_no_system
from harness.engines.engine import Engine, NodeDefinition
from harness.images import ensure_image
from tests.contracts.engine import EngineContract
from tests.contracts.nodes import eventually
from tests.engines.hosted_runs import engines, needs

NewEngine = Callable[[], Engine]
VERSION_1 = (("freezer", Path("/sys/fs/cgroup/freezer")), ("cpu", Path("/sys/fs/cgroup/cpu")))
SYSTEMD = (("name=systemd", Path("/sys/fs/cgroup/systemd")),)
UNIFIED = Path("/sys/fs/cgroup/unified")


class TestDockerEngine(EngineContract):
    """The contract."""

    pytestmark = needs("docker")

    @pytest.fixture
    async def new_engine(self) -> AsyncIterator[NewEngine]:
        """Engines with a run of their own."""
        async with engines("docker") as make:
            yield make

    async def test_a_systems_own_init_manages_the_groups_of_its_container_only(self, engine: Engine) -> None:
        await engine.create(NodeDefinition("n1", ensure_image("systemd-trixie")))
        pid = await engine.start("n1")
        before = Cgroup.of(pid).path

        async def booted() -> bool:
            done = await engine.exec("n1", ["systemctl", "is-system-running"])
            return done.stdout.strip() in (b"running", b"degraded")

        await eventually(booted, "systemd has booted")
        places = [line.split(":", 2)[2] for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()]
        assert any(place.endswith("/init.scope") for place in places)
        assert all(f"{place}/".startswith(f"/{before}/") for place in places)


@pytest.mark.parametrize(
    ("found", "safe"),
    [
        (Hierarchies((), Path("/sys/fs/cgroup")), True),
        (Hierarchies(VERSION_1 + SYSTEMD, UNIFIED), True),
        (Hierarchies(VERSION_1, UNIFIED), False),
        (Hierarchies(VERSION_1 + SYSTEMD, None), False),
        (Hierarchies(VERSION_1 + SYSTEMD, Path("/mnt/unified")), False),
    ],
)
def test_a_systems_own_init_runs_only_where_docker_gives_it_groups_of_its_own(found: Hierarchies, safe: bool) -> None:
    assert (why_no_system(found) is None) is safe
