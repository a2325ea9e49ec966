"""Which operation is due when: a pure function of the load and of the operation's number.

Nothing depends on what became of the operations before, so a load is the same however the store behaves.
"""

from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from harness.events import Json
from harness.workloads.load import Load

ACCOUNTS = 5
OPENING = 100
"""What each account of a bank holds at first, before anything is written."""
BANK_TOTAL = float(ACCOUNTS * OPENING)
_LARGEST_TRANSFER = 30
LISTS_FOR = 400
"""So many transactions are about the same lists; then others are: a list is read whole, and would grow for ever."""
_MOST_STEPS = 4
_NEW_VALUES = ("write", "cas", "add", "append", "enqueue", "GET", "POST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One operation: ``route`` is the place of its route in the load's. A cas has its new value only.

    What a cas expects is the value that the load has seen last, which nobody knows beforehand.
    """

    function: str
    key: str
    route: int
    value: Json = None


def due_s(begun_s: float, place: int, rate_per_s: float) -> float:
    """When the operation at a place (from 0) after the begin of a load is to be sent, whatever happens before."""
    return begun_s + place / rate_per_s


def request(load: Load, number: int) -> Request:
    """The operation of this number (from 1) of a load. Values that are written are numbers: no two are equal."""
    random = Random(f"{load.seed}/{load.key}/{number}")
    (function,) = random.choices(list(load.mix), list(load.mix.values()))
    value: Json = number if function in _NEW_VALUES else None
    if function == "transfer":
        source, target = random.sample(range(ACCOUNTS), 2)
        value = {"from": source, "to": target, "amount": random.randint(1, _LARGEST_TRANSFER)}
    if load.model == "transactions":
        value = _steps(load, number, random, function)
    routes = [place for place, route in enumerate(load.routes) if route.takes(function)]
    return Request(function=function, key=random.choice(load.object_keys), route=random.choice(routes), value=value)


def _steps(load: Load, number: int, random: Random, function: str) -> Json:
    """Of a transaction: reads of all lists of the time, in any order; or reads of some and appends to some."""
    first = number // LISTS_FOR * load.keys
    if function == "query":
        return [["r", first + place, None] for place in random.sample(range(load.keys), load.keys)]
    steps: list[Json] = []
    for step in range(random.randint(1, _MOST_STEPS)):
        key = first + random.randrange(load.keys)
        reads: list[Json] = ["r", key, None]
        appends: list[Json] = ["append", key, number * _MOST_STEPS + step]
        steps.append(random.choice((reads, appends)))
    return steps


def last_looks(load: Load, without: Collection[str] = ()) -> tuple[Request, ...]:
    """What shows the state in the end: a read of every object by every route; queues are drained by one of them.

    Members in ``without`` are left out. Of requests, those who served them tell; of transactions, others that read.
    """
    if load.model in ("requests", "transactions"):
        return ()
    function = "dequeue" if load.model == "queue" else "read"
    routes = [
        place for place, route in enumerate(load.routes) if route.takes(function) and route.node not in {*without}
    ]
    routes = routes[:1] if load.model == "queue" else routes
    return tuple(Request(function=function, key=key, route=route) for route in routes for key in load.object_keys)
