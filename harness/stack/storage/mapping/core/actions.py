"""What is to be done in a phase."""

from collections.abc import Mapping
from dataclasses import replace

from ...pool.core import delay_s
from ..record import Record, Stage
from .work import Act, Action, Phase, Work


def action_of(work: Work) -> Action:
    """What is to be done in the phase that the work is in."""
    index = work.index
    match work.phase:
        case (
            Phase.LOCK_VOLUME
            | Phase.READ_RECORD
            | Phase.UNLOCK_VOLUME
            | Phase.FORGET
            | Phase.UNPUBLISH
            | Phase.UNPUBLISH_STALE
        ):
            return Action(_PLAIN[work.phase])
        case Phase.PAUSE_VOLUME | Phase.PAUSE_OLD | Phase.PAUSE:
            return Action("pause", delay_s=delay_s(work.tried) or 0.0)
        case Phase.LOCK_OLD | Phase.LOCK_INDEX:
            return Action("lock-index", index)
        case Phase.UNLOCK_FORGOTTEN | Phase.UNLOCK_PASSED | Phase.UNLOCK_INDEX:
            return Action("unlock-index", index)
        case Phase.SURVEY | Phase.LOOK | Phase.INSPECT | Phase.CONFIRM:
            return Action("survey")
        case Phase.MARK | Phase.CLAIM | Phase.SAVE | Phase.COMMIT | Phase.CHOOSE_FILE:
            return Action("write-record", record=record_to_write(work))
        case Phase.DONE | Phase.FAILED:
            return Action("end")
    return _on_blocks_and_devices(work)


_PLAIN: Mapping[Phase, Act] = {
    Phase.LOCK_VOLUME: "lock-volume",
    Phase.READ_RECORD: "read-record",
    Phase.UNLOCK_VOLUME: "unlock-volume",
    Phase.FORGET: "delete-record",
    Phase.UNPUBLISH: "unpublish",
    Phase.UNPUBLISH_STALE: "unpublish",
}


_ON_INDEX: Mapping[Phase, Act] = {
    Phase.ATTACH: "attach",
    Phase.DETACH: "detach",
    Phase.COOL: "cool",
    Phase.PUBLISH: "publish",
}


def _on_blocks_and_devices(work: Work) -> Action:
    index, record = work.index, work.record
    match work.phase:
        case Phase.SEE_DEVICE | Phase.SEE_SHARED:
            return Action("read-device", index, offset=work.offset)
        case Phase.GIVE_BACK:
            return Action("write-device", index, data=record.original if record else b"", offset=work.offset)
        case Phase.PLANT:
            return Action("write-volume", data=work.nonce, offset=work.offset)
        case Phase.RESTORE if record is not None:
            return Action("write-volume", data=work.whole, offset=record.offset)
        case Phase.LOOK_AT_BLOCK if record is not None:
            return Action("read-volume", offset=record.offset)
    if work.phase in _ON_INDEX:
        return Action(_ON_INDEX[work.phase], index)
    return Action("read-volume", offset=work.offset)


def record_to_write(work: Work) -> Record:
    """The volume's record as it is to be from this phase on."""
    stage = {Phase.MARK: Stage.DETACHING, Phase.CLAIM: Stage.ATTACHING, Phase.SAVE: Stage.PROVING}.get(
        work.phase, Stage.MAPPED
    )
    fresh = Record(work.volume, work.file, work.index, stage, work.driver, work.boot)
    match work.phase:
        case Phase.CHOOSE_FILE:
            return replace(fresh, index=None)
        case Phase.MARK if work.record is not None:  # what the nonce replaced is kept until it is back
            return replace(work.record, stage=stage)
        case Phase.SAVE if work.record is not None:
            return replace(fresh, nonce=work.nonce, original=work.record.original, offset=work.offset)
    return fresh
