"""How many nodes may run at once on this host: scenarios of all processes wait for their turn.

A place is a file that is locked (flock(2)) for as long as a node may run: the kernel gives it back, however its
holder ends.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from harness.procfs import host_memory_bytes, memory_limits_bytes

PLACES = Path("/run/harness-admission")
NODES_PER_CORE = 3
"""What a scenario's timing stands: three nodes on a core that also observes and writes."""
NODE_BYTES = 256 << 20
_MEMORY_SHARE = 0.8
_LOOK_EVERY_S = 0.05


def capacity(cores: int, memory_bytes: int) -> int:
    """How many nodes a host stands at once; at least one."""
    return max(1, min(cores * NODES_PER_CORE, int(memory_bytes * _MEMORY_SHARE) // NODE_BYTES))


def host_capacity() -> int:
    """The capacity of this host, or of as much of it as our control group may use."""
    return capacity(len(os.sched_getaffinity(0)), min([host_memory_bytes("MemTotal"), *memory_limits_bytes()]))


@contextmanager
def admitted(
    nodes: int, places: int, waiting: Callable[[], None] = lambda: None, directory: Path = PLACES
) -> Iterator[None]:
    """Hold ``nodes`` of this host's ``places`` (all of them for more) for the length of a block; first come, first
    served, so that a large cluster is not passed by small ones for ever. ``waiting`` is called once if it has to wait.
    """
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    wanted = min(nodes, places)
    with ExitStack() as held:
        with (directory / "queue").open("a") as queue:
            if not _locked(queue):
                waiting()
                waiting = _nothing
                fcntl.flock(queue, fcntl.LOCK_EX)
            while wanted := wanted - _take(wanted, places, directory, held):
                waiting()
                waiting = _nothing
                time.sleep(_LOOK_EVERY_S)
        yield


def _take(wanted: int, places: int, directory: Path, held: ExitStack) -> int:
    """Take up to ``wanted`` free places; says how many."""
    taken = 0
    for number in range(places):
        if taken == wanted:
            break
        place = (directory / f"place-{number}").open("a")
        if _locked(place):
            held.enter_context(place)
            taken += 1
        else:
            place.close()
    return taken


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _nothing() -> None:
    """Has been said already."""
