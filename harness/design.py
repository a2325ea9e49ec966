"""What a cluster is made of, and what begins and ends with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.engines.choice import has_own_kernels, why_no_gate
from harness.events import Json
from harness.subjects.subject import Subject
from harness.topology import Topology


@dataclass(frozen=True, slots=True)
class ClusterDesign:
    """Everything a cluster is made of, before anything exists."""

    scenario: str
    topology: Topology
    subjects: tuple[Subject, ...]
    """The system under test, and what it makes available."""
    image: Path
    engine: str
    seed: int
    run_id: str
    run_directory: Path
    promises: tuple[str, ...] = ()
    caught_by: tuple[str, ...] = ()
    test: str = ""
    """The test that it is for, by pytest's name."""

    @property
    def engines(self) -> dict[str, str]:
        """The engine of each node."""
        return self.topology.engines(self.engine)

    @property
    def standing(self) -> dict[str, dict[str, Json]]:
        """What every run of these subjects is judged by. If two subjects name the same check, the first one counts."""
        standing: dict[str, dict[str, Json]] = {}
        for subject in self.subjects:
            for expected in subject.standing:
                standing.setdefault(expected.check, dict(expected.arguments))
        return standing

    @property
    def log_stages(self) -> dict[str, str]:
        """The events of the subjects' logs that are stages of a failover, with their names."""
        return {event: stage for subject in self.subjects for event, stage in subject.log_stages.items()}


def suited(subjects: Iterable[Subject], engines: Iterable[str]) -> tuple[Subject, ...]:
    """The subjects, adapted to nodes on these engines."""
    own_kernels = any(map(has_own_kernels, engines))
    return tuple(one.suited(own_kernels=own_kernels) for one in subjects)


def why_unguarded(subjects: Iterable[Subject], engines: Iterable[str]) -> str | None:
    """Which subject wants nodes to guard addresses, and why nodes on these engines cannot; None when all is well."""
    guarded = next((one.name for one in subjects if one.gate is not None), None)
    reason = next(filter(None, map(why_no_gate, engines)), None)
    return f"{guarded}: {reason}" if guarded and reason else None


class Attachment(Protocol):
    """Something that lives and ends with a cluster, such as a ledger."""

    async def begin(self) -> None:
        """Called when the nodes have begun to boot."""

    async def finish(self) -> None:
        """Called after the scenario's body, while the nodes still run."""

    async def close(self) -> None:
        """Called at the end, in any case. May be called again."""
