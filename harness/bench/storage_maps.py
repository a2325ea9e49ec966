"""Volumes mapped by `mfs-autonomy`: how long it takes, what goes through, and whether two are ever given one device."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from harness.bench.figures import Figure
from harness.bench.storage_program import PROGRAM, Failed, Say, Series, command, in_turns, make, median, ours, took
from harness.procfs import command_words


def no_userspace() -> str:
    """Why the driver userspace cannot be used; empty where it can."""
    missing = [name for name in ("nbdkit", "nbdfuse", "fusermount3", "losetup") if shutil.which(name) is None]
    if missing or not Path("/dev/fuse").exists() or not Path("/dev/loop-control").exists():
        return f"not shown here: {', '.join(missing) or '/dev/fuse or /dev/loop-control'} is missing"
    return ""


def driver_here() -> tuple[str, str]:
    """The kernel's NBD where there is one, else `userspace`; and why that cannot be used either."""
    if Path("/sys/block/nbd0").exists() and shutil.which("nbd-client"):
        return "nbd-client", ""
    return "userspace", no_userspace()


def throughput(runs: int, size_mib: int, where: Path, say: Say) -> list[Figure]:
    driver, why = driver_here()
    if why:
        return [Figure("throughput of a mapped device", (), why)]
    volume, other = where / "volume", where / "other"
    make(volume, size_mib, holes=False)
    make(other, size_mib, holes=False)
    device = command(*ours(where, "map", volume, "--driver", driver)).split(" -> ")[1].split()[0]
    options = ("bs=1M", f"count={size_mib}", "status=none")

    def copied(*words: str) -> Callable[[], float]:
        return lambda: took(lambda: command("dd", *words, *options))

    try:
        series = {
            way: tuple(
                Series(f"{size_mib} MiB, {way}: {what}", copied(*direct(path)))
                for what, path in (("the file", str(other)), (f"its device ({driver})", device))
            )
            for way, direct in (
                ("read", lambda path: (f"if={path}", "of=/dev/null", "iflag=direct")),
                ("written", lambda path: ("if=/dev/zero", f"of={path}", "oflag=direct", "conv=notrunc,fsync")),
            )
        }
        in_turns([one for pair in series.values() for one in pair], 2 * runs, say)
    finally:
        command(*ours(where, "unmap", volume))
        volume.unlink()
        other.unlink()
    figures = []
    for file, mapped in series.values():
        share = 100 * (median(mapped.values_s) / median(file.values_s) - 1)
        figures += [file.figure(), mapped.figure(f"{share:.0f} % longer than the file")]
    return figures


def maps(runs: int, where: Path, say: Say) -> list[Figure]:
    if why := no_userspace():
        return [Figure("map and unmap with the driver userspace", (), why)]
    volume = where / "mapped"
    make(volume, 64, holes=False)
    bare = _Bare(volume, where)

    def timed(*words: object) -> Callable[[], float]:
        return lambda: took(lambda: command(*words))

    map_ = Series("mfs-autonomy map", timed(*ours(where, "map", volume, "--driver", "userspace")))
    unmap = Series("mfs-autonomy unmap", timed(*ours(where, "unmap", volume)))
    start = Series("start of Python: mfs-autonomy map --help", timed(sys.executable, "-m", PROGRAM, "map", "--help"))
    up, down = Series("bare: nbdkit, nbdfuse, losetup", bare.up), Series("bare: the same backwards", bare.down)
    try:
        in_turns((map_, unmap, up, down, start), 2 * runs, say)
    finally:
        bare.remove()
    volume.unlink()
    over_ms = 1000 * (median(map_.values_s) - median(up.values_s))
    own_ms = over_ms - 1000 * median(start.values_s)
    remark = f"{over_ms:.0f} ms more than bare, {own_ms:.0f} ms without the start of Python"
    return [map_.figure(remark), up.figure(), unmap.figure("with its cool-down of 1 s"), down.figure(), start.figure()]


class _Bare:
    """The three programs of the driver, by hand."""

    def __init__(self, volume: Path, where: Path) -> None:
        self._volume, self._shown = volume, where / "shown"
        self._socket, self._pid_file = where / "bare.sock", where / "bare.pid"
        self._fuse: subprocess.Popen[bytes] | None = None
        self._loop = ""

    def up(self) -> float:
        """Until the device is there."""
        began_s = time.monotonic()
        command("nbdkit", "-U", self._socket, "-P", self._pid_file, "file", f"file={self._volume}")
        _until(self._pid_file.exists)
        self._shown.touch()
        address = f"nbd+unix:///?socket={self._socket}"
        self._fuse = subprocess.Popen(["nbdfuse", str(self._shown), address])
        _until(lambda: os.path.ismount(self._shown))
        self._loop = command("losetup", "--find", "--show", "--direct-io=on", self._shown).strip()
        return time.monotonic() - began_s

    def down(self) -> float:
        """Until the server has ended."""
        began_s = time.monotonic()
        self.remove()
        return time.monotonic() - began_s

    def remove(self) -> None:
        """What is there of it."""
        if self._loop:
            command("losetup", "-d", self._loop)
            backing = Path("/sys/block", Path(self._loop).name, "loop/backing_file")
            _until(lambda: not backing.exists())
            self._loop = ""
        if self._fuse is not None:
            command("fusermount3", "-u", self._shown)
            self._fuse.wait(20)
            self._fuse = None
        if self._pid_file.exists():
            pid = int(self._pid_file.read_text())
            os.kill(pid, 15)
            _until(lambda: not command_words(pid))  # also of one that has ended, and nobody took note of
            self._pid_file.unlink(missing_ok=True)
        self._socket.unlink(missing_ok=True)
        self._shown.unlink(missing_ok=True)


def _until(holds: Callable[[], bool], within_s: float = 20.0) -> None:
    end_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end_s:
            raise Failed(f"not within {within_s:g} s")
        time.sleep(0.001)
