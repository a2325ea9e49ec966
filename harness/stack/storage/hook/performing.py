"""Looks at a guest's volumes, does what may be done, and writes down what came of it; again and again, or one step."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..autonomy.core import Act, Level, decide
from ..mapping.drivers.choice import driver_named
from ..mapping.mapper import Mapper, boot_id
from ..mapping.ports import PortFailed
from ..mapping.record import Record, Stage
from ..mapping.records import Records
from ..mapping.volumes import map_volume, unmap_volume, way_to
from ..peers.migrations import Declared, Migrations
from ..peers.view import View, identity, read
from ..places import Places
from .core import names
from .core.decision import Decision, Mapped, Seen, Verdict, worst
from .core.decision import decide as decided
from .looking import devices_of, driver_for, look, reached_by_device

AGAIN_S = 0.5
WITHIN_S = 120.0
STATES = {"well": "complete", "left over": "left over", "failed": "failed"}
Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Guest:
    """One that came here."""

    vm: str
    source: str
    target: str
    pid: int | None = None
    volumes: tuple[str, ...] = ()
    """Named by a person; else those that are known to be devices at the source."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of it."""

    verdict: Verdict
    decisions: dict[str, Decision]
    done: tuple[str, ...] = ()


def declare(places: Places, guest: Guest, for_s: float) -> list[Declared]:
    """Before the guest comes: so long both hosts may have its volumes. Raises OSError."""
    view, migrations = read(places), Migrations(places.migrations)
    known = {one.volume for one in migrations.of(guest.vm, guest.source, guest.target)}
    found = []
    for volume in volumes_of(places, guest, view):
        known_as = identity(volume, view.shared if view else ())
        if volume not in known and known_as:
            driver = devices_of(view, guest.source).get(volume, "")
            found.append(_declared(migrations, guest, volume, known_as, for_s=for_s, driver=driver))
    return found


def _declared(
    migrations: Migrations, guest: Guest, volume: str, known_as: str, *, for_s: float = 0.0, driver: str = ""
) -> Declared:
    return migrations.declare(
        volume, known_as, vm=guest.vm, source=guest.source, target=guest.target, for_s=for_s, driver=driver
    )


def volumes_of(places: Places, guest: Guest, view: View | None) -> list[str]:
    """Those that were named, or declared, or are the guest's and devices at the source as that host said last."""
    if guest.volumes:
        return list(guest.volumes)
    declared = [one.volume for one in Migrations(places.migrations).of(guest.vm, guest.source, guest.target)]
    return sorted({*declared, *names.of(devices_of(view, guest.source), guest.vm)})


def ready(places: Places, guest: Guest, level: Level, warn: Warn) -> list[str]:
    """Before a guest starts: its volumes that are reached by devices are mapped. What could not be, and why.

    Where the level lets nobody map by himself, that is a warning and not a failure: others may map it.
    """
    view = read(places)
    known = {*volumes_of(places, guest, view), *names.of(reached_by_device(places), guest.vm)}
    failed = []
    for volume in guest.volumes or sorted(known):
        record = Records(places.mappings).read(volume)
        if record is not None and (record.route == "file" or _is_of_now(record)):
            continue
        if decide(level, Act.MAP).verdict != "allowed":
            warn(f"{volume} is not mapped, and the level of autonomy lets nobody but a person map it")
            continue
        warn(f"{volume} is not mapped: it is mapped before the guest starts")
        try:
            _map(places, volume, hint_of(places, guest, view, volume))
        except (PortFailed, OSError) as error:
            failed.append(str(error))
    return failed


def _is_of_now(record: Record) -> bool:
    """Devices do not outlive a boot, and what was begun may be half done: to map those again clears them up."""
    return record.stage is Stage.MAPPED and record.boot == boot_id()


def hint_of(places: Places, guest: Guest, view: View | None, volume: str) -> str:
    """The driver of an earlier mapping here, else that at the source, as far as it is known."""
    try:
        record = Records(places.mappings).read(volume)
    except PortFailed:  # the look that follows says so
        record = None
    if record is not None and record.route == "device":
        return record.driver
    declared = Migrations(places.migrations).of(guest.vm, guest.source, guest.target)
    known = {one.volume: one.driver for one in declared}
    return known.get(volume) or devices_of(view, guest.source).get(volume, "")


