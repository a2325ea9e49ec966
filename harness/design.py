"""What a cluster is made of, and what lives and ends with it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

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
    """The test that it is made for, as pytest names it."""


class Attachment(Protocol):
    """Something that lives and ends with a cluster, such as a ledger."""

    async def begin(self) -> None:
        """Called when the nodes have begun to boot."""

    async def finish(self) -> None:
        """Called after the scenario's body, while the nodes still run."""

    async def close(self) -> None:
        """Called in every case, at the end. May be called again."""
