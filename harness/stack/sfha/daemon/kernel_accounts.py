"""What the kernel says it has kept from us: times in which threads were ready to run and others had the processors.

Each of these is a callable that gives seconds since some fixed moment; always 0 where the kernel does not tell.
"""

import os
import threading
from contextlib import suppress
from pathlib import Path

THREADS, OWN = "/proc/self/task", "/proc/thread-self/schedstat"
"""Nanoseconds on a processor, nanoseconds waiting for one, and a count (Documentation/scheduler/sched-stats.rst)."""
PROCESSORS = Path("/proc/stat")
STOLEN = 8
"""In the line "cpu": how long another guest of this machine's host ran instead of us (proc_stat(5): steal)."""


class OwnWait:
    """How long this thread has been in the run queue."""

    def __init__(self) -> None:
        self._descriptor = -1
        with suppress(OSError):
            self._descriptor = os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)

    def __call__(self) -> float:
        try:
            return int(os.pread(self._descriptor, 128, 0).split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0


class OthersWait:
    """How long all other threads of this process than the one that made this have been in it, together."""

    def __init__(self) -> None:
        self._own = str(threading.get_native_id())

    def __call__(self) -> float:
        total_ns = 0
        with suppress(OSError), os.scandir(THREADS) as threads:
            for thread in threads:
                if thread.name != self._own:
                    with suppress(OSError, ValueError, IndexError):  # threads end
                        total_ns += int(_read(f"{thread.path}/schedstat").split()[1])
        return total_ns / 1e9


def _read(path: str) -> bytes:
    """A short file of the kernel's, for a tenth of what a file object costs: an idle daemon does it for each thread."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 128)
    finally:
        os.close(descriptor)


class Stolen:
    """How long the host of this virtual machine has kept processors from it: all of them together.

    To the kernel inside, a thread that lost its processor in this way was running all the time. Nodes of one host lose
    it at the same moment.
    """

    def __init__(self) -> None:
        self._ticks_per_s = os.sysconf("SC_CLK_TCK")

    def __call__(self) -> float:
        try:
            with PROCESSORS.open("rb") as told:
                return int(told.readline().split()[STOLEN]) / self._ticks_per_s
        except (OSError, ValueError, IndexError):
            return 0.0
