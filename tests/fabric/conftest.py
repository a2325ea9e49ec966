"""Private namespaces, each kept by a sleeping child; a built fabric with everything plugged in."""

import asyncio
import contextlib
import itertools
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from harness.addresses import AddressPlan
from harness.fabric.fabric import Fabric
from harness.topology import Topology

Lan = Literal["stretched", "routed"]
# The kernel ends it with the test process, however that ends.
KEEPER = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-c", "echo; exec sleep 600"]
KeptNamespaces = Callable[[], "Namespace"]


@dataclass
class Namespace:
    """A network namespace that lives as long as its process."""

    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def path(self) -> Path:
        return Path(f"/proc/{self.process.pid}/ns/net")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def new_namespace() -> Namespace:
    process = subprocess.Popen(KEEPER, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()  # sh runs: the namespace is there
    return Namespace(process)


@pytest.fixture
def namespaces() -> Iterator[KeptNamespaces]:
    """Makes namespaces that end with the test."""
    with contextlib.ExitStack() as kept:

        def make() -> Namespace:
            namespace = new_namespace()
            kept.callback(namespace.end)
            return namespace

        yield make


def draw(lan: Lan = "stretched") -> Topology:
    """Three sites with four nodes, a client inside one of them and one on the WAN."""
    return Topology.from_json(
        {
            "name": "drawn",
            "lan": lan,
            "sites": [{"name": "dijon"}, {"name": "thory"}, {"name": "lyon"}],
            "nodes": [
                {"name": "n1", "site": "dijon"},
                {"name": "n2", "site": "dijon"},
                {"name": "n3", "site": "thory"},
                {"name": "n4", "site": "lyon"},
            ],
            "clients": [{"name": "user"}, {"name": "clerk", "place": "thory"}],
        }
    )


@dataclass
class Built:
    """A fabric and the namespaces plugged into it."""

    fabric: Fabric
    ends: dict[str, Namespace]

    @property
    def topology(self) -> Topology:
        return self.fabric.topology

    async def unreachable(self, within_s: float = 0.15) -> set[tuple[str, str]]:
        """Every pair, in its direction, through which no canary comes."""
        pairs = list(itertools.permutations(self.topology.endpoints, 2))
        arrived = await asyncio.gather(*(self.fabric.canary(*pair, within_s) for pair in pairs))
        return {pair for pair, came in zip(pairs, arrived, strict=True) if not came}


def build(topology: Topology, run_id: str, namespaces: KeptNamespaces) -> Built:
    fabric = Fabric(topology, AddressPlan(topology, run_id), namespaces().path)
    fabric.build()
    ends = {name: namespaces() for name in topology.endpoints}
    for node in topology.node_names:
        fabric.plug(node, ends[node].pid)
    for client in topology.clients:
        fabric.plug_client(client.name, ends[client.name].path)
    return Built(fabric, ends)


@pytest.fixture
def stretched(namespaces: KeptNamespaces) -> Iterator[Built]:
    built = build(draw("stretched"), "stretched-run", namespaces)
    yield built
    built.fabric.close()


@pytest.fixture
def routed(namespaces: KeptNamespaces) -> Iterator[Built]:
    built = build(draw("routed"), "routed-run", namespaces)
    yield built
    built.fabric.close()


@pytest.fixture(params=["stretched", "routed"])
def built(request: pytest.FixtureRequest) -> Built:
    """Both kinds of LAN, one after the other."""
    fabric: Built = request.getfixturevalue(request.param)
    return fabric


@pytest.fixture
def build_another(namespaces: KeptNamespaces) -> Iterator[Callable[[str], Built]]:
    """Builds further fabrics, by run id."""
    with contextlib.ExitStack() as kept:

        def make(run_id: str) -> Built:
            built = build(draw(), run_id, namespaces)
            kept.callback(built.fabric.close)
            return built

        yield make
