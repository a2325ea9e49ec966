"""What an agent says of its machine, and what it is told to run there. Pure.

Whoever reads ignores what he does not know: agents and platform are not brought up to date at the same moment.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from .entries import DeployEntry, Host, Name

MOST = 10_000
ReplicaIs = Literal["starting", "serving", "ailing", "draining", "stopping", "lost"]
"""``lost``: with its machine; ``ailing``: it served once."""


class Said(BaseModel):
    """Of both sides."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Running(Said):
    """A container that serves something, as its labels say. ``replica`` is the number of one that was placed; else
    ``service`` and ``port``, on the machine, make it a backend. ``up``: it runs; ``ready``: and has answered well."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    service: Name
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    health: Annotated[str, Field(max_length=2000, pattern=r"^/[!-~]*$")] = "/health"
    replica: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    up: bool = True
    ready: bool = False


class Report(Said):
    """A machine as it is."""

    site: Name
    address: Host
    cpu_millis: Annotated[int, Field(ge=1, le=10_000_000)]
    memory_mb: Annotated[int, Field(ge=1, le=100_000_000)]
    containers: Annotated[list[Running], Field(max_length=MOST)] = Field(default_factory=list)


class Assignment(Said):
    """A container that is to be on the machine, or is to leave it (``stop``). ``port`` is where it is published."""

    replica: int
    service: str
    phase: Literal["run", "drain", "stop"]
    port: int
    deploy: DeployEntry


class Answer(Said):
    """``lease_s``: from when the report was sent, exclusive containers of it may run for so long. ``complaints``: what
    was reported and is of no use."""

    assignments: list[Assignment]
    lease_s: float
    complaints: list[str] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MachineState:
    """A machine as it is now."""

    name: str
    site: str
    address: str
    cpu_millis: int
    memory_mb: int
    alive: bool
    silent_s: float
    replicas: int


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """A container of a service as it is now."""

    id: int
    service: str
    machine: str
    address: str
    revision: str
    state: ReplicaIs
