"""What several commands need: the places, the drivers, tables and questions of which file."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..mapping.drivers.mfsbdev import Mfsbdev
from ..mapping.drivers.nbd_client import NbdClient
from ..mapping.drivers.userspace import Userspace
from ..mapping.ports import Driver
from ..places import Places
from ..preflight.operation import MOUNTS, mount_of

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

BY_THEMSELVES = ("mfsbdev", "nbd-client")
"""Drivers that are taken without being asked for, in this order."""
DRIVERS = (*BY_THEMSELVES, "userspace")


def places_of(options: argparse.Namespace) -> Places:
    """From --state and --run."""
    return Places(options.state.absolute(), options.run.absolute())


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
    rows = [line.split() for line in MOUNTS.read_text().splitlines()]
    return next((Path(row[4]) for row in rows if row[row.index("-") + 1] in ("fuse.mfs", "moosefs")), Path("/mnt/mfs"))


def show_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows in columns."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def say(line: str) -> None:
    """One line on stdout, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
