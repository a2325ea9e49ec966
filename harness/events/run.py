"""What a run says of itself: what it is about to show, on which nodes, how it ended and what it left."""

from typing import Any, Literal

from msgspec import field

from harness.events.event import Event


class RunStarted(Event, frozen=True, kw_only=True):
    """The first event of every history: what is about to be shown, on what, with which seed.

    Fields with a default may be missing in histories of earlier formats.
    """

    run_id: str
    scenario: str
    promises: tuple[str, ...]
    seed: int
    engine: str
    subject: str
    topology: dict[str, Any]
    software: dict[str, Any] = field(default_factory=dict)
    caught_by: tuple[str, ...] = ()
    """Of a sabotage: the checks that have to find it out."""
    test: str = ""
    """The test, as pytest names it."""
    loses_unsynced_writes: bool = False
    """Whether a power cut takes with it what the node's kernel had not yet written to the disk; of all nodes."""
    engines: dict[str, str] = field(default_factory=dict)
    """The engine that each node ran on; ``engine`` is that of those for which the topology draws none."""
    standing: dict[str, dict[str, Any]] | None = None
    """What every run of its subjects is judged by: checks with their arguments, the address "*" standing for each
    that was seen. None before format 3: see :mod:`harness.checks.standing`."""
    log_stages: dict[str, str] | None = None
    """Events of the subjects' own logs that are stages of a failover, with their names. None before format 3."""
    format: int = 1
    """From format 2 on every heal is announced (:class:`FaultHealing`) before it acts; from format 3 on a run says what
    its subjects are judged by."""


class Expectation(Event, frozen=True, kw_only=True):
    """A check this run will be judged by, with its arguments: what makes offline judging possible."""

    check: str
    arguments: dict[str, Any]


class HarnessFailed(Event, frozen=True, kw_only=True):
    """The harness could not do its own part: whatever the checks say, something of this run is missing."""

    doing: str
    error: str


class RunEnded(Event, frozen=True, kw_only=True):
    """The scenario's end: how the scenario's own body ended ("passed", or the error in one line)."""

    outcome: Literal["passed", "failed", "inconclusive"]
    reason: str = ""


class Note(Event, frozen=True, kw_only=True):
    """A remark of the scenario for the reader of the timeline."""

    text: str


class LinkShaped(Event, frozen=True, kw_only=True):
    """A link of the topology has its character from now on, given by ``driver`` ("netem" or "relay")."""

    link: str
    place: str
    character: dict[str, Any]
    driver: str


class NodeStarted(Event, frozen=True, kw_only=True):
    """A node was given power; ``boot`` counts from 1. ``mac`` is that of its service-LAN port."""

    node: str
    boot: int
    mac: str


class NodeStopped(Event, frozen=True, kw_only=True):
    """A node ended: by power cut (everything at once) or in good order."""

    node: str
    how: Literal["power-cut", "shutdown"]


class ConfigurationSeen(Event, frozen=True, kw_only=True):
    """The digest of a node's configuration, for comparing nodes."""

    node: str
    digest: str


class LeftoversSeen(Event, frozen=True, kw_only=True):
    """After the run: what of it is still on the host (an empty tuple is what we want)."""

    leftovers: tuple[str, ...]
