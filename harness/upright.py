"""Clusters that were left up for a person: how any later process finds and takes them up again."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.addresses import AddressPlan
from harness.cluster import Cluster
from harness.design import ClusterDesign
from harness.engines.engine import NodeFile
from harness.errors import HarnessError, UsageError
from harness.rundir import RUNS, RunDirectory
from harness.subjects.found import kind_at
from harness.subjects.subject import Subject, reference_to
from harness.topology import Topology

DESIGN_FILE = "design.json"


@dataclass(frozen=True, slots=True)
class _Away(Subject):
    """A subject whose class is not to be found any more: its cluster can be looked at and ended all the same."""

    name: str = ""

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """None: they are on the nodes already."""
        return ()


@dataclass(frozen=True, slots=True)
class _Design:
    """What is written down of a design; the rest follows from it."""

    topology: dict[str, object]
    subjects: tuple[dict[str, object], ...]
    """Of each its name, its settings, and where its class is."""
    directory: str
    """Where the cluster was started: modules that are in no package are looked for there."""
    image: str
    engine: str
    seed: int


def write_down(design: ClusterDesign) -> None:
    """Keep the design beside the run's state. To be done once the cluster runs."""
    known = _Design(
        topology=design.topology.to_json(),
        subjects=tuple(
            {"name": one.name, "settings": dict(one.settings()), "reference": reference_to(one)}
            for one in design.subjects
        ),
        directory=str(Path.cwd()),
        image=str(design.image),
        engine=design.engine,
        seed=design.seed,
    )
    (RunDirectory(design.run_id).path / DESIGN_FILE).write_text(json.dumps(asdict(known)))


def clusters() -> tuple[str, ...]:
    """The run ids of the clusters that are up and were left so, oldest first. Raises UsageError unless we are root."""
    if os.geteuid() != 0:
        raise UsageError("clusters need root: run it with sudo")
    found: list[tuple[float, str]] = []
    for path in RUNS.glob(f"*/{DESIGN_FILE}"):
        with suppress(FileNotFoundError):  # it is ending at this moment
            if _lives(path.parent.name):
                found.append((path.stat().st_mtime, path.parent.name))
    return tuple(run_id for _, run_id in sorted(found))


def _lives(run_id: str) -> bool:
    with suppress(HarnessError):  # it has just ended
        return RunDirectory(run_id).owner().lives()
    return False


def chosen(run_id: str | None) -> str:
    """The cluster that is meant: the one of this run id, or the only one that is up.

    Raises UsageError, naming what is up, when there is no such cluster or several to choose from.
    """
    up = clusters()
    if run_id is None and len(up) == 1:
        return up[0]
    if run_id is not None and run_id in up:
        return run_id
    wanted = f"no cluster {run_id} is up" if run_id else "no cluster is up" if not up else "several clusters are up"
    names = f"; up: {', '.join(up)} (choose with --cluster)" if up else "; start one with: harness up TOPOLOGY"
    raise UsageError(wanted + names)


def take_up(run_id: str | None) -> Cluster:
    """The cluster of this run id, or the only one that is up. Raises UsageError as ``chosen`` and ``design_of`` do."""
    cluster = Cluster(design_of(chosen(run_id)))
    cluster.take_up()
    return cluster


def design_of(run_id: str) -> ClusterDesign:
    """What a cluster that is up is made of.

    Raises UsageError when another version of the harness wrote that down, or when it has just ended.
    """
    directory = RunDirectory(run_id).path
    try:
        known = _Design(**json.loads((directory / DESIGN_FILE).read_text()))
    except FileNotFoundError as error:
        raise UsageError(f"no cluster {run_id} is up: it has just ended") from error
    except (TypeError, ValueError) as error:
        told = f"another version of the harness started {run_id}; use that one, or end it: harness down {run_id}"
        raise UsageError(told) from error
    return ClusterDesign(
        scenario="played with by hand",
        topology=Topology.from_json(known.topology),
        subjects=tuple(_subject(one, Path(known.directory)) for one in known.subjects),
        image=Path(known.image),
        engine=known.engine,
        seed=known.seed,
        run_id=run_id,
        run_directory=directory,
    )


def _subject(known: Mapping[str, Any], directory: Path) -> Subject:
    try:
        return kind_at(known["reference"], directory)(**known["settings"])
    except (UsageError, TypeError):
        return _Away(known["name"])
