"""What a newcomer does: one command with Docker, and an edge, its platform and three sites run on his machine."""

import asyncio
import subprocess
import sys
from pathlib import Path

from fixtures.marks import promise, software, topology
from harness.cluster import Cluster
from harness.engines.engine import NodeFile
from harness.subjects.multisite.containers import DOCKER_HOST
from harness.wait import until

EXAMPLE = Path(__file__).parents[2] / "docs/examples/multisite-compose"
NODE, PLACE, ARCHIVE = "n1", "/srv/multisite", "/srv/multisite.tar"
UP_WITHIN_S, MOVED_WITHIN_S = 60.0, 10.0


class Newcomer:
    """At the shell of his machine."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def types(self, script: str, *, timeout_s: float = UP_WITHIN_S) -> str:
        """What a script says."""
        done = await self._cluster.engine.exec(NODE, ["sh", "-euc", script], timeout_s=timeout_s)
        said = (done.stdout + done.stderr).decode()
        self._cluster.note(f"# {script} -> {done.exit_code}: {said[-300:]}")
        assert done.exit_code == 0, (script, said)
        return said

    async def is_served_by(self, names: set[str]) -> None:
        """Wait until nobody else serves visitors."""

        async def so() -> bool:
            asks = "for _ in 1 2 3 4 5 6; do curl -s -m 2 http://localhost:8080/ || true; done"
            return set((await self.types(asks)).split()) == names

        await until(so, within_s=MOVED_WITHIN_S, every_s=0.2, what=f"visitors are served by {names}")


@topology("one-node")
@software(DOCKER_HOST)
@promise("S3-05", "S3-54")
async def test_one_command_starts_all_of_it_and_a_site_is_cut(cluster: Cluster) -> None:
    """The image is what `harness image export multisite` gives; everything runs in containers of it."""
    newcomer = Newcomer(cluster)
    for file in EXAMPLE.iterdir():
        await cluster.engine.write_file(NODE, NodeFile(f"{PLACE}/{file.name}", file.read_bytes()))
    command = [str(Path(sys.executable).parent / "harness"), "image", "export", "multisite"]
    exported = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    await cluster.engine.write_file(NODE, NodeFile(ARCHIVE, exported.stdout))

    await newcomer.types("until docker info; do sleep 0.2; done")
    await newcomer.types(f"docker import {ARCHIVE} multisite")
    await newcomer.types(f"cd {PLACE}; docker compose up --detach")

    async def declared() -> bool:
        states = await newcomer.types(f"cd {PLACE}; docker compose ps --all declare --format '{{{{.State}}}}'")
        return "exited" in states

    await until(declared, within_s=UP_WITHIN_S, every_s=0.5, what="what there is, is declared")
    await newcomer.is_served_by({"dijon1", "dijon2"})
    token = await newcomer.types(f"cd {PLACE}; docker compose exec -T platform cat /var/lib/multisite/token")
    assert token.strip()
    await newcomer.types("curl -sf http://localhost:8000/healthz")
    await newcomer.types("docker network disconnect multisite_dijon multisite-edge-1")
    await newcomer.is_served_by({"lyon1", "thory1"})
    await newcomer.types("docker network connect multisite_dijon multisite-edge-1")
    await newcomer.is_served_by({"dijon1", "dijon2"})
    await newcomer.types(f"cd {PLACE}; docker compose pause dijon1 dijon2")
    await newcomer.is_served_by({"lyon1", "thory1"})
    await newcomer.types(f"cd {PLACE}; docker compose unpause dijon1 dijon2")
    await newcomer.is_served_by({"dijon1", "dijon2"})
    await newcomer.types(f"cd {PLACE}; docker compose down --volumes --timeout 2")
