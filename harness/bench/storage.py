"""Moves, maps, preflight and the daemon of mfs-autonomy, beside what a person would use instead."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.bench import storage_cycles, storage_daemon, storage_maps, storage_parallel
from harness.bench.figures import Figure, markdown
from harness.bench.storage_program import (
    WITHIN_S,
    Failed,
    Say,
    Series,
    command,
    environment,
    in_turns,
    make,
    median,
    ours,
    took,
)

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

*Preflight*: all its checks, for a move that is possible. *Start of Python* is part of every row of `mfs-autonomy`,
which ran here before, so that its bytecode is there."""


def run(
    where: Path, say: Say, *, runs: int, size_mib: int, idle_s: float, rounds: int, cycles: int, only: str = ""
) -> str:
    """The section; ``where`` is on the file system that is measured."""
    began_s, load = time.monotonic(), os.getloadavg()[0]
    methods, figures, lines = [METHOD], list[Figure](), list[str]()
    command(*ours(where, "--help"))  # loads all of it, so that its bytecode is there
    if only in ("", "moves"):
        for kind in ("dense", "80 % holes"):
            figures += _moves(kind, size_mib, runs, where, say)
    if only in ("", "maps"):
        figures += storage_maps.maps(runs, where, say)
    if only in ("", "parallel"):
        methods.append(storage_parallel.METHOD)
        figures += storage_parallel.measured(rounds, where, say)
    if only in ("", "throughput"):
        figures += storage_maps.throughput(runs, size_mib, where, say)
    if only in ("", "preflight"):
        figures += _preflight(runs, where, say)
    for part, module, amount in (("cycles", storage_cycles, cycles), ("daemon", storage_daemon, idle_s)):
        if only in ("", part):
            told = module.measured(amount, where, say)
            methods.append(module.METHOD)
            figures += told.figures
            lines += told.lines
    loads = f"{load:.1f} before and {os.getloadavg()[0]:.1f} after"
    ended = f"The load of the host was {loads}; it took {time.monotonic() - began_s:.0f} s."
    return "\n".join([markdown("Storage", "\n\n".join(methods), figures), *lines, ended, ""])


# --- moves ------------------------------------------------------------------------------------------------------


def _moves(kind: str, size_mib: int, runs: int, where: Path, say: Say) -> list[Figure]:
    folder = where / "moves"
    (folder / "to").mkdir(parents=True)
    source, target = folder / "volume", folder / "to/volume"
    say(f"making a file of {size_mib} MiB, {kind}")
    make(source, size_mib, holes=kind != "dense")

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
    in_turns(there, runs, say)
    shutil.rmtree(folder)
    measured = {one.what: one for one in there}
    middle = median(there[0].values_s)
    return [
        measured[what].figure(_compared(middle, measured[what]))
        if what in measured
        else Figure(what, (), f"{program} is not installed here")
        for what, (program, _) in named.items()
    ]


def _compared(ours_s: float, other: Series) -> str:
    """How long ours took, in times of the other."""
    return "" if "mfs-autonomy" in other.what else f"ours takes {ours_s / median(other.values_s):.2f} times as long"


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


def _preflight(runs: int, where: Path, say: Say) -> list[Figure]:
    (where / "preflight").mkdir()
    volume = where / "preflight/volume"
    make(volume, 64, holes=False)
    words = ours(where, "preflight", volume, where / "preflight/other", "--json")
    series = Series("mfs-autonomy preflight", lambda: took(lambda: _looked(words)))
    in_turns((series,), 2 * runs, say)
    shutil.rmtree(where / "preflight")
    return [series.figure("all checks")]


def _looked(words: Sequence[object]) -> None:
    """Whatever it finds: how risky a move is here is not what is measured."""
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, check=False, timeout=WITHIN_S, env=environment()
    )
    if b'"total"' not in done.stdout:
        raise Failed(f"preflight: {done.stderr.decode()[-300:]}")
