"""Many volumes mapped at the same moment: whether any two are given one device."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.bench.figures import Figure
from harness.bench.storage_maps import driver_here
from harness.bench.storage_program import MIB, WITHIN_S, Failed, Say, command, environment, make, ours, took

METHOD = """\
*At once*: sixteen volumes, mapped by sixteen processes of `mfs-autonomy` that are started together, with state, locks
and links in folders that were not there before; the time is until the last of them has ended. Then each device is read
and compared to its volume. *Collided* are maps that were told a device which another one has as well, or which has
something else than the volume; *refused* are those that failed and said so. Devices are those of a kernel that runs for
a while. Beside it the same with `mfsbdev map` without `-d`, which chooses devices itself, where it is installed."""
MANY = 16
SIZE_MIB = 1
SOCKET = Path("/dev/mfs/nbdsock")
LISTED = re.compile(r"file:\s*(?P<file>.+?)\s*;\s*device:\s*(?P<device>/dev/nbd\d+)")
"""A row of `mfsbdev list`."""


@dataclass
class Counted:
    """What came of all rounds."""

    values_s: list[float] = field(default_factory=list)
    collided: int = 0
    refused: int = 0
    said: str = ""
    """By the first that was refused."""

    def figure(self, what: str) -> Figure:
        """Its row."""
        maps = f"{MANY * len(self.values_s)} maps: {self.collided} collided, {self.refused} refused"
        return Figure(what, tuple(self.values_s), f"{maps} ({self.said})" if self.said else maps)


def measured(rounds: int, where: Path, say: Say) -> list[Figure]:
    """So many times."""
    driver, why = driver_here()
    folder = where / "parallel"
    folder.mkdir()
    volumes = [folder / f"disk-{number}" for number in range(MANY)]
    for number, volume in enumerate(volumes):
        make(volume, SIZE_MIB, holes=False, seed=number)

    def once(number: int, counted: Counted) -> None:
        _ours_once(volumes, folder / f"round-{number}", driver, counted)

    def stock_once(_number: int, counted: Counted) -> None:
        _stock_once(volumes, counted)

    figures = [
        _rounds(f"{MANY} volumes at once: mfs-autonomy map ({driver})", why, once, rounds, say),
        _rounds(f"{MANY} volumes at once: mfsbdev map, without -d", _no_mfsbdev(), stock_once, rounds, say),
    ]
    shutil.rmtree(folder)
    return figures


def _rounds(what: str, why_not: str, once: Callable[[int, Counted], None], rounds: int, say: Say) -> Figure:
    if why_not:
        return Figure(what, (), why_not)
    counted = Counted()
    for number in range(rounds):
        say(f"{what}: {number + 1} of {rounds}; {counted.collided} collided, {counted.refused} refused")
        once(number, counted)
    return counted.figure(what)


def _ours_once(volumes: Sequence[Path], places: Path, driver: str, counted: Counted) -> None:
    try:
        mapped = _at_once([ours(places, "map", volume, "--driver", driver) for volume in volumes], counted)
        pairs = [
            (volume, said.split(" -> ")[1].split()[0]) for volume, said in zip(volumes, mapped, strict=True) if said
        ]
        counted.collided += collisions(dict(pairs))
    finally:  # also of what was being mapped when somebody interrupted it
        let_go = Counted()
        _at_once([ours(places, "unmap", volume) for volume in volumes], let_go)
    if let_go.refused:
        raise Failed(f"{let_go.refused} of {MANY} volumes cannot be let go: {let_go.said}")


def _at_once(commands: Sequence[Sequence[object]], counted: Counted) -> list[str]:
    """What each said; empty where it was refused."""
    started, pipe = list[subprocess.Popen[str]](), subprocess.PIPE

    def all_ended() -> None:
        for words in commands:
            given = [str(word) for word in words]
            started.append(subprocess.Popen(given, stdout=pipe, stderr=pipe, text=True, env=environment()))
        for one in started:
            one.wait(WITHIN_S)

    try:
        counted.values_s.append(took(all_ended))
    finally:
        for one in started:
            one.terminate()  # nothing, where it has ended
    said = [one.communicate() for one in started]
    for one, (_, error) in zip(started, said, strict=True):
        if one.returncode:
            counted.refused += 1
            counted.said = counted.said or " ".join(error.split())[-200:]
    return ["" if one.returncode else out for one, (out, _) in zip(started, said, strict=True)]


def collisions(devices: Mapping[Path, str]) -> int:
    """How many volumes have a device that another one has as well, or that has something else."""
    given = Counter(devices.values())
    return sum(given[device] > 1 or _begin_of(Path(device)) != _begin_of(volume) for volume, device in devices.items())


def _begin_of(path: Path) -> bytes:
    """Nothing of what cannot be read: a device that two were given answers with errors."""
    try:
        with open(path, "rb") as file:
            return file.read(SIZE_MIB * MIB)
    except OSError:
        return b""


# --- mfsbdev --------------------------------------------------------------------------------------------------


def _no_mfsbdev() -> str:
    """Why it cannot be measured; empty where it can."""
    if shutil.which("mfsbdev") is None or not SOCKET.is_socket():
        return f"not shown here: no mfsbdev is installed and listens at {SOCKET}"
    return ""


def _stock_once(volumes: Sequence[Path], counted: Counted) -> None:
    mount = next(one for one in volumes[0].parents if one.is_mount())
    inside = {f"/{volume.relative_to(mount)}": volume for volume in volumes}
    words = ["mfsbdev", "map", "-l", SOCKET]
    _at_once([[*words, "-f", file, "-n", f"bench-{volume.name}"] for file, volume in inside.items()], counted)
    rows = LISTED.finditer(command("mfsbdev", "list", "-l", SOCKET))
    devices = {row["file"]: row["device"] for row in rows if row["file"] in inside}
    counted.collided += collisions({inside[file]: device for file, device in devices.items()})
    for file in devices:
        command("mfsbdev", "unmap", "-l", SOCKET, "-f", file)
