"""A volume mapped and let go by the way that was chosen for it: what command line and daemon both do."""

from dataclasses import dataclass
from pathlib import Path

from ..moosefs import within_reach
from ..peers.view import advice
from ..places import Places
from .core.work import Phase, Work
from .drivers.choice import BY_THEMSELVES, DRIVERS, driver_named, lacks
from .mapper import Mapper, volume_of
from .ports import PortFailed
from .record import Record
from .records import Records
from .routes import FILE, Routes, chosen


@dataclass(frozen=True, slots=True)
class Way:
    """How a volume is going to be reached."""

    volume: str
    name: str
    """Of the driver, or FILE."""
    why_file: str = ""
    """What every driver lacks, where that is why."""


def way_to(places: Places, file: Path, asked: str | None = None) -> Way:
    """Asked for, remembered, or the first that can be used. Raises PortFailed, OSError where it is out of reach."""
    within_reach(file)
    if not file.exists():
        raise PortFailed(f"{file}: there is no such file")
    volume = volume_of(file)
    record = Records(places.mappings).read(volume)
    remembered = record.driver if record else Routes(places.routes).remembered(volume)
    absent = {name: lacks(name, places, file) for name in DRIVERS}
    name = chosen(asked, remembered, absent, BY_THEMSELVES)
    if record is not None and name != record.driver:
        raise PortFailed(f"{volume} is reached by {record.driver}: unmap it before it is reached by {name}")
    by_itself = name == FILE and not remembered and not asked
    reasons = "; ".join(f"{driver}: {absent[driver]}" for driver in BY_THEMSELVES) if by_itself else ""
    return Way(volume, name, reasons)


def map_volume(places: Places, file: Path, way: Way) -> tuple[Work, str]:
    """The work that ended well, and what the volume is reached as: link and device, or the file. Raises PortFailed.

    Refused where another host said a moment ago that it has it: no lock, but most of what would go wrong.
    """
    said = advice(places, way.volume)
    if Records(places.mappings).read(way.volume) is None and said.verdict == "refused":
        raise PortFailed(f"{file} is not mapped: {'; '.join(said.reasons)}")
    driver = driver_named("nbd-client" if way.name == FILE else way.name, places, file)
    mapper = Mapper(driver, places)
    work = mapper.map(file, "file" if way.name == FILE else "device", shared=said.elsewhere)
    if work.phase is not Phase.DONE:
        raise PortFailed(f"{file} is not mapped: {work.why}")
    Routes(places.routes).remember(way.volume, way.name)
    if way.name == FILE:
        return work, way.volume
    return work, f"{mapper.link(file)} -> {driver.device(work.index or 0)}"


def unmap_volume(places: Places, file: Path) -> Record | None:
    """What it was, by the driver that mapped it; None where it was not mapped. Raises PortFailed, OSError."""
    within_reach(file)
    record = Records(places.mappings).read(volume_of(file))
    if record is None:
        return None
    name = record.driver if record.route == "device" else "nbd-client"
    if record.route == "device" and (lacking := lacks(name, places, Path(record.file))):
        raise PortFailed(f"{record.volume} was mapped by {name}, which cannot be used: {lacking}")
    work = Mapper(driver_named(name, places, Path(record.file)), places).unmap(Path(record.file))
    if work.phase is not Phase.DONE:
        raise PortFailed(f"{file} stays mapped: {work.why}")
    return record
