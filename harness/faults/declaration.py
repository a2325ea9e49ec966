"""What a fault declares: the signature of its constructor is all that command line, documents and contract need.

Each argument is annotated with what it is: whom or what the fault is aimed at (:class:`Aim`), or how much of it
there is to be (:class:`Quantity`, :class:`Choice`).
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, get_args, get_type_hints

from harness.errors import UsageError
from harness.events import Json
from harness.faults.select import Selector, nodes_called, sites_called

Family = Literal["process", "network", "packets", "clock", "disk", "resources", "names", "site", "operator"]
FAMILIES: tuple[str, ...] = get_args(Family)
AnyClass = TypeVar("AnyClass", bound=type)


_SELF = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)


@dataclass(frozen=True, slots=True)
class Aim:
    """Whom or what a fault is aimed at: a word of the command line."""

    word: str
    help: str
    read: Callable[[str], object] = str
    """From what a person writes."""
    several: bool = False
    """Whether a person may write several, joined by commas."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, its unit and its limits."""

    unit: str
    at_least: float
    at_most: float
    help: str

    def refuse(self, value: object) -> str | None:
        """Why a value is not allowed."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and self.at_least <= float(value) <= self.at_most:  # type: ignore[arg-type]
            return None
        return f"allowed: {self.at_least:g} to {self.at_most:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]
    help: str

    def refuse(self, value: object) -> str | None:
        """Why a value is not allowed."""
        return None if value in self.words else f"allowed: {', '.join(self.words)}"


_WHOM = "a node, several joined by commas, all, leader, holder:VIP, follower:VIP, any or site:SITE"
Nodes = Annotated[Selector | str, Aim("NODE", _WHOM, nodes_called, several=True)]
Sites = Annotated[
    Selector | str, Aim("SITE", "a site, several joined by commas, or the sites of NODE", sites_called, several=True)
]
Daemon = Annotated[str, Aim("DAEMON", "a program that runs there, by the name of its process")]
_END = Aim("NODE", "a node or a client")
Endpoint = Annotated[str, _END]
Group = Annotated[Sequence[str], Aim("GROUP", "nodes joined by commas", lambda text: tuple(text.split(",")))]
Address = Annotated[str, Aim("VIP", "the name of a virtual address of the topology, or an address")]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a fault."""

    name: str
    says: Aim | Quantity | Choice
    of: type
    default: Any
    variadic: bool

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is inspect.Parameter.empty and not self.variadic

    @property
    def option(self) -> str:
        """What it is called on the command line."""
        return f"--{self.name.removesuffix('_s').replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class Declaration:
    """Everything that anybody but the fault itself knows of it."""

    name: str
    family: Family
    make: Callable[..., Any]
    summary: str
    about: str
    parameters: tuple[Parameter, ...]
    example: str
    """What follows ``harness fault NAME`` on a cluster of three nodes in three sites: the contract does just that."""
    proof: str
    """How it is seen from outside that it bites."""

    @property
    def aims(self) -> tuple[Parameter, ...]:
        """What it is aimed at, in order."""
        return tuple(one for one in self.parameters if isinstance(one.says, Aim))

    @property
    def options(self) -> tuple[Parameter, ...]:
        """What can be said besides."""
        return tuple(one for one in self.parameters if not isinstance(one.says, Aim))

    def check(self, words: Sequence[object], named: Mapping[str, object]) -> dict[str, Json]:
        """The values of its options. Raises UsageError for one that is not allowed, and for arguments it lacks."""
        signature = inspect.signature(self.make.__init__) if self.parameters else inspect.Signature([_SELF])
        try:
            bound = signature.bind(None, *words, **named)
        except TypeError as error:
            takes = ", ".join(one.name for one in self.parameters) or "no argument"
            raise UsageError(f"{self.name}: {error}; it takes {takes}") from None
        bound.apply_defaults()
        ends = [bound.arguments[one.name] for one in self.aims if one.says is _END]
        if len(set(ends)) < len(ends):
            raise UsageError(f"{self.name}: both ends are {ends[0]}; they have to be two")
        found: dict[str, Json] = {}
        for one in self.options:
            value = bound.arguments[one.name]
            if isinstance(one.says, Quantity | Choice) and (reason := one.says.refuse(value)) is not None:
                raise UsageError(f"{self.name}: {one.name} is {value!r}; {reason}")
            found[one.name] = value
        return found


def fault(*, family: Family, example: str, proof: str) -> Callable[[AnyClass], AnyClass]:
    """Declare a fault: a class derived from :class:`harness.faults.declared.Declared`."""

    def declare(cls: AnyClass) -> AnyClass:
        about = inspect.cleandoc(cls.__doc__ or "")
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__).lower()
        summary = " ".join(about.split("\n\n", maxsplit=1)[0].split())
        declared: Any = cls
        declared.name = name
        declared.declaration = Declaration(name, family, cls, summary, about, _parameters(cls), example, proof)
        return cls

    return declare


def _parameters(cls: type) -> tuple[Parameter, ...]:
    function: Any = cls.__init__  # type: ignore[misc]
    if function is object.__init__:
        return ()
    hints = get_type_hints(function, include_extras=True)
    found = []
    for name, one in list(inspect.signature(function).parameters.items())[1:]:
        says = [extra for extra in get_args(hints[name])[1:] if isinstance(extra, Aim | Quantity | Choice)]
        if not says:
            raise TypeError(f"{cls.__name__}: argument {name} does not say what it is (Aim, Quantity or Choice)")
        variadic = one.kind is inspect.Parameter.VAR_POSITIONAL
        found.append(Parameter(name, says[0], get_args(hints[name])[0], one.default, variadic))
    return tuple(found)