def _map(places: Places, volume: str, hint: str) -> str:
    """As a device, or not at all: the plain path is what must not come of it. Raises PortFailed, OSError."""
    driver = driver_for(places, volume, hint)
    if driver is None:
        raise PortFailed(f"{volume}: no driver makes a device of it here: mfs-autonomy status")
    return map_volume(places, Path(volume), way_to(places, Path(volume), driver))[1]


def step(places: Places, guest: Guest, level: Level, *, time_left: bool, tried: dict[str, int], warn: Warn) -> Ended:
    """One look, and what it asks for. Raises OSError."""
    view = read(places)
    decisions, done = {}, []
    for volume in volumes_of(places, guest, view):
        hint = hint_of(places, guest, view, volume)
        seen = look(places, view, volume, guest.source, pid=guest.pid, hint=hint)
        act = Act.MEND if seen.mapped is Mapped.BROKEN else Act.MAP
        allowed = decide(level, act).verdict == "allowed"
        decision = decided(seen, allowed=allowed, time_left=time_left, tried=tried.get(volume, 0))
        for said in decision.warnings:
            warn(said)
        if decision.do != "nothing":
            tried[volume] = tried.get(volume, 0) + 1
            done.append(_done(places, seen, decision, hint, warn))
        decisions[volume] = decision
    return Ended(worst(decisions), decisions, tuple(done))


def _done(places: Places, seen: Seen, decision: Decision, hint: str, warn: Warn) -> str:
    try:
        if decision.do == "mend":
            unmap_volume(places, Path(seen.volume))
        reached = _map(places, seen.volume, hint)
    except (PortFailed, OSError) as error:
        warn(str(error))
        return str(error)
    return f"mapped again: {reached}"


def until_ended(
    places: Places, guest: Guest, level: Level, warn: Warn, within_s: float = WITHIN_S, *, ends: bool = True
) -> Ended:
    """Looks until nothing changes any more, and writes down what came of it.

    With ``ends`` false that the source has the volumes still is not the end of it: somebody looks on. Raises OSError.
    """
    end_s, said = time.monotonic() + within_s, set[str]()
    tried: dict[str, int] = {}

    def once(line: str) -> None:
        if line not in said:
            said.add(line)
            warn(line)

    done: list[str] = []
    while True:
        time_left = time.monotonic() < end_s
        ended = step(places, guest, level, time_left=time_left or not ends, tried=tried, warn=once)
        done += ended.done
        if ended.verdict != "wait" or not (time_left or ended.done):
            break
        time.sleep(AGAIN_S if not ended.done else 0.0)
    ended = replace(ended, done=tuple(done))
    write_down(places, guest, ended)
    return ended


def write_down(places: Places, guest: Guest, ended: Ended) -> None:
    """For the daemon, which tells and audits it: what came of each volume, and how it is reached. Raises OSError."""
    migrations = Migrations(places.migrations)
    open_ones = {one.volume: one for one in migrations.of(guest.vm, guest.source, guest.target)}
    for volume, decision in ended.decisions.items():
        if decision.verdict not in STATES:
            continue
        one = open_ones.get(volume)
        if one is None:
            one = _declared(migrations, guest, volume, identity(volume, ()))
        said = "; ".join((*decision.warnings, *ended.done))
        migrations.end(one, STATES[decision.verdict], said, mapping_of(places, volume))  # type: ignore[arg-type]


def mapping_of(places: Places, volume: str) -> str:
    """How it is reached now."""
    try:
        record = Records(places.mappings).read(volume)
    except PortFailed as error:
        return str(error)
    if record is None:
        return "not mapped"
    if record.index is None:
        return "as a file"
    driver = driver_named(record.driver, places)
    return f"{Mapper(driver, places).link(Path(volume))} -> {driver.device(record.index)}"
