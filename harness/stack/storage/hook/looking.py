"""Looks at a guest and its volumes on this host. Nothing is changed by it."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from ..mapping.drivers.choice import BY_THEMSELVES, DRIVERS, driver_named, lacks
from ..mapping.mapper import Mapper, boot_id
from ..mapping.ports import PortFailed
from ..mapping.record import Record, Stage
from ..mapping.records import Records
from ..mapping.routes import FILE, Routes
from ..medium import read_block
from ..peers.view import View, identity, now_s
from ..places import Places
from ..pool.core import Ownership
from .core.decision import Guest, Mapped, Seen, Source

PIDS = Path("/var/run/qemu-server")
BLOCK_BYTES = 4096


def look(places: Places, view: View | None, volume: str, source: str, *, pid: int | None, hint: str) -> Seen:
    """One volume; ``pid`` is the guest's process, ``hint`` the driver at the source. Raises OSError."""
    file = Path(volume)
    try:
        record, works = Records(places.mappings).read(volume), ""
    except PortFailed as error:
        record, works = None, str(error)
    mapped = Mapped.NONE if record is None and not works else Mapped.BROKEN
    device = None
    if record is not None and record.route == "device":
        device = driver_named(record.driver, places).device(record.index or 0)
        works = works or _works(places, record, device)
        mapped = Mapped.BROKEN if works else Mapped.PROVEN
    return Seen(
        volume=volume,
        usable=device is not None or driver_for(places, volume, hint) is not None,
        was_mapped=True,
        error=_unreadable(file),
        mapped=mapped,
        guest=opened_by(pid, file, device),
        source=at_source(view, volume, source),
        works=works,
    )


def driver_for(places: Places, volume: str, hint: str = "") -> str | None:
    """What makes a device of it here: as was chosen here, else as at the source, else by itself; never the file."""
    try:
        chosen = Routes(places.routes).remembered(volume)
    except PortFailed:
        chosen = None
    if chosen == FILE:
        return None
    wanted = [chosen] if chosen else [*([hint] if hint in DRIVERS else []), *BY_THEMSELVES]
    return next((name for name in wanted if lacks(name, places, Path(volume)) is None), None)


def _unreadable(file: Path) -> str:
    try:
        read_block(file, 0, BLOCK_BYTES)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _works(places: Places, record: Record, device: Path) -> str:
    """What is not as it was when the mapping was proven; empty where all is."""
    if record.stage is not Stage.MAPPED or record.boot != boot_id():
        return f"it was left in '{record.stage.value}', or is of an earlier boot"
    try:
        views = Mapper(driver_named(record.driver, places), places).views()
    except (PortFailed, OSError) as error:
        return str(error)
    view = next((one for one in views if one.index == record.index), None)
    if view is None or view.ownership is not Ownership.MAPPED or view.facts.serves != record.file:
        return f"{device} does not serve it"
    try:
        read_block(device, 0, BLOCK_BYTES)
    except OSError as error:
        return f"{device}: {error.strerror or error}"
    return ""


def opened_by(pid: int | None, file: Path, device: Path | None) -> Guest:
    """By what the kernel says of the process, not by what anybody meant it to open."""
    if pid is None:
        return Guest.NOTHING
    has_file = has_device = False
    node, number = _stat(file), _stat(device) if device else None
    try:
        descriptors = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return Guest.NOTHING
    for link in descriptors:
        at = _stat(link)
        if at is None:
            continue
        has_file |= node is not None and (at.st_dev, at.st_ino) == (node.st_dev, node.st_ino)
        has_device |= number is not None and stat.S_ISBLK(at.st_mode) and at.st_rdev == number.st_rdev
    if has_file:
        return Guest.BOTH if has_device else Guest.FILE
    return Guest.DEVICE if has_device else Guest.NOTHING


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def at_source(view: View | None, volume: str, source: str) -> Source:
    """As that host said a moment ago."""
    heard = view.known.get(source) if view else None
    if view is None or heard is None or now_s() - heard.at_s > view.after_s:
        return Source.UNKNOWN
    known_as = identity(volume, view.shared)
    there = any(one.identity == known_as if known_as else one.volume == volume for one in heard.report.volumes)
    return Source.MAPPED if there else Source.UNMAPPED


def devices_of(view: View | None, source: str) -> dict[str, str]:
    """Volume that is a device there -> by which driver, as that host said last."""
    heard = view.known.get(source) if view else None
    return {one.volume: one.driver for one in heard.report.volumes if one.index is not None} if heard else {}


def reached_by_device(places: Places) -> list[str]:
    """Volumes that this host maps, or mapped once: those that must not come to be plain files by chance."""
    found = [one.volume for one in Records(places.mappings).readable()[0] if one.route == "device"]
    return sorted({*found, *Routes(places.routes).by_device()})


def pid_of(vm: str, folders: Iterable[Path] = (PIDS,)) -> int | None:
    """Of the guest's process, as Proxmox writes it down; None where none runs."""
    for folder in folders:
        try:
            pid = int((folder / f"{vm}.pid").read_text())
        except (OSError, ValueError):
            continue
        if Path(f"/proc/{pid}").exists():
            return pid
    return None
