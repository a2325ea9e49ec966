"""What the clusters of ``harness chaos`` and ``replay`` are made of: from words, or from a run that is stored."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.design import ClusterDesign, suited, why_unguarded
from harness.engines.choice import why_unusable
from harness.errors import UsageError
from harness.events import RunStarted
from harness.history import History
from harness.images import image_called
from harness.shipped import definition_called
from harness.subjects.found import subject_called
from harness.topology import Topology, load

_RUN_ID_DIGITS = 10


def topology_called(name: str) -> Topology:
    """A topology by name, or from its file. Raises UsageError."""
    return load(definition_called("topologies", name, "topology"))


def settings_of(words: Sequence[str]) -> dict[str, Any]:
    """Settings as a person writes them, NAME=VALUE, the value in JSON or as it stands. Raises UsageError."""
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals):
            raise UsageError(f"--set {word}: allowed is NAME=VALUE, such as profile=fast")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def design(
    topology: Topology,
    software: Mapping[str, Mapping[str, Any]],
    *,
    engine: str,
    image: str | None,
    seed: int,
    scenario: str,
    run_directory: Path,
) -> ClusterDesign:
    """The design of a cluster whose subjects, with their settings, are these. Raises UsageError."""
    engines = tuple(dict.fromkeys(topology.engines(engine).values()))
    for one in engines:
        if reason := why_unusable(one):
            raise UsageError(f"{'--engine' if one == engine else 'a node on the engine'} {one}: {reason}")
    subjects = suited((subject_called(name, settings) for name, settings in software.items()), engines)
    if reason := why_unguarded(subjects, engines):
        raise UsageError(f"{reason}; choose others by --software")
    return ClusterDesign(
        scenario=scenario,
        topology=topology,
        subjects=subjects,
        image=image_called(image or subjects[0].image),
        engine=engine,
        seed=seed,
        run_id=hashlib.sha256(str(run_directory.resolve()).encode()).hexdigest()[:_RUN_ID_DIGITS],
        run_directory=run_directory,
    )


def started_of(history: History, source: str) -> RunStarted:
    """How a stored run began. Raises UsageError for a history without a beginning."""
    if not (started := history.of(RunStarted)):
        raise UsageError(f"{source}: nothing says how the run began: it cannot be had again")
    return started[0]


def changed(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a subject's settings that are not as they are unless somebody says so. Raises UsageError."""
    usual = subject_called(name).settings()
    return {key: value for key, value in settings.items() if msgspec.to_builtins(usual.get(key)) != value}
