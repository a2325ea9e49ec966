"""What clients are to do: to which kind of object, by which routes, how often. Plain data that travels as JSON."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.errors import UsageError

ModelName = Literal["ledger", "register", "set", "list", "queue", "bank", "transactions", "requests"]

WEIGHTS: Mapping[ModelName, Mapping[str, float]] = {
    "ledger": {"write": 1.0},
    "register": {"read": 4.0, "write": 4.0, "cas": 2.0},
    "set": {"add": 4.0, "read": 1.0},
    "list": {"append": 4.0, "read": 1.0},
    "queue": {"enqueue": 1.0, "dequeue": 1.0},
    "bank": {"transfer": 3.0, "read": 2.0},
    "transactions": {"txn": 3.0, "query": 1.0},
    "requests": {"GET": 3.0, "POST": 1.0},
}
"""The functions of each model, and how often each is called unless a load says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way to a store: ``node`` is the member at that address, "" for whoever has it.

    ``functions`` are those that go this way (empty: all). With ``serializable`` a member answers reads from its own
    copy without asking the others, where a store has that: such an answer may be stale.
    """

    address: str
    port: int
    node: str = ""
    functions: tuple[str, ...] = ()
    serializable: bool = False

    def takes(self, function: str) -> bool:
        """Whether operations of this function go this way."""
        return not self.functions or function in self.functions


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Operations on objects of one model under one key (or ``keys`` of them below it), at a fixed rate, open loop.

    ``weights`` replace those of WEIGHTS. Raises UsageError for a load that cannot be run.
    """

    model: ModelName
    key: str
    store: str
    """The name of the subject that its clients are of."""
    routes: tuple[Route, ...]
    rate_per_s: float
    timeout_s: float
    seed: int = 0
    keys: int = 1
    weights: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        strange = sorted(set(self.weights) - set(WEIGHTS[self.model]))
        if strange:
            raise UsageError(f"a {self.model} has no {', '.join(strange)}: there are {', '.join(WEIGHTS[self.model])}")
        if not self.mix:
            raise UsageError(f"the load {self.key} calls no function: one weight has to be above 0")
        for function in self.mix:
            if not any(route.takes(function) for route in self.routes):
                raise UsageError(f"the load {self.key} has no route for {function}")
        if self.rate_per_s <= 0 or self.timeout_s <= 0 or self.keys < 1:
            raise UsageError(f"the load {self.key} needs a rate and a time-out above 0, and a key")

    @property
    def mix(self) -> dict[str, float]:
        """How often each function is called, without those that never are."""
        return {name: weight for name, weight in (self.weights or WEIGHTS[self.model]).items() if weight > 0}

    @property
    def object_keys(self) -> tuple[str, ...]:
        """The key of each object; transactions are about several, so all of them together are one."""
        return (
            (self.key,)
            if self.keys == 1 or self.model == "transactions"
            else tuple(f"{self.key}/{number}" for number in range(self.keys))
        )


def load_of(fields: Mapping[str, Any]) -> Load:
    """A load from the JSON of ``dataclasses.asdict``."""
    routes = tuple(Route(**route | {"functions": tuple(route["functions"])}) for route in fields["routes"])
    return Load(**{**fields, "routes": routes})
