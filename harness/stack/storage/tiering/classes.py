"""Storage classes of MooseFS 4, by its own tools: mfscli(1), mfsgetsclass(1), mfsxchgsclass(1).

A goal is a class since MooseFS 3, and mfssetgoal only calls mfssetsclass. A class is exchanged, not set: the master
compares and sets in one step, so that what a person chose a moment ago is never overwritten.
"""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ..mapping.drivers.commands import run
from ..mapping.ports import PortFailed
from ..moosefs import MasterSilent, summary, within_reach
from ..mounts import Mount, master_of, mount_of
from .core import Cluster, StorageClass, unfit, unsafe

WITHIN_S = 10.0
FULFILLED = 3
"""Of `can_be_fulfilled`; others are: overloaded, no space, no servers."""
_COUNTED = re.compile(r"(?:files|directories) with storage class : (.*?) :\s*(?:count\s*:\s*)?(\d+)", re.DOTALL)


def mount_for(path: Path) -> Mount:
    """The MooseFS that a path is on. Raises PortFailed, OSError where its master is silent."""
    mount = mount_of(path)
    if not mount.is_moosefs:
        raise PortFailed(f"{path} is not on a MooseFS: only that has storage classes")
    within_reach(path)
    return mount


def cluster_of(mount: Mount) -> Cluster:
    """What its master says; why not, where it does not."""
    host, port = master_of(mount)
    try:
        chunks = summary(host, port).chunks
        classes = read(_asked(host, port))
    except (MasterSilent, PortFailed) as error:
        return Cluster(error=f"the master cannot be asked: {error}")
    try:
        missing, endangered, undergoal = (int(chunks[name]) for name in ("missing", "endangered", "undergoal"))
    except (KeyError, ValueError):
        return Cluster(error="the master does not say how many chunks are endangered")
    return Cluster(missing, endangered, undergoal, classes)


def _asked(host: str, port: int) -> str:
    try:
        done = subprocess.run(
            ["mfscli", "-H", host, "-P", str(port), "-j", "-SSC"],
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PortFailed(f"mfscli: {error}") from error
    if done.returncode:
        raise PortFailed(f"mfscli: {' '.join((done.stdout + done.stderr).split())}")
    return done.stdout


def read(said: str) -> Mapping[str, StorageClass]:
    """From the JSON of mfscli. Raises PortFailed."""
    try:
        rows = json.loads(said)["dataset"]["storage_classes"]
        return {str(row["sclassname"]): _class(str(row["sclassname"]), row["storage_modes"]) for row in rows}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PortFailed(f"mfscli tells of storage classes in words that are not understood: {error!r}") from error


def _class(name: str, states: Mapping[str, Mapping[str, int]]) -> StorageClass:
    """What is in the trash does not count: nobody reads it."""
    lasting = [state for which, state in states.items() if which != "trash"]
    copies = [state["full_copies"] or state["ec_chksum_parts"] + 1 for state in lasting]
    return StorageClass(name, min(copies), all(state["can_be_fulfilled"] == FULFILLED for state in lasting))


def class_of(path: Path) -> str:
    """Of a file, or of everything in a folder; empty where it has several. Raises PortFailed."""
    if path.is_dir():
        found = {name for name, _ in _COUNTED.findall(run(["mfsgetsclass", "-n", "-r", str(path)]))}
        return found.pop() if len(found) == 1 else ""
    return run(["mfsgetsclass", str(path)]).strip().rpartition(": ")[2]


def change(path: Path, before: str, after: str, least_copies: int) -> str:
    """Give a volume another class, where that is safe now. What was done. Raises PortFailed, OSError."""
    cluster = cluster_of(mount_for(path))
    if why := unsafe(cluster) or unfit(cluster, after, least_copies):
        raise PortFailed(f"{path} keeps {before}: {why}")
    recursive = ["-r"] if path.is_dir() else []
    said = run(["mfsxchgsclass", *recursive, before, after, str(path)])
    found = class_of(path)
    if found != after:
        raise PortFailed(f"{path} has {found or 'several classes'}, not {after}: {' '.join(said.split())}")
    return f"{path} has {after}, it had {before}"
