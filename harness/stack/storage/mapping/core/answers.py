"""What an answer means in the phase that asked for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ...pool.core import TRIES, Claim, IndexView, delay_s, next_index, unquiet, why_none_is_free
from ..record import Record, Stage
from .actions import record_to_write
from .table import TRANSITIONS, Table
from .work import Answer, Phase, Work

P = Phase
LATE_ATTACHES = 3
"""How often a device may be attached again while it cools down (by a command of somebody who died) until we give up."""
SECTOR_BYTES = 512
"""What a disk writes all of or nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means in the phase that asked: a key of the table's row, and what the work knows from now on."""

    kind: str
    work: Work


def step(work: Work, answer: Answer, table: Table = TRANSITIONS) -> Work:
    """The work in its next phase. KeyError where the answer is none that the phase can have: a port is wrong."""
    if work.phase is P.ATTACH:
        work = replace(work, attached=work.attached + 1)
    if answer.kind in ("failed", "refused", "taken"):
        fatal = work.doomed or answer.kind != "taken"
        verdict = Verdict(answer.kind, replace(work, why=answer.why or work.phase.value, doomed=fatal))
    else:
        verdict = _read(work, answer)
    return _entered(replace(verdict.work, phase=table[work.phase][verdict.kind]), work.phase)


def _entered(work: Work, before: Phase) -> Work:
    """What changes with the phase itself."""
    match work.phase:
        case P.LOCK_OLD | P.SURVEY if before is P.READ_RECORD or (before is P.UNLOCK_FORGOTTEN and not work.attached):
            return replace(work, tried=0)
        case P.PAUSE:
            return replace(work, passed=())
    return work


def _read(work: Work, answer: Answer) -> Verdict:
    """What an answer other than a failure means."""
    if work.phase is P.LOCK_INDEX and answer.kind == "busy":
        return Verdict("busy", _pass(work))
    if work.phase in (P.LOOK_AT_BLOCK, P.READ_OWN, P.SEE_DEVICE, P.SEE_VOLUME, P.READ_SHARED, P.SEE_SHARED):
        return _read_block(work, answer)
    if isinstance(answer.value, tuple):
        return _SEEN[work.phase](work, {view.index: view for view in answer.value})
    match work.phase:
        case P.LOCK_VOLUME | P.LOCK_OLD:
            return _lock(work, answer)
        case P.READ_RECORD:
            return _recorded(work, answer.value if isinstance(answer.value, Record) else None)
        case P.COOL:
            return _cooled(work, answer)
    return _done(work, answer)


def _lock(work: Work, answer: Answer) -> Verdict:
    if answer.kind == "held":
        return Verdict("held", work)
    tried = work.tried + 1
    if delay_s(tried) is not None:
        return Verdict("busy", replace(work, tried=tried))
    what = "volume" if work.phase is P.LOCK_VOLUME else f"index {work.index}"
    why = (
        f"another process has had the lock of the {what} for {TRIES} tries: wait for it, or see `mfs-autonomy devices`"
    )
    return Verdict("spent", _doom(work, why))


def _recorded(work: Work, record: Record | None) -> Verdict:
    if record is None and work.goal == "unmap":
        return Verdict("nothing", work)
    if record is None:
        return Verdict("none" if work.route == "device" else "none-file", work)
    known = replace(work, record=record, index=record.index)
    if record.route == "device":
        return Verdict("there", known)
    if work.goal == "unmap":
        return Verdict("drop-file", known)
    if work.route == "file":
        return Verdict("same-file", replace(known, reused=True))
    why = "it is in use as a file: unmap it before it is mapped to a device, for two data paths would spoil it"
    return Verdict("other-route", _doom(known, why))


def _looked(work: Work, views: Mapping[int, IndexView]) -> Verdict:
    """At an index that is recorded as this volume's, finished or not."""
    record, view = work.record, views.get(-1 if work.index is None else work.index)
    if record is None or view is None:
        return Verdict("failed", _doom(work, f"index {work.index} is recorded for it, but is not in the pool"))
    facts = view.facts
    if not facts.attached:
        return Verdict("gone", work)
    if facts.serves is None:
        why = f"index {work.index} is attached, and nobody says to what: detach it by hand if it is this volume's"
        return Verdict("failed", _doom(work, why))
    if facts.serves != work.file:
        return Verdict("others", work)
    finished = record.stage is Stage.MAPPED and not work.attached
    if finished and work.goal == "map":
        if work.route == "device":
            return Verdict("reuse", replace(work, reused=True))
        return Verdict(
            "other-route", _doom(work, f"it is mapped to index {work.index}: unmap it before using the file")
        )
    if facts.holders:
        return Verdict("in-use", _doom(work, f"used by {', '.join(facts.holders)}: it stays mapped until that ends"))
    return Verdict("detach", work)


