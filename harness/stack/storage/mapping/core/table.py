"""The table of transitions."""

from collections.abc import Mapping

from .work import Phase

Table = Mapping[Phase, Mapping[str, Phase]]
P = Phase
TRANSITIONS: Table = {
    P.LOCK_VOLUME: {"held": P.READ_RECORD, "busy": P.PAUSE_VOLUME, "spent": P.FAILED, "failed": P.FAILED},
    P.PAUSE_VOLUME: {"done": P.LOCK_VOLUME},
    P.READ_RECORD: {
        "nothing": P.UNLOCK_VOLUME,  # to unmap
        "none": P.SURVEY,
        "none-file": P.CHOOSE_FILE,
        "same-file": P.UNLOCK_VOLUME,  # reached as a file already
        "drop-file": P.FORGET,
        "other-route": P.UNLOCK_VOLUME,
        "there": P.LOCK_OLD,
        "failed": P.UNLOCK_VOLUME,
    },
    P.LOCK_OLD: {"held": P.LOOK, "busy": P.PAUSE_OLD, "spent": P.UNLOCK_VOLUME, "failed": P.UNLOCK_VOLUME},
    P.PAUSE_OLD: {"done": P.LOCK_OLD},
    P.LOOK: {
        "reuse": P.UNLOCK_INDEX,
        "in-use": P.UNLOCK_INDEX,
        "other-route": P.UNLOCK_INDEX,
        "detach": P.MARK,
        "gone": P.MARK,  # not attached: what else the driver has of it is taken away, and the link
        "others": P.UNPUBLISH_STALE,
        "failed": P.UNLOCK_INDEX,
    },
    P.UNPUBLISH_STALE: {"done": P.LOOK_AT_BLOCK, "failed": P.UNLOCK_INDEX},
    P.MARK: {"done": P.UNPUBLISH, "failed": P.UNLOCK_INDEX},
    P.UNPUBLISH: {"done": P.DETACH, "failed": P.UNLOCK_INDEX},
    P.DETACH: {"done": P.COOL, "failed": P.UNLOCK_INDEX},
    P.COOL: {"quiet": P.LOOK_AT_BLOCK, "late": P.LOOK, "failed": P.UNLOCK_INDEX},
    P.LOOK_AT_BLOCK: {"whole": P.FORGET, "nonce": P.RESTORE, "failed": P.UNLOCK_INDEX},
    P.RESTORE: {"done": P.FORGET, "failed": P.UNLOCK_INDEX},
    P.FORGET: {"done": P.UNLOCK_FORGOTTEN, "done-file": P.UNLOCK_VOLUME, "failed": P.UNLOCK_INDEX},
    P.UNLOCK_FORGOTTEN: {"again": P.SURVEY, "again-file": P.CHOOSE_FILE, "end": P.UNLOCK_VOLUME},
    P.SURVEY: {"found": P.LOCK_INDEX, "none": P.PAUSE, "spent": P.UNLOCK_VOLUME, "failed": P.UNLOCK_VOLUME},
    P.PAUSE: {"done": P.SURVEY},
    P.LOCK_INDEX: {"held": P.INSPECT, "busy": P.SURVEY, "failed": P.UNLOCK_VOLUME},
    P.INSPECT: {"free": P.CLAIM, "not-free": P.UNLOCK_PASSED, "failed": P.UNLOCK_INDEX},
    P.UNLOCK_PASSED: {"done": P.SURVEY},
    P.CLAIM: {"done": P.ATTACH, "failed": P.UNLOCK_INDEX},
    # Whatever it answered: what the device serves now is looked at.
    P.ATTACH: {"done": P.CONFIRM, "taken": P.LOOK, "refused": P.LOOK, "failed": P.LOOK},
    P.CONFIRM: {"ours": P.READ_OWN, "ours-shared": P.READ_SHARED, "wrong": P.LOOK, "failed": P.LOOK},
    P.READ_OWN: {"done": P.SAVE, "failed": P.LOOK},
    P.SAVE: {"done": P.PLANT, "failed": P.LOOK},
    P.PLANT: {"done": P.SEE_DEVICE, "failed": P.LOOK},
    P.SEE_DEVICE: {"same": P.GIVE_BACK, "different": P.LOOK, "failed": P.LOOK},
    P.GIVE_BACK: {"done": P.SEE_VOLUME, "failed": P.LOOK},
    P.SEE_VOLUME: {"same": P.COMMIT, "different": P.LOOK, "failed": P.LOOK},
    P.READ_SHARED: {"done": P.SEE_SHARED, "failed": P.LOOK},
    P.SEE_SHARED: {"same": P.COMMIT, "different": P.LOOK, "failed": P.LOOK},
    P.COMMIT: {"done": P.PUBLISH, "failed": P.LOOK},
    P.PUBLISH: {"done": P.UNLOCK_INDEX, "failed": P.LOOK},
    P.CHOOSE_FILE: {"done": P.UNLOCK_VOLUME, "failed": P.UNLOCK_VOLUME},
    P.UNLOCK_INDEX: {"done": P.UNLOCK_VOLUME},
    P.UNLOCK_VOLUME: {"well": P.DONE, "badly": P.FAILED},
    P.DONE: {},
    P.FAILED: {},
}
"""Phase -> answer -> next phase. Every way to an end passes the locks that it took."""
