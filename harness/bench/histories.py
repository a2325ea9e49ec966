"""Large histories for measuring checks: right by construction, or with one thing wrong in the middle.

So many processes as the concurrency says do one operation after the other; each has its effect at an instant
within it, drawn at random. One in a hundred has an unknown outcome. Everything is made from one seed.
"""

from dataclasses import dataclass, replace

import numpy as np

from harness.checks.consistency.operations import Flags, Floats, Ints, Operations, ranks
from harness.operations import LISTED, NONE, UNKNOWN, Values

MODELS = ("register", "set", "list", "queue", "counter")
WHOLE_READS = 20
"""Sets and lists are read so many times: each read has up to all elements."""
_UNKNOWN_SHARE = 0.01
_WRITES = {"register": "write", "set": "add", "list": "append", "queue": "enqueue", "counter": "increment"}


@dataclass(frozen=True, slots=True)
class Times:
    invoked_s: Floats
    effect_s: Floats
    completed_s: Floats
    process: Ints


def made_up(model: str, count: int, concurrency: int, *, seed: int, wrong: bool) -> Operations:
    """A history of ``count`` operations on one object."""
    random = np.random.default_rng(seed)
    times = closed_loop(random, count, concurrency)
    order = np.argsort(times.effect_s, kind="stable")
    writes = random.random(count) < 0.5
    if model in ("set", "list"):
        writes[:] = True
        writes[order[np.linspace(count // 20, count - 1, WHOLE_READS).astype(np.int64)]] = False
    unknown = (random.random(count) < _UNKNOWN_SHARE) & writes
    happens = ~unknown | (random.random(count) < 0.5)
    arguments = np.arange(count, dtype=np.int64)
    seen = _answers(model, writes[order] & happens[order], writes[order], arguments[order])
    result = np.full(count, NONE, dtype=np.int64)
    result[order] = seen
    operations = _table(model, times, (writes, unknown), result)
    if model in ("set", "list"):
        operations = _with_lists(operations, order, writes & happens)
    return _spoilt(model, operations) if wrong else operations


def closed_loop(random: np.random.Generator, count: int, concurrency: int) -> Times:
    each = -(-count // concurrency)
    gap = random.exponential(0.2, (concurrency, each)) + 1e-6
    length = random.exponential(1.0, (concurrency, each)) + 1e-6
    ends = np.cumsum(gap + length, axis=1)
    starts = ends - length
    effect = starts + length * random.random((concurrency, each))
    process = np.repeat(np.arange(concurrency), each)
    order = np.argsort(starts.ravel(), kind="stable")[:count]
    return Times(starts.ravel()[order], effect.ravel()[order], ends.ravel()[order], process[order])


def _answers(model: str, makes: Flags, writes: Flags, arguments: Ints) -> Ints:
    """What each operation answers, all in the order of their effects."""
    answer = np.full(len(arguments), NONE, dtype=np.int64)
    if model == "register":
        last = np.maximum.accumulate(np.where(makes, np.arange(len(makes)), -1))
        answer = np.where(writes | (last < 0), NONE, arguments[np.maximum(last, 0)])
    elif model == "counter":
        answer = np.where(writes, NONE, np.cumsum(makes))
    elif model == "queue":
        waiting, taken = arguments[makes], 0
        held = 0
        for place, (put, asks) in enumerate(zip(makes.tolist(), (~writes).tolist(), strict=True)):
            if put:
                held += 1
            elif asks and held:
                answer[place] = waiting[taken]
                held, taken = held - 1, taken + 1
    return answer


def _table(model: str, times: Times, did: tuple[Flags, Flags], result: Ints) -> Operations:
    writes, unknown = did
    count = len(result)
    arguments = np.arange(count, dtype=np.int64)
    names = ("", _WRITES[model], "dequeue" if model == "queue" else "read", "x")
    completed_s = np.where(unknown, np.inf, times.completed_s)
    call, ret = ranks(times.invoked_s, completed_s)
    nothing = np.zeros(count, dtype=np.int64)
    # One whose outcome is unknown never comes back: what follows is another process.
    process, lanes = times.process.copy(), int(times.process.max()) + 1
    for lane in range(lanes):
        mine = times.process == lane
        process[mine] += lanes * (np.cumsum(unknown[mine]) - unknown[mine])
    return Operations(
        process=process,
        function=np.where(writes, 1, 2),
        key=nothing + 3,
        argument=np.where(writes, 1 if model == "counter" else arguments, NONE),
        expected=nothing + NONE,
        result=result,
        outcome=np.where(unknown, UNKNOWN, 0),
        number=arguments,
        node=nothing,
        connection=nothing,
        invoked_s=times.invoked_s,
        completed_s=completed_s,
        due_s=np.full(count, np.nan),
        call=call,
        ret=ret,
        item_start=nothing,
        item_end=nothing,
        items=nothing[:0],
        names=names,
        values=Values(),
    )


def _with_lists(operations: Operations, order: Ints, makes: Flags) -> Operations:
    """Give every read the elements that were there when it had its effect."""
    there = operations.argument[order][makes[order]]
    count = np.cumsum(makes[order])
    reads = order[~operations.is_("add", "append")[order]]
    places = np.searchsorted(np.arange(len(order)), np.flatnonzero(~operations.is_("add", "append")[order]))
    parts = [there[: count[place]] for place in places]
    ends = np.cumsum([len(part) for part in parts])
    start, end = operations.item_start.copy(), operations.item_end.copy()
    start[reads], end[reads] = ends - [len(part) for part in parts], ends
    result = operations.result.copy()
    result[reads] = LISTED
    return replace(operations, item_start=start, item_end=end, result=result, items=np.concatenate(parts))


def _spoilt(model: str, operations: Operations) -> Operations:
    """One thing wrong in the middle: an answer long out of date, an element that went missing, a swap."""
    reads = np.flatnonzero(~operations.is_(_WRITES[model]))
    middle = reads[len(reads) // 2]
    if model in ("set", "list"):
        start = operations.item_start.copy()
        start[reads[-1]] += 1
        return replace(operations, item_start=start)
    result = operations.result.copy()
    if model == "counter":
        result[middle] += len(operations) // 10
    else:
        answered = reads[(result[reads] != NONE) & (operations.outcome[reads] == 0)]
        early, late = answered[len(answered) // 3], answered[len(answered) // 2]
        result[late], result[early] = result[early], result[late] if model == "queue" else result[early]
    return replace(operations, result=result)
