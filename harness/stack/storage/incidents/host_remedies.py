"""Remedies for what the host itself lacks: room for our own files, udev, a file system that can be written to."""

import os
import signal
import time
from pathlib import Path

from ..mapping.drivers.commands import run
from ..mapping.ports import PortFailed
from ..moves.core import Phase
from ..moves.journal import JournalDamaged, read
from ..places import Places

HISTORY_S = 86400.0
"""Whoever killed the daemon a moment ago may still ask what became of a move."""
HISTORY = (Phase.DONE, Phase.ROLLED_BACK, Phase.REFUSED)
"""Ends of which nothing is left over."""
UDEV = "systemd-udevd"
FSTAB = Path("/etc/fstab")
SYSTEMD = Path("/run/systemd/system")
PROC = Path("/proc")


def make_room(places: Places) -> str:
    """Delete journals of moves that ended more than a day ago: history, of which nothing is needed."""
    deleted = freed_bytes = 0
    for journal in sorted(places.journals.glob("*.journal")):
        try:
            seen = journal.stat()
            ended = _ended(journal.read_bytes())
        except OSError:
            continue
        if ended and time.time() - seen.st_mtime > HISTORY_S:
            journal.unlink(missing_ok=True)
            deleted, freed_bytes = deleted + 1, freed_bytes + seen.st_size
    if not deleted:
        raise PortFailed("nothing of ours is there that is not needed: make room by hand")
    return f"{deleted} journals of moves that ended are deleted, {freed_bytes >> 10} KiB"


def _ended(content: bytes) -> bool:
    try:
        move, _ = read(content)
    except JournalDamaged:
        return False
    return move is not None and move.phase in HISTORY


def wake_udev() -> str:
    """Let it go on where it was stopped, start it where it is gone."""
    states = dict(_states_of(UDEV))
    if stopped := [pid for pid, state in states.items() if state in ("T", "t")]:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        return f"process {', '.join(map(str, stopped))} goes on"
    if states:
        raise PortFailed("it runs and is at work: udevadm settle; look at what its rules wait for")
    if not SYSTEMD.is_dir():
        raise PortFailed(f"no {UDEV} runs, and systemd does not either, which could start it")
    run(["systemctl", "start", f"{UDEV}.service"])
    return "it was started"


def _states_of(program: str) -> list[tuple[int, str]]:
    """Processes of that name, and the state of each (proc(5), stat)."""
    found = []
    for process in PROC.glob("[0-9]*"):
        try:
            if (process / "comm").read_text().strip() == program:
                found.append((int(process.name), (process / "stat").read_text().rpartition(")")[2].split()[0]))
        except (OSError, IndexError):  # it has ended
            continue
    return found


def mount_for_writing(point: str, fstab: Path = FSTAB) -> str:
    """Where the host's own table has the mount for writing: else somebody wants it read-only, or did it by hand."""
    try:
        lines = [line.split() for line in fstab.read_text().splitlines() if not line.lstrip().startswith("#")]
    except OSError as error:
        raise PortFailed(f"{fstab}: {error.strerror}") from error
    options = [line[3].split(",") for line in lines if len(line) > 3 and line[1].rstrip("/") == point.rstrip("/")]
    if not options:
        raise PortFailed(f"{fstab} does not have {point}: whoever mounted it knows whether it is to be written to")
    if "ro" in options[-1]:
        raise PortFailed(f"{fstab} has {point} read-only: somebody wants it so")
    # Without its helper: that would mount a second time.
    run(["mount", "-i", "-o", "remount,rw", point])
    return f"{point} is mounted for writing"
