"""The smallest sub-history that is still wrong.

Only such parts are taken away as cannot make a right history wrong: an answer; a value that nobody (any more) saw;
from a set, a list or a queue a value altogether, out of the answers as well; a process from a lock. So what is
left is wrong for the same reason as the whole. Parts are taken away in halves, quarters and so on (Zeller and
Hildebrandt's ddmin, 2002) until no single one can go.
"""

from collections.abc import Callable, Hashable, Sequence

from msgspec.structs import replace

from harness.operations import Operation, hashable

Wrong = Callable[[Sequence[Operation]], bool]
Part = tuple[str, Hashable]

WHOLE_READS = ("set", "list")
_MAKING = ("write", "cas", "delete", "put", "append", "add", "enqueue")


def never() -> bool:
    """There is time without end."""
    return False


def shrink(
    model: str,
    operations: Sequence[Operation],
    wrong: Wrong,
    *,
    tries: int = 2000,
    enough: Callable[[], bool] = never,
) -> list[Operation]:
    """The operations without any part that is not needed for them to be wrong.

    It stops after so many tries, or when ``enough`` says so: what is left then is wrong, but may not be the smallest.
    """
    current = list(operations)
    parts = _parts(model, current)
    size = max(1, len(parts) // 2)
    while parts and tries > 0 and not enough():
        kept: list[Part] = []
        for start in range(0, len(parts), size):
            chosen = parts[start : start + size]
            without = _without(model, current, chosen) if tries > 0 and not enough() else None
            tries -= 1
            if without is not None and wrong(without):
                current = without
            else:
                kept += chosen
        if len(kept) == len(parts) and size == 1:
            break
        parts, size = kept, max(1, size // 2)
    return current


def related(
    model: str, operations: Sequence[Operation], core: Sequence[Operation], about: Sequence[object] = ()
) -> list[Operation]:
    """The core of a conflict with what belongs to it: who wrote what it saw, and who else saw that."""
    if model == "lock":
        processes = {one.process for one in core}
        return [one for one in operations if one.process in processes]
    if model == "counter":
        names = {identity(one) for one in core}
        return [one for one in operations if one.function == "increment" or identity(one) in names]
    if model == "kv":
        return _with_pieces(operations, core)
    values = {hashable(one) for one in about} | {value for one in core for value in _made(one)}
    if model in WHOLE_READS:
        return _with_reads(operations, core, values)
    names = {identity(one) for one in core}
    while True:
        values |= {value for one in operations if identity(one) in names for value in _made(one) | _saw(one)}
        more = {identity(one) for one in operations if (_made(one) | _took(one)) & values or _blind(model, one)}
        if more <= names:
            return [one for one in operations if identity(one) in names]
        names |= more


def _blind(model: str, one: Operation) -> bool:
    """A dequeue that may have taken anything."""
    return model == "queue" and one.function in ("dequeue", "drain") and one.outcome == "unknown"


def _with_pieces(operations: Sequence[Operation], core: Sequence[Operation]) -> list[Operation]:
    names = {identity(one) for one in core}
    texts = [str(one.result or "") for one in core if one.function == "get"]
    return [
        one
        for one in operations
        if identity(one) in names or (_made(one) and any(str(one.argument) in text for text in texts))
    ]


def _with_reads(operations: Sequence[Operation], core: Sequence[Operation], values: set[Hashable]) -> list[Operation]:
    """A few values of a set or list, the reads of the core, and for each value the reads that tell most about it."""
    reads = [one for one in operations if one.function == "read" and one.outcome == "ok"]
    held = {identity(one): {hashable(item) for item in one.result or ()} for one in reads}
    chosen = {identity(one) for one in core}
    among = [held[name] for name in chosen if name in held]
    if not values and among:
        values = set(sorted(max(among, key=len) - min(among, key=len), key=repr)[:1])
    for value in values:
        having = [one for one in reads if value in held[identity(one)]]
        lacking = [one for one in reads if value not in held[identity(one)]]
        if having:
            chosen.add(identity(min(having, key=lambda one: len(held[identity(one)]))))
        if lacking:
            chosen.add(identity(max(lacking, key=lambda one: len(held[identity(one)]))))
    return [_only(one, values) for one in operations if identity(one) in chosen or _made(one) & values]


def identity(one: Operation) -> Hashable:
    """What tells an operation from every other of its history."""
    return one.process, one.number, one.invoked_s


def _made(one: Operation) -> set[Hashable]:
    """What an operation puts there."""
    return {hashable(one.argument)} if one.function in _MAKING else set()


def _took(one: Operation) -> set[Hashable]:
    taken = one.function == "dequeue" and one.outcome == "ok" and one.result is not None
    return {hashable(one.result)} if taken else set()


def _saw(one: Operation) -> set[Hashable]:
    """What a single answer showed of a register or a queue."""
    if one.function == "cas":
        return {hashable(one.expected)}
    return {hashable(one.result)} if one.function == "read" and one.outcome == "ok" else _took(one)


def _only(one: Operation, values: set[Hashable]) -> Operation:
    if one.function != "read" or one.outcome != "ok":
        return one
    return replace(one, result=tuple(item for item in one.result or () if hashable(item) in values))


def _parts(model: str, operations: Sequence[Operation]) -> list[Part]:
    """What can be taken away: answers one by one, then values."""
    if model == "lock":
        return [("process", process) for process in dict.fromkeys(one.process for one in operations)]
    answers = [
        one
        for one in operations
        if one.outcome == "ok" and not _took(one) and one.function in ("read", "get", "dequeue")
    ]
    values = dict.fromkeys(value for one in operations for value in _made(one))
    return [*(("operation", identity(one)) for one in answers), *(("value", value) for value in values)]


def _without(model: str, operations: Sequence[Operation], parts: Sequence[Part]) -> list[Operation] | None:
    """The operations without some parts; None when what is left would be wrong for that alone."""
    gone = {what for kind, what in parts if kind == "operation"}
    processes = {what for kind, what in parts if kind == "process"}
    values = {what for kind, what in parts if kind == "value"}
    rest = [one for one in operations if one.process not in processes and identity(one) not in gone]
    if not values:
        return rest
    without = [one for one in rest if not (_made(one) | _took(one)) & values]
    if model in WHOLE_READS:
        items = {hashable(item) for one in without if one.function == "read" for item in one.result or ()}
        return [_only(one, items - values) for one in without]
    if model == "kv":
        texts = [str(one.result or "") for one in rest if one.function == "get"]
        return None if any(str(value) in text for value in values for text in texts) else without
    if model == "register" and {value for one in without for value in _saw(one)} & values:
        return None
    return without
