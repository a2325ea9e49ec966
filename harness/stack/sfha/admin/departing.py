"""Leaving a cluster without a daemon, and seeing that one has left."""

import time
from pathlib import Path

from ...kit.messages import Message, message
from ..config.load import CONFIG_PATH, MESH_PATH
from ..membership import corosync, survey
from ..mesh import wireguard
from .daemon_start import LOOK_EVERY_S, daemon_process
from .files import forget_cluster

GONE_WITHIN_S = 15.0


def leave_alone(interface: str) -> None:
    """Take the node out without anybody's help: nobody is told. Raises CorosyncError, WireGuardError and OSError."""
    if survey.look(thorough=False).ours_runs:
        corosync.stop()
    wireguard.take_down(interface)
    forget_cluster()


def what_is_left(within_s: float = GONE_WITHIN_S, paths: tuple[Path, ...] = (MESH_PATH, CONFIG_PATH)) -> Message | None:
    """Wait until a node that was told to leave has done so; what it still has after that time, else None."""
    deadline_s = time.monotonic() + within_s
    while True:
        there = [str(path) for path in paths if path.exists()]
        if not there and daemon_process() is None:
            return None
        if time.monotonic() > deadline_s:
            what = ", ".join(there) or "-"
            return message("leave.unfinished", seconds=within_s, files=what, pid=str(daemon_process() or "-"))
        time.sleep(LOOK_EVERY_S)
