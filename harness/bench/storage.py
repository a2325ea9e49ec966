"""Moves, maps, preflight and the daemon of mfs-autonomy, beside what a person would use instead."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.bench import storage_daemon
from harness.bench.figures import Figure, markdown
from harness.errors import HarnessError
from harness.procfs import command_words

METHOD = """\
The command line of `mfs-autonomy`, each time as a process of its own, beside the tools that a person would use
instead; of all tools of one comparison one run follows the other, round by round, so that whatever the host does
meanwhile meets all of them.

*Moves*: one file from a folder to another of the same file system, with `--keep-source --grace 0` (so preflight,
safety snapshot, journal, copy with a digest, and a target that is read past the page cache and compared; only the
deletion is left out). Peers end with `sync` of the target. The source is out of the page cache before each. *By hand*
is what verifies as much: `cp`, `sync`, a digest of the source and one of the target, read past the page cache. Holes:
four fifths of the file, in pieces of 1 MiB at random places.

*Maps*: the driver `userspace` (nbdkit, nbdfuse, a loop device: no kernel NBD); bare is the same three programs,
started and ended by a script, without lock, record, proof or cool-down. An unmap holds its index for a cool-down of 1
s by design.

*Throughput*: `dd` past the page cache, 1 MiB at a time, of a file and of a device of one as large, in turn, each way;
writes end with a sync. The driver is the kernel's NBD where there is one, else `userspace`, which is slower by nature.

