"""A volume mapped and let go again and again by one process: what is there more of afterwards."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.bench.figures import Figure, Measured, grid
from harness.bench.storage_maps import driver_here
from harness.bench.storage_program import WITHIN_S, Failed, Say, command, make, ours
from harness.procfs import command_words

METHOD = """\
*Again and again*: one process, as the daemon is one, maps a volume and lets it go, so many times. What there is of
everything that could be left is counted from outside after the first time and after the last. An unmap holds its index
for a cool-down of 1 s by design."""
SIZE_MIB = 1
LOCKS = Path("/proc/locks")
PROGRAM = """
import sys
from pathlib import Path
from harness.stack.storage.mapping.volumes import map_volume, unmap_volume, way_to
from harness.stack.storage.places import Places
folder, driver = sys.argv[1:]
places, file = Places(Path(folder, "state"), Path(folder, "run")), Path(folder, "volume")
for _ in sys.stdin:
    map_volume(places, file, way_to(places, file, driver))
    unmap_volume(places, file)
    print("let go", flush=True)
"""
Counts = dict[str, int]


def measured(cycles: int, where: Path, say: Say) -> Measured:
    """So many times."""
    driver, why = driver_here()
    what = f"map and unmap, again and again ({driver})"
    if why:
        return Measured([Figure(what, (), why)], [])
    folder = where / "cycles"
    folder.mkdir()
    make(folder / "volume", SIZE_MIB, holes=False)
    try:
        with _cycling(folder, driver) as process:
            _once(process)
            before, values = counts(process.pid, folder), list[float]()
            for number in range(cycles):
                say(f"{what}: {number + 1} of {cycles}")
                values.append(_once(process))
            after = counts(process.pid, folder)
    finally:
        command(*ours(folder, "unmap", folder / "volume"))  # nothing, unless a cycle was not ended
    shutil.rmtree(folder)
    return Measured([Figure(what, tuple(values), told(before, after))], lines(before, after, cycles))


@contextmanager
def _cycling(folder: Path, driver: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Ends after the cycle that it is in, also when somebody interrupts the measurement."""
    words, pipe = [sys.executable, "-c", PROGRAM, str(folder), driver], subprocess.PIPE
    process = subprocess.Popen(words, stdin=pipe, stdout=pipe, bufsize=0, start_new_session=True)
    try:
        yield process
    finally:
        process.communicate(timeout=WITHIN_S)


def _once(process: "subprocess.Popen[bytes]") -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    began_s = time.monotonic()
    try:
        process.stdin.write(b"again\n")
        said = process.stdout.readline()
    except BrokenPipeError:
        said = b""
    if not said:
        raise Failed("a cycle of map and unmap failed; what it said stands above")
    return time.monotonic() - began_s


def counts(pid: int, folder: Path) -> Counts:
    """What there is of everything that a cycle takes."""
    files = list(folder.rglob("*"))
    places = {f"{os.major(seen.st_dev):02x}:{os.minor(seen.st_dev):02x}:{seen.st_ino}" for seen in map(os.lstat, files)}
    return {
        "descriptors of the process": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "its threads": len(list(Path(f"/proc/{pid}/task").iterdir())),
        "locks": sum(line.split()[-3] in places for line in LOCKS.read_text().splitlines()),
        "other processes": sum(str(folder) in " ".join(words) for words in _others(pid)),
        "mounts": Path("/proc/self/mounts").read_text().count(f" {folder}/"),
        "devices": sum(_is_of(device, folder) for device in Path("/sys/block").iterdir()),
        # A lock's file is never deleted, and there is one for each index that was ever tried.
        "files": sum(one.suffix != ".lock" for one in files),
    }


def _others(pid: int) -> list[tuple[str, ...]]:
    return [
        command_words(int(one.name)) for one in Path("/proc").iterdir() if one.name.isdigit() and int(one.name) != pid
    ]


def _is_of(device: Path, folder: Path) -> bool:
    """A loop device over one of our files; of the kernel's NBD, which does not say whose it is, any that is used."""
    try:
        return (device / "loop/backing_file").read_text().startswith(f"{folder}/")
    except OSError:
        return device.name.startswith("nbd") and (device / "pid").exists()


def told(before: Counts, after: Counts) -> str:
    """One remark."""
    more = [f"{after[what] - before[what]:+d} {what}" for what in before if after[what] != before[what]]
    return f"afterwards: {', '.join(more)}" if more else "nothing is left of them"


def lines(before: Counts, after: Counts, cycles: int) -> list[str]:
    """A table."""
    header = ("what could be left", "after 1", f"after {cycles + 1}")
    return [*grid(header, [(what, str(before[what]), str(after[what])) for what in before], header[1:]), ""]
