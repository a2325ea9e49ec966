"""What the cluster of a scenario is made of: what its suite runs, unless the marks of the scenario say otherwise."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.checks.registry import check_called
from harness.cluster import Cluster
from harness.design import ClusterDesign, suited, why_unguarded
from harness.engines.choice import DAEMONS, has_own_kernels, why_unusable
from harness.errors import UsageError
from harness.images import image_called
from harness.images.definition import load_definition
from harness.ledger import ClusterLedger
from harness.pytest_runs import run_directory_for
from harness.shipped import definition_called, definitions
from harness.stored import title_of
from harness.subjects.found import named_once, subject_called
from harness.subjects.subject import Subject
from harness.topology import load

_RUN_ID_DIGITS = 10


def design_for(
    request: pytest.FixtureRequest,
    engine_name: str,
    *,
    software: Sequence[str | Subject],
    topology: str | Path = "three-sites",
) -> ClusterDesign:
    """The design of a scenario's cluster, for the ``cluster_design`` fixture of a suite.

    ``software`` and ``topology`` are what the suite's scenarios run on; the marks ``software``, ``topology`` and
    ``image`` of a scenario come first. Names are those of subjects (of an installed package, or
    declared in the suite's pyproject.toml) and of topologies (in its ``fixtures``, or of those that ship).
    """
    item = request.node
    mark = item.get_closest_marker("topology")
    name = str(mark.args[0] if mark else topology)
    drawn = load(definition_called("topologies", name, "topology", item.config.rootpath))
    engines = tuple(dict.fromkeys(drawn.engines(engine_name).values()))
    for engine in engines:
        if engine != engine_name and (reason := why_unusable(engine)):
            pytest.skip(f"not shown here: {reason}")
    hosts_kernel = item.get_closest_marker("hosts_kernel")
    if hosts_kernel is not None and any(map(has_own_kernels, engines)):
        pytest.skip(f"not shown here: {hosts_kernel.args[0]}, and a node has a kernel of its own")
    subjects = suited(_subjects(item, software), engines)
    if reason := why_unguarded(subjects, engines):
        pytest.skip(f"not shown here: {reason}")
    caught_by = _named(item, "caught_by")
    for name in caught_by:
        check_called(name)
    directory = run_directory_for(item)
    return ClusterDesign(
        scenario=title_of(item.nodeid),
        topology=drawn,
        subjects=subjects,
        image=image_called(_image(item, engines, subjects[0])),
        engine=engine_name,
        seed=item.config.option.harness_seed,
        # Unique as the directory is: runs side by side never touch each other.
        run_id=hashlib.sha256(str(directory).encode()).hexdigest()[:_RUN_ID_DIGITS],
        run_directory=directory,
        promises=_named(item, "promise"),
        caught_by=caught_by,
        test=item.nodeid,
    )


def _subjects(item: pytest.Item, software: Sequence[str | Subject]) -> tuple[Subject, ...]:
    mark = item.get_closest_marker("software")
    given = mark.args if mark else software
    named_once(one for one in given if isinstance(one, str))
    first, *others = given
    settings = mark.kwargs if mark else {}
    if isinstance(first, str):
        first = subject_called(first, settings, item.config.rootpath)
    others = [subject_called(one, None, item.config.rootpath) if isinstance(one, str) else one for one in others]
    return (first, *others)


def _image(item: pytest.Item, engines: Sequence[str], subject: Subject) -> str:
    known = definitions("images", item.config.rootpath)
    mark = item.get_closest_marker("image")
    if mark is None:
        chosen = str(item.config.option.harness_image or subject.image)
        return str(known.get(chosen, chosen))
    file = definition_called("images", str(mark.args[0]), "image definition", item.config.rootpath)
    unable = [engine for engine in engines if engine not in DAEMONS]
    if load_definition(file).boots_systemd and unable:
        others = ", ".join(DAEMONS)
        pytest.skip(f"not shown here: it boots systemd, which the engine {unable[0]} does not (those do: {others})")
    return str(file)


def _named(item: pytest.Item, mark: str) -> tuple[str, ...]:
    return tuple(str(one) for found in item.iter_markers(mark) for one in found.args)


@pytest.fixture
def vip(cluster: Cluster) -> str:
    """The first virtual address of the topology."""
    if not cluster.topology.vips:
        raise UsageError(f"the topology {cluster.topology.name} has no virtual address")
    return cluster.plan.vip(cluster.topology.vips[0].name)


@pytest.fixture
def ledger(cluster: Cluster, vip: str) -> ClusterLedger:
    """Clients that write through the virtual address to the first store on the nodes, and keep account."""
    for one in cluster.design.subjects:
        if "ledger" in one.models:
            return ClusterLedger(cluster, vip, one.name, one.service_port)
    running = ", ".join(one.name for one in cluster.design.subjects)
    raise UsageError(f"the scenario wants a ledger, but nothing that runs on its nodes is a store ({running})")
