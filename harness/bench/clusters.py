"""The clusters that benchmarks measure on."""

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from harness.cluster import Cluster
from harness.design import ClusterDesign
from harness.events import MembershipSeen
from harness.history import History
from harness.images import ensure_image
from harness.subjects.subject import Subject
from harness.topology import Client, Node, Site, Topology, Vip

SITES = ("dijon", "thory", "lyon")
THREE_SITES = Topology(
    name="three sites",
    sites=tuple(Site(name=site) for site in SITES),
    nodes=tuple(Node(name=f"n{number}", site=site, id=number) for number, site in enumerate(SITES, start=1)),
    vips=(Vip(name="web"),),
    clients=(Client(name="user"),),
)


def drawn(
    what: str,
    subjects: tuple[Subject, ...],
    directory: Path,
    engine: str = "local",
    topology: Topology = THREE_SITES,
    *,
    image: str = "",
) -> Cluster:
    """A cluster (of three nodes in three sites), not started; of the first subject's image, unless one is named."""
    run_id = f"bench-{secrets.token_hex(4)}"
    return Cluster(
        ClusterDesign(
            scenario=what,
            topology=topology,
            subjects=subjects,
            image=ensure_image(image or subjects[0].image),
            engine=engine,
            seed=0,
            run_id=run_id,
            run_directory=directory / run_id,
        )
    )


@asynccontextmanager
async def started(
    what: str,
    subjects: tuple[Subject, ...],
    directory: Path,
    outside: Callable[[Cluster], object] = lambda _cluster: None,
    topology: Topology = THREE_SITES,
    *,
    engine: str = "local",
    image: str = "",
) -> AsyncIterator[Cluster]:
    """Such a cluster, settled; ended in every case. ``outside`` attaches what lives beside it."""
    cluster = drawn(what, subjects, directory, engine, topology, image=image)
    outside(cluster)
    try:
        await cluster.start()
        await cluster.until_settled(within_s=60)
        yield cluster
        await cluster.collect()
    finally:
        cluster.record_ending("passed", "")
        await cluster.end()


def first_sights(history: History, everybody: Sequence[str]) -> list[float]:
    """When each node's own Corosync first reported all of them, of those that did; seconds of the history's clock."""
    first: dict[str, float] = {}
    for event in history.of(MembershipSeen):
        if set(event.members) == set(everybody):
            first[event.node] = min(event.t_s, first.get(event.node, event.t_s))
    return list(first.values())
