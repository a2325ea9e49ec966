"""What cleanup may wipe. Pure.

It wipes what is declared, on servers that are named, and nothing that it finds by looking: the first free disk is
somebody's. A protected server is protected against whoever types the command, too.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..inventory.core import Inventory, Problem, Server, cells

_HEADS = ("server", "device", "mount")
# sdb may be another disk after the next start; these names follow the disk, or its place.
_LASTING = re.compile(r"/dev/disk/by-(id|path|uuid|partuuid)/[A-Za-z0-9._:@+-]+|/dev/mapper/[A-Za-z0-9._+-]+")


@dataclass(frozen=True, slots=True)
class Declared:
    """A device that holds nothing but what was installed by us."""

    server: str
    device: str
    mount: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server says of a device, now."""

    exists: bool
    mounted_at: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    """Devices on top of it: of LVM, of a RAID, of encryption."""
    partitions: tuple[str, ...] = ()
    carries_system: bool = False
    """The root file system, what the server starts from, or its swap is on it or on a part of it."""


class DevicesWrong(Exception):
    """The table of devices cannot be used; all that is wrong with it, a line each."""


def read_devices(text: str, inventory: Inventory, file: str = "devices.tsv") -> tuple[Declared, ...]:
    """The declared devices. Raises DevicesWrong, with rows and columns."""
    rows = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    problems: list[Problem] = []
    found: list[Declared] = []
    if not rows or tuple(rows[0][1].split("\t")) != _HEADS:
        raise DevicesWrong(f"{file}:1: the first line is: {' TAB '.join(_HEADS)}")
    for row, line in rows[1:]:
        values = cells(line)
        if len(values) != len(_HEADS):
            problems.append(Problem(row, 0, f"{len(values)} cells instead of {len(_HEADS)}, separated by tabs"))
            continue
        one = Declared(*values)
        wrong = [Problem(row, column, why) for column, why in _wrong(one, inventory, found)]
        problems += wrong
        if not wrong:
            found.append(one)
    if problems:
        raise DevicesWrong("\n".join(f"{file}:{one.row}:{one.column}: {one.why}" for one in problems))
    return tuple(found)


def _wrong(one: Declared, inventory: Inventory, before: Sequence[Declared]) -> Iterator[tuple[int, str]]:
    servers = {server.name: server for server in inventory.servers}
    if one.server not in servers:
        yield 1, f"there is no server {one.server!r} in the inventory"
    elif servers[one.server].protected:
        yield 1, f"{one.server} is protected: nothing of it is ever wiped"
    if not _LASTING.fullmatch(one.device):
        yield 2, f"{one.device!r} may be another disk after the next start; name it by /dev/disk/by-id/..."
    if not one.mount.startswith("/") or one.mount.rstrip("/").count("/") < 2:
        yield 3, f"{one.mount!r} is no mount point of ours: a path of two names or more"
    if any((one.server, one.device) == (other.server, other.device) for other in before):
        yield 2, f"{one.device} of {one.server} is declared already"
    if any((one.server, one.mount) == (other.server, other.mount) for other in before):
        yield 3, f"{one.mount} of {one.server} is another device's already"


def chosen(names: Collection[str], inventory: Inventory) -> tuple[Server, ...] | str:
    """The servers that are to be cleaned, or why none is.

    All of them must be there and none protected: of a list with one mistake in it nothing is done.
    """
    known = {server.name: server for server in inventory.servers}
    if not names:
        return "no server is named: cleanup wipes none by itself"
    if absent := sorted(set(names) - set(known)):
        return f"not in the inventory: {', '.join(absent)}"
    if guarded := sorted(name for name in names if known[name].protected):
        return f"protected: {', '.join(guarded)}; the inventory says so, and no option overrides it"
    return tuple(server for server in inventory.servers if server.name in set(names))


def why_not_format(one: Declared, seen: Seen) -> str | None:
    """Why a declared device is left alone all the same; None when it may be made anew."""
    if not seen.exists:
        return f"{one.device} is not there"
    if seen.carries_system:
        return f"{one.device} carries the system"
    if elsewhere := [place for place in seen.mounted_at if place != one.mount]:
        return f"{one.device} is mounted at {', '.join(elsewhere)}, and is declared for {one.mount}"
    if seen.holders:
        return f"{one.device} is part of {', '.join(seen.holders)}"
    if seen.partitions:
        return f"{one.device} has partitions: {', '.join(seen.partitions)}; declare the one that is meant"
    return None


def without_mount(fstab: str, one: Declared, same_device: Mapping[str, bool]) -> str:
    """The table of mounts without the device's own line; all else, comments included, stays as it is.

    ``same_device`` says of each source in the table (UUID=..., a path) whether the server resolves it to the device.
    """
    lines = fstab.splitlines(keepends=True)
    return "".join(line for line in lines if not _is_of(line.split(), one, same_device))


def _is_of(words: Sequence[str], one: Declared, same_device: Mapping[str, bool]) -> bool:
    if len(words) < 2 or words[0].startswith("#"):
        return False
    return words[1] == one.mount and same_device.get(words[0], False)
