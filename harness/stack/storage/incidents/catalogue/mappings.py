"""Records, devices and links that do not agree."""

from ...autonomy.core import Act
from ...mapping.record import Record, Stage
from ...pool.core import Ownership
from ..core.declared import Found, Incident, Limits
from ..core.facts import NO_ANSWER, Facts

OTHERS = "another program"


def _works(facts: Facts, volume: str) -> bool:
    """It is mapped, served, and its device can be read."""
    record = facts.record(volume)
    view = facts.view(record.index) if record else None
    return view is not None and view.ownership is Ownership.MAPPED and facts.reads.get(view.index, "?") == ""


def _nothing_left(facts: Facts, volume: str) -> bool:
    return facts.record(volume) is None and volume not in facts.links


def _mapped(facts: Facts) -> list[Record]:
    """Recorded as mapped in this boot, and nobody is at it."""
    return [
        one
        for one in facts.records
        if one.route == "device"
        and one.stage is Stage.MAPPED
        and one.boot == facts.boot
        and not facts.locked(one.volume)
    ]


def _there(facts: Facts, volume: str) -> bool:
    return volume not in facts.volumes or facts.volumes[volume].there


def volume_gone(facts: Facts) -> Found:
    """The file of a mapped volume was deleted."""
    for one in facts.records:
        if not _there(facts, one.volume) and not facts.locked(one.volume):
            yield (
                one.volume,
                f"the file is gone, and {f'index {one.index}' if one.route == 'device' else 'a record'} is its",
            )


def unfinished_mapping(facts: Facts) -> Found:
    """Whoever mapped or unmapped it died."""
    for one in facts.records:
        begun = one.route == "device" and one.stage is not Stage.MAPPED and one.boot == facts.boot
        if begun and not facts.locked(one.volume) and _there(facts, one.volume):
            yield one.volume, f"it was left in '{one.stage.value}' at index {one.index}"


def lost_in_a_reboot(facts: Facts) -> Found:
    """A mapping of an earlier boot."""
    for one in facts.records:
        earlier = one.route == "device" and one.boot != facts.boot
        if earlier and not facts.locked(one.volume) and _there(facts, one.volume):
            yield one.volume, f"index {one.index} was its before this boot"


def lost_mapping(facts: Facts) -> Found:
    """Nothing serves a device any more."""
    for one in _mapped(facts):
        view = facts.view(one.index)
        if view is not None and view.ownership is Ownership.LOST and _there(facts, one.volume):
            yield one.volume, f"nothing serves index {one.index}"


def resized_volume(facts: Facts) -> Found:
    """The file has another size than its device."""
    for one in _mapped(facts):
        view, file = facts.view(one.index), facts.volumes.get(one.volume)
        if view is None or file is None or not file.there or view.ownership is not Ownership.MAPPED:
            continue
        if file.size_bytes != view.facts.size_bytes and not view.facts.holders:
            yield one.volume, f"the device has {view.facts.size_bytes} bytes, the file {file.size_bytes}"


def failing_device(facts: Facts) -> Found:
    """Reading gives an error."""
    for one in _mapped(facts):
        error = facts.reads.get(-1 if one.index is None else one.index, "")
        view = facts.view(one.index)
        if view is None or view.ownership is not Ownership.MAPPED or view.facts.holders:
            continue
        if error not in ("", NO_ANSWER) and _there(facts, one.volume):
            yield one.volume, f"reading index {one.index}: {error}"


def lost_link(facts: Facts) -> Found:
    """A mapped volume without its link, or with another's."""
    for one in _mapped(facts):
        view = facts.view(one.index)
        wanted = facts.devices.get(-1 if one.index is None else one.index)
        if view is not None and view.ownership is Ownership.MAPPED and wanted and facts.links.get(one.volume) != wanted:
            yield one.volume, f"its link leads to {facts.links.get(one.volume, 'nothing')}, not to {wanted}"


def reversion(facts: Facts) -> Found:
    """A disk is used as the plain file that it is, and was a device before: a guest that came back, or was migrated."""
    for volume, users in facts.reverted.items():
        if not facts.locked(volume):
            yield volume, f"{', '.join(users)} writes to the file, and it is reached by a device: it is not mapped"


def stale_link(facts: Facts) -> Found:
    """A link of a volume that is not mapped."""
    for volume, device in facts.links.items():
        if facts.record(volume) is None and not facts.locked(volume):
            yield volume, f"its link leads to {device}, and it is not mapped"


