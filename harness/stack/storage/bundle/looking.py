"""What of the host goes into a bundle: of the kernel, of programs, of logs. Nothing is changed, or waited for long."""

import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

_AT = re.compile(r'\{"at": "([^"]+)"')
COMMAND_S = 15.0
FILES = (
    "/proc/version",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/modules",
    "/proc/partitions",
    "/proc/swaps",
    "/proc/locks",
    "/proc/self/mountinfo",
    "/proc/sys/kernel/random/boot_id",
    "/etc/os-release",
    "/sys/module/nbd/parameters/max_part",
    "/sys/module/nbd/parameters/nbds_max",
)
OF_A_DEVICE = ("pid", "backend", "size", "ro", "inflight", "queue/logical_block_size", "loop/backing_file")
PACKAGES = (
    "mfs-autonomy",
    "moosefs-client",
    "moosefs-master",
    "moosefs-chunkserver",
    "moosefs-metalogger",
    "moosefs-cli",
    "nbd-client",
    "nbdkit",
    "libnbd-bin",
    "fuse3",
    "qemu-server",
    "pve-qemu-kvm",
    "qemu-system-x86",
    "python3",
    "python3-fastapi",
    "python3-uvicorn",
)


def kernel() -> str:
    """Files of proc and sysfs, and each device of NBD, and each loop device that has something below it."""
    found = [f"# {name}\n{_read(Path(name))}" for name in FILES]
    for device in sorted(Path("/sys/block").glob("nbd*")) + sorted(Path("/sys/block").glob("loop*/loop")):
        root = device.parent if device.name == "loop" else device
        rows = [f"{name}: {_read(root / name).strip()}" for name in OF_A_DEVICE if (root / name).exists()]
        holders = sorted(one.name for one in (root / "holders").glob("*"))
        found.append("\n".join([f"# {root}", *rows, f"holders: {', '.join(holders) or 'none'}"]))
    return "\n\n".join(found) + "\n"


def kernel_log(hours: float) -> str:
    """What the kernel said."""
    since = ["--since", f"-{int(hours * 3600)}s"]
    said = _said(["journalctl", "--dmesg", "--no-pager", "--quiet", "--output=short-iso", *since])
    return said or _said(["dmesg", "--time-format", "iso"]) or "nothing, or it may not be read here\n"


def daemon_log(hours: float, files: Sequence[Path]) -> str:
    """What the daemon said to the journal, and what is in files that it was written to instead."""
    since = ["--since", f"-{int(hours * 3600)}s"]
    journal = _said(["journalctl", "--unit=mfs-autonomy", "--no-pager", "--quiet", "--output=cat", *since])
    began = (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="milliseconds")
    written = [_since(_read(one), began) for one in files]
    return "".join([journal or "# the journal has nothing of mfs-autonomy\n", *written])


def _since(text: str, began: str) -> str:
    """Lines that do not say when they were written belong to the one before them."""
    kept, wanted = [], True
    for line in text.splitlines(keepends=True):
        if found := _AT.match(line):
            wanted = found[1] >= began
        kept += [line] if wanted else []
    return "".join(kept)


def packages() -> dict[str, str]:
    """Name -> version of what is installed of it."""
    said = _said(["dpkg-query", "--show", "--showformat=${binary:Package} ${Version} ${db:Status-Abbrev}\n", *PACKAGES])
    rows = [line.split() for line in said.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) > 2 and row[2].startswith("ii")}


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        return f"({error.strerror})\n"


def _said(command: Sequence[str]) -> str:
    """Without its errors; empty where it cannot be asked."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=COMMAND_S, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
