"""Which driver: by its name, and what it lacks here."""

from pathlib import Path

from ...mounts import mount_of, mounts
from ...places import Places
from ..ports import Driver
from .mfsbdev import Mfsbdev
from .nbd_client import NbdClient
from .userspace import Userspace

BY_THEMSELVES = ("mfsbdev", "nbd-client")
"""Drivers that are taken without being asked for, in this order."""
DRIVERS = (*BY_THEMSELVES, "userspace")


def driver_named(name: str, places: Places, file: Path | None = None) -> Driver:
    """The driver; MooseFS's for the mount that the file is on."""
    if name == "nbd-client":
        return NbdClient(places.run)
    if name == "userspace":
        return Userspace(places.run)
    return Mfsbdev(_moosefs_of(file))


def lacks(name: str, places: Places, file: Path | None = None) -> str | None:
    """Why a driver cannot be used, for this file."""
    if name == "mfsbdev" and file is not None and not mount_of(file.resolve()).is_moosefs:
        return f"{file} is not on MooseFS: mount it with mfsmount, or use another driver"
    return driver_named(name, places, file).absent()


def _moosefs_of(file: Path | None) -> Path:
    """Where MooseFS is mounted: below this file, or the first there is."""
    if file is not None:
        return mount_of(file.resolve()).point
    return next((one.point for one in mounts() if one.is_moosefs), Path("/mnt/mfs"))
