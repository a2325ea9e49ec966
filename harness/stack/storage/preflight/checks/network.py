"""The way to the storage."""

import socket
import time
from pathlib import Path

from ...mounts import Mount, master_of, mount_of
from ..core import Seen, Weight
from ..operation import Operation
from ..run import Checks

CHECKS = Checks("network")
SLOW_S = 0.05
NETWORK = Path("/sys/class/net")


@CHECKS.check("loopback-is-up", Weight.SERIOUS, "the interface lo is up", "ip link set lo up")
def _(operation: Operation) -> Seen:
    flags = int((NETWORK / "lo" / "flags").read_text(), 16)
    return Seen(bool(flags & 1), f"lo is {'up' if flags & 1 else 'down'}")


@CHECKS.check("a-link-is-up", Weight.CRITICAL, "an interface leads to the storage", "plug the cable, set the link up")
def _(operation: Operation) -> Seen:
    if not _remote(operation):
        return Seen(None, "both file systems are local")
    states = {path.name: (path / "operstate").read_text().strip() for path in NETWORK.iterdir() if path.name != "lo"}
    up = sorted(name for name, state in states.items() if state in ("up", "unknown"))
    return Seen(bool(up), f"up: {', '.join(up) or 'none'}")


@CHECKS.check("links-lose-nothing", Weight.WARNING, "no interface counts errors", "look at cable and driver")
def _(operation: Operation) -> Seen:
    if not _remote(operation):
        return Seen(None, "both file systems are local")
    bad = []
    for path in NETWORK.iterdir():
        errors = sum(int((path / "statistics" / name).read_text()) for name in ("rx_errors", "tx_errors"))
        bad += [f"{path.name}: {errors}"] if errors else []
    return Seen(not bad, ", ".join(bad) or "none does")


@CHECKS.check("master-is-near", Weight.WARNING, "the master answers within 50 ms", "look for load or loss on the way")
def _(operation: Operation) -> Seen:
    masters = {master_of(mount) for mount in _remote(operation) if mount.is_moosefs}
    if not masters:
        return Seen(None, "no MooseFS is concerned")
    slowest_s = 0.0
    for host, port in masters:
        began_s = time.monotonic()
        socket.create_connection((host, port), 3).close()
        slowest_s = max(slowest_s, time.monotonic() - began_s)
    return Seen(slowest_s < SLOW_S, f"connected in {1000 * slowest_s:.0f} ms")


def _remote(operation: Operation) -> list[Mount]:
    mounts = [mount_of(path.parent.resolve()) for path in (operation.source, operation.target)]
    return [mount for mount in mounts if mount.is_remote]
