"""What a plan is: which faults, on whom, when and for how long; loads and operators beside them; how it ends.

A plan is immutable, and travels as JSON with the version of its format. Times are seconds since the plan began.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from harness.errors import UsageError

VERSION = 1
"""What :class:`Plan` calls the format that is written now."""
LONGEST_S = 7 * 86400.0

EventName = Literal[
    "holder-lost", "holder-appears", "holder-moved", "quorum-lost", "quorum-regained", "node-lost", "node-returns"
]
"""What a step can wait for, as seen from outside (see :mod:`harness.plans.moments`)."""

Workload = Literal["ledger", "register", "set", "list", "queue", "bank"]
Seconds = Annotated[float, Meta(ge=0, le=LONGEST_S)]
Value = int | float | str


class AtMoment(Struct, frozen=True, tag="moment", tag_field="by", forbid_unknown_fields=True):
    """So long after the plan began."""

    at_s: Seconds


class OnEvent(Struct, frozen=True, tag="event", tag_field="by", forbid_unknown_fields=True):
    """When this is seen for the first time at or after ``from_s``; missed when it has not been by ``until_s``."""

    event: EventName
    from_s: Seconds
    until_s: Seconds


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One fault: aimed by the words of a person, each a node, a role, a site, or whatever else the fault takes.

    ``for_s`` None: for good, which only a plan that ends in liveness may have.
    """

    name: str
    fault: str
    aims: tuple[str, ...]
    start: AtMoment | OnEvent
    for_s: Seconds | None
    parameters: dict[str, Value] = {}

    @property
    def earliest_s(self) -> float:
        """When it can begin at the earliest."""
        return self.start.at_s if isinstance(self.start, AtMoment) else self.start.from_s

    @property
    def latest_s(self) -> float:
        """When it can begin at the latest."""
        return self.start.at_s if isinstance(self.start, AtMoment) else self.start.until_s

    @property
    def over_s(self) -> float:
        """When it is healed at the latest; infinity for one that stays."""
        return float("inf") if self.for_s is None else self.latest_s + self.for_s

    def __str__(self) -> str:
        options = "".join(f" --{name.removesuffix('_s').replace('_', '-')} {_short(value)}"
                          for name, value in sorted(self.parameters.items()))  # fmt: skip
        when = f"at {self.start.at_s:g} s" if isinstance(self.start, AtMoment) else _on(self.start)
        long = "for good" if self.for_s is None else f"for {self.for_s:g} s"
        return f"{when}, {long}: {' '.join((self.fault, *self.aims))}{options}"


def _on(start: OnEvent) -> str:
    return f"on {start.event} between {start.from_s:g} s and {start.until_s:g} s"


def _short(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


class LoadOf(Struct, frozen=True, forbid_unknown_fields=True):
    """Clients that use an object of one model all the time, through the first virtual address."""

    workload: Workload
    rate_per_s: Annotated[float, Meta(gt=0, le=10_000)]


class Operation(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator does meanwhile: a node shut down in good order and, ``for_s`` later, given power again."""

    name: str
    node: str
    at_s: Seconds
    for_s: Seconds

    def __str__(self) -> str:
        return f"at {self.at_s:g} s, for {self.for_s:g} s: {self.node} is shut down in good order"


class Quiet(Struct, frozen=True, tag="quiet", tag_field="kind", forbid_unknown_fields=True):
    """Everything is healed, and all of the cluster has to converge within this."""

    within_s: Seconds


class Liveness(Struct, frozen=True, tag="liveness", tag_field="kind", forbid_unknown_fields=True):
    """These nodes, a majority, are healed; the rest stays broken for good.

    The majority has to have a leader, the address, quorum and acknowledged writes within ``within_s``.
    """

    healed: tuple[str, ...]
    within_s: Seconds


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """Faults in time. ``topology`` and ``engine`` are names: what it was drawn for."""

    seed: int
    topology: str
    engine: str
    length_s: Seconds
    steps: tuple[Step, ...]
    end: Quiet | Liveness
    generator: str = "by hand"
    loads: tuple[LoadOf, ...] = ()
    operations: tuple[Operation, ...] = ()
    version: int = VERSION

    def told(self) -> tuple[str, ...]:
        """For a person, a line each: when it happens first comes first."""
        lines = [(one.earliest_s, f"{one.name:>4}  {one}") for one in self.steps]
        lines += [(one.at_s, f"{one.name:>4}  {one}") for one in self.operations]
        loads = ", ".join(f"{one.workload} {one.rate_per_s:g}/s" for one in self.loads) or "none"
        match self.end:
            case Quiet(within_s=within_s):
                end = f"then all is healed, and everything converges within {within_s:g} s"
            case Liveness(healed=healed, within_s=within_s):
                end = f"then only {', '.join(healed)} are healed, and serve within {within_s:g} s"
        head = f"plan {self.generator}, seed {self.seed}, {self.length_s:g} s on {self.topology} ({self.engine})"
        return (
            f"{head}; loads: {loads}",
            *(text for _, text in sorted(lines, key=lambda line: line[0])),
            f"      {end}",
        )


class _Head(Struct):
    version: int = VERSION


def to_json(plan: Plan) -> str:
    """Indented, for a file that a person may read and change."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=1).decode() + "\n"


def from_json(text: str | bytes, source: str = "plan") -> Plan:
    """The plan in a text. Raises UsageError, naming the source and what is wrong where."""
    try:
        head = msgspec.json.decode(text, type=_Head)
        if head.version > VERSION:
            raise UsageError(f"{source}: a plan of format {head.version}; this harness reads up to format {VERSION}")
        return msgspec.json.decode(text, type=Plan)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UsageError(f"{source}: is no plan: {error!s:.200}") from None


def to_builtins(plan: Plan) -> dict[str, object]:
    """Plain data, for the history of a run."""
    made: dict[str, object] = msgspec.to_builtins(plan)
    return made


def from_builtins(data: object, source: str = "plan") -> Plan:
    """Back from plain data. Raises UsageError."""
    return from_json(msgspec.json.encode(data), source)
