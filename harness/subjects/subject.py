"""A subject: a system under test, and all that the harness knows of it.

A subject is a class that derives from :class:`Subject`; an instance is one way to set it up. It must have a name and
say which files a node gets. Everything else has a default, which fits a system that moves a virtual address between
nodes and serves a port behind it. The harness finds it by the entry point group ``harness.subjects`` (:mod:`.found`).

Several can run on the nodes of one cluster. The first is the one under test; the others are what it makes available,
such as a store. Their names, settings and standing expectations are in the history of every run.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.addresses import AddressPlan
from harness.checks.expected import Expected, each_address
from harness.conditions import Condition, held_by_one_of
from harness.engines.engine import Engine, NodeFile
from harness.errors import UsageError
from harness.events import Event, SubjectSaid
from harness.history import Recorder
from harness.topology import Topology
from harness.workloads.client import Client
from harness.workloads.load import ModelName, Route


@dataclass(frozen=True, slots=True)
class Gate:
    """Where a subject has the kernel guard addresses: a table of nftables (netdev or bridge), and two sets in it.

    An address in ``guarded_set`` passes only while it is also in ``lease_set``, whose elements time out.
    """

    table: str
    lease_set: str = "lease"
    guarded_set: str = "guarded"


@dataclass(frozen=True, slots=True)
class Told:
    """A command whose last word has to be asked of another node, such as a token: the last word of that answer."""

    command: tuple[str, ...]
    asks: tuple[str, ...]
    """The question: a command, run on the other nodes that have power until one of them can tell."""
    unless: tuple[str, ...]
    """When this command ends with exit code 0 on the node, there is nothing to do, and nobody is asked."""


def no_files() -> Sequence[NodeFile]:
    """For actions that need none."""
    return ()


@dataclass(frozen=True, slots=True)
class OperatorAction:
    """Something that an operator does to a running node, and undoes: commands of the node's root.

    ``seen`` ends with exit code 0 while it is done, and with 1 while it is not. It must not rely on what the system
    says of itself, but look at files, addresses, sockets or processes. Each command may be run several times.
    """

    name: str
    about: str
    """A sentence, for whoever chooses."""
    do: tuple[str, ...] | Told
    undo: tuple[str, ...] | Told
    seen: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()
    """For what other nodes have to notice: the same look on each of them, and one must find it done. A node that cannot
    tell, such as one that is cut off, ends it with any other exit code than 0 and 1."""
    files: Callable[[], Sequence[NodeFile]] = no_files
    """What the operator brings along, such as a package."""


class Probe(Protocol):
    """Something of a subject's own that watches the nodes of one run, and records what it sees as events."""

    async def watch(self, node: str) -> None:
        """Watch a node that has just been given power; again after every boot."""

    async def unwatch(self, node: str) -> None:
        """Let go of a node that has no power any more. No error when it is not watched."""

    async def close(self) -> None:
        """End all of it. Idempotent."""


class Subject(Protocol):
    """What the harness asks of a system under test."""

    # --- on the nodes ------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What it is called, in histories and reports."""
        raise NotImplementedError

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """The files of one node. What is in /etc/boot.d is started at every boot of it (see :mod:`.boot`)."""
        raise NotImplementedError

    def layers(self, image: Path) -> Sequence[Path]:
        """Directories to lay over the node image: its package, if that is not in the image."""
        return ()

    @property
    def image(self) -> str:
        """The image that nodes start from: the name of a definition, or a TOML file."""
        return "node"

    def settings(self) -> Mapping[str, Any]:
        """What differs from run to run. Given to the constructor, it makes the same subject again."""
        return {name: getattr(self, name) for name in settings_of(type(self))}

    @property
    def defects(self) -> Mapping[str, str]:
        """What sabotages are made of: settings that each take out one protection when False, and which one."""
        return {}

    def suited(self, *, own_kernels: bool) -> "Subject":
        """The subject, adapted to whether some nodes have kernels of their own, which are slower."""
        return self

    def operator_actions(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[OperatorAction]:
        """What an operator may do to this node at any time; the fault ``operate`` does it."""
        return ()

    # --- ready, and in use ---------------------------------------------------------------------------

    @property
    def settles_by_itself(self) -> bool:
        """Whether booted nodes become a cluster without anybody's help."""
        return True

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """What is true, in this order, once the nodes with power are as if nothing had ever happened."""
        return [held_by_one_of(plan.vip(vip.name), up) for vip in topology.vips]

    @property
    def service_port(self) -> int:
        """The TCP port at which it answers clients; 0 when it has none."""
        return 0

    @property
    def models(self) -> Sequence[ModelName]:
        """The kinds of objects that its clients know, when it is a store."""
        return ()

    def client(self, model: ModelName, route: Route) -> Client:
        """A client that is not yet connected, for objects of one of its models."""
        raise UsageError(f"{self.name} has no clients")

    @property
    def first_look(self) -> str:
        """The command that a person tries first on a node: ``harness up`` proposes it."""
        return "ip -brief address"

    # --- watched and judged --------------------------------------------------------------------------

    @property
    def gate(self) -> Gate | None:
        """Where it has the kernel guard addresses; None for a system that holds an address whenever it is present."""
        return None

    def probes(self, topology: Topology, engine: Engine, recorder: Recorder) -> Sequence[Probe]:
        """Probes of its own for one run (see :mod:`.programs`)."""
        return ()

    @property
    def standing(self) -> Sequence[Expected]:
        """What every run of it is judged by. ``each_address`` is for every address that was seen in the run."""
        return (each_address("one_holder"),)

    @property
    def log_path(self) -> str | None:
        """Its structured log on a node (JSON lines with ``t_s`` and ``event``), if it has one."""
        return None

    def said(self, node: str, t_s: float, event: str, fields: dict[str, Any]) -> Event:
        """The event for a line of that log. Raises ValueError, KeyError or TypeError for a line that means nothing."""
        return SubjectSaid(t_s=t_s, node=node, event=event, fields=fields)

    @property
    def log_stages(self) -> Mapping[str, str]:
        """The events of that log that are stages of a failover, and what reports call them."""
        return {}

    @property
    def configuration_paths(self) -> Sequence[str]:
        """Files of a node that must be the same on all nodes; compared after every scenario."""
        return ()

    @property
    def promises(self) -> Path | None:
        """Its own table of promises, if it has one (a suite can have one as well)."""
        return None


Kind = Callable[..., Subject]
"""A subject's class: called with settings it gives a subject."""


def known_model(subject: Subject, model: ModelName, called: str = "") -> None:
    """Raise UsageError for a model that the subject's clients do not know; ``called``: what people call the subject."""
    if model not in subject.models:
        *others, last = subject.models or ("nothing",)
        known = f"{', '.join(others)} and {last}" if others else last
        raise UsageError(f"clients of {called or subject.name} know {known}, no {model}")


def settings_of(kind: Any) -> tuple[str, ...]:
    """The names of the settings that a subject's class takes: the fields of a dataclass."""
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


def reference_to(subject: Subject) -> str:
    """Where the class of a subject is, for another process. Raises UsageError when no other could find it."""
    kind = type(subject)
    if "<locals>" in kind.__qualname__ or kind.__module__ in ("__main__", "conftest"):
        raise UsageError(f"{kind.__qualname__}: a subject with clients has to be in a module that can be imported")
    return f"{kind.__module__}:{kind.__qualname__}"
