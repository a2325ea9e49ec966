"""One look at folders of volumes: what they are, how they are used, and what is due."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..mapping.ports import PortFailed
from .classes import class_of, cluster_of, mount_for
from .core import NOTHING, UNSPENT, Cluster, Past, Plan, Policy, Spent, Volume, decide
from .use import Folder, Rates, entries, idle_s, rate_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """As the settings say."""

    folders: tuple[Folder, ...]
    policy: Policy
    every_s: int = 600


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, and what is due."""

    volumes: tuple[Volume, ...] = ()
    plan: Plan = NOTHING


def look(
    wanted: Wanted,
    rates: Rates,
    devices: Mapping[str, str],
    past: Mapping[str, Past],
    spent: Spent = UNSPENT,
) -> Look:
    """``devices``: volumes that are mapped here. Raises PortFailed, OSError where the master is silent."""
    cluster = _cluster([folder.path for folder in wanted.folders])
    moving = rates.look(devices, time.monotonic())
    volumes = []
    for entry, folder in entries(wanted.folders):
        before = past.get(str(entry.path), Past())
        volumes.append(
            Volume(
                str(entry.path),
                class_of(entry.path),
                entry.size_bytes,
                idle_s(entry),
                rate_of(entry, moving),
                folder.least_copies,
                before.changed_ago_s,
                before.asked,
            )
        )
    return Look(tuple(volumes), decide(wanted.policy, volumes, cluster, spent))


def _cluster(folders: Sequence[Path]) -> Cluster:
    """All folders are on one MooseFS: its chunks are what is waited for. Raises PortFailed, OSError."""
    mounts = {mount.device: mount for mount in map(mount_for, folders)}
    if len(mounts) > 1:
        raise PortFailed(f"the folders are on several MooseFS ({', '.join(sorted(mounts))}): name those of one")
    return cluster_of(next(iter(mounts.values())))