def _cooled(work: Work, answer: Answer) -> Verdict:
    if answer.kind != "late":
        return Verdict(answer.kind, work)
    late = work.late + 1
    if late > LATE_ATTACHES:
        return Verdict("failed", _doom(work, f"index {work.index} is attached again each time that it is detached"))
    return Verdict("late", replace(work, late=late))


def _surveyed(work: Work, views: Mapping[int, IndexView]) -> Verdict:
    every = tuple(views.values())
    index = next_index(every, work.volume, work.passed)
    if index is not None:
        return Verdict("found", replace(work, index=index))
    tried = work.tried + 1
    if every and delay_s(tried) is not None:
        return Verdict("none", replace(work, tried=tried))
    why = why_none_is_free(every) + (f"; before that: {work.why}" if work.why else "")
    return Verdict("spent", _doom(work, why))


def _inspected(work: Work, views: Mapping[int, IndexView]) -> Verdict:
    """Under the index's lock: what was free a moment ago, and is ours from now on or not at all."""
    view = views.get(-1 if work.index is None else work.index)
    if view is None or view.claim is not Claim.NONE or unquiet(view.facts):
        return Verdict("not-free", _pass(work))
    return Verdict("free", work)


def _confirmed(work: Work, views: Mapping[int, IndexView]) -> Verdict:
    """Before the nonce: the device must be alone in serving this file, and as large as it (both in bytes)."""
    serving = [index for index, view in views.items() if view.facts.serves == work.file]
    view = views.get(-1 if work.index is None else work.index)
    if view is None or serving != [work.index]:
        shown = ", ".join(map(str, serving)) or "no index"
        return Verdict("wrong", replace(work, why=f"index {work.index} was attached, but {shown} serves the volume"))
    if view.facts.size_bytes != work.size_bytes:
        sizes = f"{view.facts.size_bytes} bytes, the volume {work.size_bytes}"
        return Verdict("wrong", _doom(work, f"the device of index {work.index} has {sizes}"))
    return Verdict("ours-shared" if work.shared else "ours", work)


def _read_block(work: Work, answer: Answer) -> Verdict:
    found, record = answer.value, work.record
    assert record is not None
    assert isinstance(found, bytes)
    match work.phase:
        case P.LOOK_AT_BLOCK:
            whole = without_nonce(found, record)
            return Verdict("whole" if whole == found else "nonce", replace(work, whole=whole))
        case P.READ_OWN | P.READ_SHARED:
            return Verdict("done", replace(work, record=replace(record, original=found)))
    expected = record.nonce if work.phase is P.SEE_DEVICE else record.original
    if found == expected:
        return Verdict("same", work)
    if work.phase is P.SEE_SHARED:
        why = f"index {work.index} is not this volume, or a guest wrote to its last block just then"
        return Verdict("different", replace(work, why=why))
    what = "out of the device" if work.phase is P.SEE_DEVICE else "through the device into the volume"
    return Verdict(
        "different", replace(work, why=f"index {work.index} is not this volume: the nonce did not come {what}")
    )


def without_nonce(found: bytes, record: Record) -> bytes:
    """The block with what the nonce replaced, sector by sector: of a write that power cut short some may be there."""
    sectors = []
    for at in range(0, len(found), SECTOR_BYTES):
        sector = found[at : at + SECTOR_BYTES]
        planted = bool(record.nonce) and sector == record.nonce[at : at + SECTOR_BYTES]
        sectors.append(record.original[at : at + SECTOR_BYTES] if planted else sector)
    return b"".join(sectors)


def _done(work: Work, answer: Answer) -> Verdict:
    """What needs no reading, but for what the work remembers of it."""
    match work.phase:
        case P.MARK | P.CLAIM | P.SAVE | P.COMMIT | P.CHOOSE_FILE:
            return Verdict("done", replace(work, record=record_to_write(work)))
        case P.PUBLISH:
            return Verdict("done", replace(work, why=""))
        case P.FORGET:
            gone = replace(work, record=None)
            return Verdict("done-file" if work.index is None else "done", gone)
        case P.UNLOCK_FORGOTTEN:
            if work.goal == "unmap" or work.doomed or work.attached >= TRIES:
                return Verdict("end", replace(work, index=None))
            return Verdict("again" if work.route == "device" else "again-file", _pass(work) if work.why else work)
        case P.UNLOCK_VOLUME:
            return Verdict("badly" if work.doomed or (work.goal == "map" and work.why) else "well", work)
    return Verdict(answer.kind, work)


def _pass(work: Work) -> Work:
    """Not this index, in this round."""
    return work if work.index is None else replace(work, passed=(*work.passed, work.index))


def _doom(work: Work, why: str) -> Work:
    return replace(work, why=why, doomed=True)


_SEEN: Mapping[Phase, Callable[[Work, Mapping[int, IndexView]], Verdict]] = {
    P.LOOK: _looked,
    P.SURVEY: _surveyed,
    P.INSPECT: _inspected,
    P.CONFIRM: _confirmed,
}
