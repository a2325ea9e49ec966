"""What an agent says of its machine, and what it is told to run there. Pure.

Whoever reads ignores what he does not know: agents and platform are not brought up to date at the same moment.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from .entries import DeployEntry, Host, Name

MOST = 10_000
KEY_PATTERN = r"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$"
"""32 bytes in base64."""
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


class TunnelReport(Said):
    """The tunnel of a machine. ``next_public_key`` is made and not in use yet, ``generation`` counts those in use,
    ``hub_key`` is the newest key of the hub that the machine would answer to; ``endpoint`` where it is reached, as far
    as it knows."""

    site: Name
    public_key: Annotated[str, Field(pattern=KEY_PATTERN)]
    next_public_key: Annotated[str, Field(pattern=f"^$|{KEY_PATTERN}")] = ""
    generation: Annotated[int, Field(ge=1, le=2**31 - 1)]
    hub_key: Annotated[str, Field(max_length=64)] = ""
    endpoint: Annotated[str, Field(max_length=300, pattern=r"^[0-9A-Fa-f.:\[\]]*$")] = ""


class HubSaid(Said):
    """One hub: its address in the tunnel, its keys, and where it is dialled."""

    address: str
    key: str
    next_key: str = ""
    endpoint: str


class TunnelAnswer(Said):
    """What the machine has of the tunnel. ``hub_*`` are of the hub that answers, ``hubs`` all of them. ``next_known``:
    the hub would answer to the machine's next key; ``generation``: the key that it is to have."""

    address: str
    network: str
    hub_address: str
    hub_key: str
    hub_next_key: str = ""
    hub_endpoint: str
    hubs: list[HubSaid] = Field(default_factory=list)
    generation: int
    next_known: bool = False


@dataclass(frozen=True, slots=True)
class TunnelState:
    """The tunnel of a machine as the hub has it; ``handshake_s`` ago is null if there was none."""

    machine: str
    site: str
    address: str
    endpoint: str
    public_key: str
    generation: int
    since: datetime
    handshake_s: float | None


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