def leaked_device(facts: Facts) -> Found:
    """Served by a server of ours, and nobody's."""
    for view in facts.views:
        ours = not (view.facts.serves or OTHERS).startswith(OTHERS)
        if view.ownership is Ownership.LEAKED and ours and not view.facts.holders:
            yield f"index {view.index}", f"it serves {view.facts.serves}, which is not mapped"


def foreign_device(facts: Facts) -> Found:
    """Another program uses a device of the pool."""
    for view in facts.views:
        if view.ownership is Ownership.LEAKED and (view.facts.serves or OTHERS).startswith(OTHERS):
            yield f"index {view.index}", f"{view.facts.serves or OTHERS} has it"


def zombie_device(facts: Facts) -> Found:
    """Nobody serves it, and it does not come to rest."""
    for view in facts.views:
        left = view.facts.size_bytes or view.facts.in_flight
        if view.ownership is Ownership.SETTLING and left and not view.facts.holders:
            seen = f"no server, {view.facts.size_bytes} bytes, {view.facts.in_flight} in flight"
            yield f"index {view.index}", seen


def two_paths(facts: Facts) -> Found:
    """Somebody writes to the file of a mapped volume: a guest that reverted to it, or a mistake."""
    for one in _mapped(facts):
        file = facts.volumes.get(one.volume)
        if file is not None and file.writers:
            yield one.volume, f"it is mapped, and {', '.join(file.writers)} writes to its file"


def held_lock(facts: Facts) -> Found:
    """Whoever took it was killed, and what he had started keeps it."""
    for name, held in facts.locks.items():
        if not held.owner_lives and held.keepers:
            keepers = ", ".join(f"{program} (process {pid})" for pid, program in held.keepers)
            yield name, f"process {held.owner_pid} took it and is gone; {keepers} keeps it"


def _free(facts: Facts, subject: str) -> bool:
    view = facts.view(int(subject.removeprefix("index ")))
    return view is not None and view.ownership in (Ownership.FREE, Ownership.BUSY, Ownership.MAPPED)


INCIDENTS = (
    Incident(
        "held-lock",
        "warning",
        held_lock,
        "end the process that keeps it, once it is known what it does",
        "end who keeps the lock",
        Act.END_PROGRAM,
        patience=3,
        proof=lambda facts, name: name not in facts.locks,
    ),
    Incident(
        "two-data-paths",
        "critical",
        two_paths,
        "stop whoever writes to the file, and compare both; then unmap and map again",
        patience=1,
    ),
    Incident(
        "volume-gone",
        "warning",
        volume_gone,
        "mfs-autonomy unmap FILE, if the file is not to come back",
        "forget the mapping",
        Act.MEND,
        proof=_nothing_left,
    ),
    Incident(
        "unfinished-mapping",
        "warning",
        unfinished_mapping,
        "mfs-autonomy unmap FILE",
        "clear up the mapping",
        Act.MEND,
        proof=_nothing_left,
    ),
    Incident(
        "lost-in-a-reboot",
        "warning",
        lost_in_a_reboot,
        "mfs-autonomy map FILE",
        "map again",
        Act.MEND,
        proof=_works,
    ),
    Incident("lost-mapping", "critical", lost_mapping, "mfs-autonomy map FILE", "map again", Act.MEND, proof=_works),
    Incident(
        "resized-volume",
        "warning",
        resized_volume,
        "unmap it and map it again",
        "map again",
        Act.MEND,
        proof=_works,
    ),
    Incident(
        "failing-device",
        "critical",
        failing_device,
        "look at the storage below; unmap it and map it again",
        "map again",
        Act.MEND,
        Limits(tries=2, apart_s=60),
        proof=_works,
    ),
    Incident("lost-link", "warning", lost_link, "mfs-autonomy unmap FILE, then map", "make the link", Act.TIDY),
    Incident(
        "reversion",
        "warning",
        reversion,
        "stop the guest, mfs-autonomy map FILE, start it; the hook does that at each start (hook proxmox)",
    ),
    Incident(
        "stale-link",
        "warning",
        stale_link,
        "delete the link",
        "take the link away",
        Act.TIDY,
        proof=lambda facts, volume: volume not in facts.links or facts.record(volume) is not None,
    ),
    Incident(
        "leaked-device",
        "warning",
        leaked_device,
        "nbd-client -d DEVICE",
        "let go of the device",
        Act.MEND,
        proof=_free,
    ),
    Incident(
        "zombie-device",
        "warning",
        zombie_device,
        "nbd-client -d DEVICE",
        "let go of the device",
        Act.MEND,
        patience=3,
        proof=_free,
    ),
    Incident("foreign-device", "info", foreign_device, "nothing, if that program is meant to have it"),
)