*Preflight*: all its checks, for a move that is possible. *Start of Python* is part of every row of `mfs-autonomy`."""
MIB = 1 << 20
PROGRAM = "harness.stack.storage"
WITHIN_S = 300.0
SEED = 20
Say = Callable[[str], None]


class Failed(HarnessError):
    """A tool did not do what is measured."""


@dataclass
class Series:
    """What is measured in turns: each ``work`` once a round."""

    what: str
    work: Callable[[], float]
    """Seconds."""
    values_s: list[float] = field(default_factory=list)

    def figure(self, remark: str = "") -> Figure:
        """Its row."""
        return Figure(self.what, tuple(self.values_s), remark)


def run(where: Path, say: Say, *, runs: int, size_mib: int, idle_s: float, only: str = "") -> str:
    """The section; ``where`` is on the file system that is measured."""
    began_s, load = time.monotonic(), os.getloadavg()[0]
    figures: list[Figure] = []
    if only in ("", "moves"):
        for kind in ("dense", "80 % holes"):
            figures += _moves(kind, size_mib, runs, where, say)
    if only in ("", "maps"):
        figures += _maps(runs, where, say)
    if only in ("", "throughput"):
        figures += _throughput(runs, size_mib, where, say)
    if only in ("", "preflight"):
        figures += _preflight(runs, where, say)
    told = storage_daemon.measured(idle_s, where, say) if only in ("", "daemon") else None
    figures += told.figures if told else []
    section = markdown("Storage", METHOD + ("\n\n" + storage_daemon.METHOD if told else ""), figures)
    loads = f"{load:.1f} before and {os.getloadavg()[0]:.1f} after"
    took = f"The load of the host was {loads}; it took {time.monotonic() - began_s:.0f} s."
    return "\n".join([section, *(told.lines if told else ()), took, ""])


def _in_turns(series: Sequence[Series], runs: int, say: Say) -> None:
    for number in range(runs):
        for one in series:
            say(f"{one.what}: {number + 1} of {runs}")
            one.values_s.append(one.work())


def command(*words: object, code: int = 0) -> str:
    """What it said; any other exit code is a failure of the measurement."""
    done = subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )
    if done.returncode != code:
        raise Failed(
            f"{' '.join(map(str, words[:3]))} ended with {done.returncode}: {(done.stderr or done.stdout)[-300:]}"
        )
    return done.stdout


def ours(where: Path, *arguments: object) -> list[object]:
    """`mfs-autonomy` with state of its own."""
    return [sys.executable, "-m", PROGRAM, "--state", where / "state", "--run", where / "run", *arguments]


# --- moves ------------------------------------------------------------------------------------------------------


def _moves(kind: str, size_mib: int, runs: int, where: Path, say: Say) -> list[Figure]:
    folder = where / "moves"
    (folder / "to").mkdir(parents=True)
    source, target = folder / "volume", folder / "to/volume"
    say(f"making a file of {size_mib} MiB, {kind}")
    _make(source, size_mib, holes=kind != "dense")

    def copied(*words: object) -> Callable[[], float]:
        def work() -> float:
            return _timed(source, target, lambda: (command(*words), command("sync", target)))

        return work

    def moved() -> float:
        words = ours(where, "move", source, target, "--keep-source", "--grace", "0")
        return _timed(source, target, lambda: command(*words))

    def by_hand() -> float:
        return _timed(source, target, lambda: _verified_copy(source, target))

    tools: dict[str, tuple[str, Callable[[], float]]] = {
        "mfs-autonomy move": ("", moved),
        "cp --sparse=always, sync": ("cp", copied("cp", "--sparse=always", source, target)),
        "by hand: cp, sync, two digests": ("cp", by_hand),
        "qemu-img convert, sync": ("qemu-img", copied("qemu-img", "convert", "-O", "raw", source, target)),
        "nbdcopy, sync": ("nbdcopy", copied("nbdcopy", source, target)),
    }
    named = {f"{size_mib} MiB, {kind}: {what}": tool for what, tool in tools.items()}
    there = [Series(what, work) for what, (program, work) in named.items() if not program or shutil.which(program)]
    _in_turns(there, runs, say)
    shutil.rmtree(folder)
    measured = {one.what: one for one in there}
    middle = _median(there[0].values_s)
    return [
        measured[what].figure(_compared(middle, measured[what]))
        if what in measured
        else Figure(what, (), f"{program} is not installed here")
        for what, (program, _) in named.items()
    ]


def _compared(ours_s: float, other: Series) -> str:
    """How long ours took, in times of the other."""
    return "" if "mfs-autonomy" in other.what else f"ours takes {ours_s / _median(other.values_s):.2f} times as long"


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _make(path: Path, size_mib: int, *, holes: bool) -> None:
    """Of chance, so that nothing on the way makes it smaller."""
    chance = random.Random(SEED)
    with open(path, "wb") as file:
        file.truncate(size_mib * MIB)
        for number in range(size_mib):
            if holes and chance.random() < 0.8:
                continue
            file.seek(number * MIB)
            file.write(chance.randbytes(MIB))
        file.flush()
        os.fsync(file.fileno())


def _timed(source: Path, target: Path, work: Callable[[], object]) -> float:
    """From a source that is not cached to a target that was not there."""
    target.unlink(missing_ok=True)
    with open(source, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    began_s = time.monotonic()
    work()
    took_s = time.monotonic() - began_s
    if target.stat().st_size != source.stat().st_size:
        raise Failed(f"{target} is not as large as {source}")
    target.unlink()
    return took_s


def _verified_copy(source: Path, target: Path) -> None:
    command("cp", "--sparse=always", source, target)
    command("sync", target)
    digests = [
        command("sh", "-c", f"dd if='{path}' bs=1M {how} status=none | sha256sum")
        for path, how in ((source, ""), (target, "iflag=direct"))
    ]
    if digests[0] != digests[1]:
        raise Failed("the copy by hand is another one")


# --- maps -------------------------------------------------------------------------------------------------------


def _no_userspace() -> str:
    """Why the driver userspace cannot be used; empty where it can."""
    missing = [name for name in ("nbdkit", "nbdfuse", "fusermount3", "losetup") if shutil.which(name) is None]
    if missing or not Path("/dev/fuse").exists() or not Path("/dev/loop-control").exists():
        return f"not shown here: {', '.join(missing) or '/dev/fuse or /dev/loop-control'} is missing"
    return ""


def _throughput(runs: int, size_mib: int, where: Path, say: Say) -> list[Figure]:
    driver = "nbd-client" if Path("/sys/block/nbd0").exists() and shutil.which("nbd-client") else "userspace"
    if driver == "userspace" and (why := _no_userspace()):
        return [Figure("throughput of a mapped device", (), why)]
    volume, other = where / "volume", where / "other"
    _make(volume, size_mib, holes=False)
    _make(other, size_mib, holes=False)
    device = command(*ours(where, "map", volume, "--driver", driver)).split(" -> ")[1].split()[0]
    options = ("bs=1M", f"count={size_mib}", "status=none")

    def copied(*words: str) -> Callable[[], float]:
        return lambda: _took(lambda: command("dd", *words, *options))

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
        _in_turns([one for pair in series.values() for one in pair], 2 * runs, say)
    finally:
        command(*ours(where, "unmap", volume))
        volume.unlink()
        other.unlink()
    figures = []
    for file, mapped in series.values():
        share = 100 * (_median(mapped.values_s) / _median(file.values_s) - 1)
        figures += [file.figure(), mapped.figure(f"{share:.0f} % longer than the file")]
    return figures


def _maps(runs: int, where: Path, say: Say) -> list[Figure]:
    if why := _no_userspace():
        return [Figure("map and unmap with the driver userspace", (), why)]
    volume = where / "mapped"
    _make(volume, 64, holes=False)
    bare = _Bare(volume, where)

    def timed(*words: object) -> Callable[[], float]:
        return lambda: _took(lambda: command(*words))

    map_ = Series("mfs-autonomy map", timed(*ours(where, "map", volume, "--driver", "userspace")))
    unmap = Series("mfs-autonomy unmap", timed(*ours(where, "unmap", volume)))
    start = Series("start of Python: mfs-autonomy map --help", timed(sys.executable, "-m", PROGRAM, "map", "--help"))
    up, down = Series("bare: nbdkit, nbdfuse, losetup", bare.up), Series("bare: the same backwards", bare.down)
    try:
        _in_turns((map_, unmap, up, down, start), 2 * runs, say)
    finally:
        bare.remove()
    volume.unlink()
    over_ms = 1000 * (_median(map_.values_s) - _median(up.values_s))
    own_ms = over_ms - 1000 * _median(start.values_s)
    remark = f"{over_ms:.0f} ms more than bare, {own_ms:.0f} ms without the start of Python"
    return [map_.figure(remark), up.figure(), unmap.figure("with its cool-down of 1 s"), down.figure(), start.figure()]


def _took(work: Callable[[], object]) -> float:
    began_s = time.monotonic()
    work()
    return time.monotonic() - began_s


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


def _preflight(runs: int, where: Path, say: Say) -> list[Figure]:
    (where / "preflight").mkdir()
    volume = where / "preflight/volume"
    _make(volume, 64, holes=False)
    words = ours(where, "preflight", volume, where / "preflight/other", "--json")
    series = Series("mfs-autonomy preflight", lambda: _took(lambda: _looked(words)))
    _in_turns((series,), 2 * runs, say)
    shutil.rmtree(where / "preflight")
    return [series.figure("all checks")]


def _looked(words: Sequence[object]) -> None:
    """Whatever it finds: how risky a move is here is not what is measured."""
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False, timeout=WITHIN_S)
    if b'"total"' not in done.stdout:
        raise Failed(f"preflight: {done.stderr.decode()[-300:]}")
