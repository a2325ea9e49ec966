"""What the kernel says of the host (proc(5), sysfs(5), ioctl_iflags(2))."""

import contextlib
import fcntl
import os
import socket
import struct
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

from ..open_files import lock_is_held
from .sight import Kernel, Link, Network

PROC, SYS = Path("/proc"), Path("/sys")
FS_IOC_GETFLAGS = 0x80086601
OOPSED = 1 << 7 | 1 << 14
"""Taint flags (admin-guide/tainted-kernels): an oops or a BUG; a soft lockup."""
UP = 0x1


def text(path: Path) -> str:
    """Empty where it cannot be read."""
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def number(path: Path) -> int | None:
    """None where there is none."""
    found = text(path)
    return int(found) if found.lstrip("-").isdigit() else None


def kernel() -> Kernel:
    """Raises OSError."""
    memory = dict(line.split(":") for line in (PROC / "meminfo").read_text().splitlines())
    files = text(PROC / "sys/fs/file-nr").split()
    threads = text(PROC / "loadavg").split()[3].partition("/")[2]
    most = [found for name in ("threads-max", "pid_max") if (found := number(PROC / "sys/kernel" / name)) is not None]
    return Kernel(
        swap_total_bytes=int(memory["SwapTotal"].split()[0]) << 10,
        swap_free_bytes=int(memory["SwapFree"].split()[0]) << 10,
        threads=int(threads),
        threads_most=min(most, default=1 << 22),
        files=int(files[0]),
        files_most=int(files[2]),
        pressure={name: share for name in ("cpu", "memory", "io") if (share := _pressure(name)) is not None},
        hanging=_hanging(),
        group_room_bytes=_group_room_bytes(),
        oopses=bool((number(PROC / "sys/kernel/tainted") or 0) & OOPSED),
        degraded=_degraded(),
        memory_errors=_memory_errors(),
        on_battery=_on_battery(),
        shutdown_scheduled=Path("/run/systemd/shutdown/scheduled").exists(),
        packages_locked=lock_is_held(Path("/var/lib/dpkg/lock")),
        swaps=tuple(line.split()[0] for line in text(PROC / "swaps").splitlines()[1:] if line.split()),
        name=socket.gethostname(),
    )


def _pressure(name: str) -> float | None:
    found = text(PROC / "pressure" / name)
    return float(found.split("avg10=")[1].split()[0]) if "avg10=" in found else None


def _hanging() -> int:
    count = 0
    for process in PROC.glob("[0-9]*"):
        count += text(process / "stat").rpartition(")")[2].split()[:1] == ["D"]
    return count


def _group_room_bytes() -> int | None:
    """Of the nearest group above us that has a limit (cgroup v2)."""
    name = next((line[3:] for line in text(PROC / "self/cgroup").splitlines() if line.startswith("0::")), None)
    if name is None:
        return None
    rooms = []
    for folder in (SYS / "fs/cgroup" / name.lstrip("/"), *(SYS / "fs/cgroup" / name.lstrip("/")).parents):
        limit, used = number(folder / "memory.max"), number(folder / "memory.current")
        if limit is not None and used is not None:
            # What only caches files is given back when it is needed.
            stat = dict(line.split() for line in text(folder / "memory.stat").splitlines() if len(line.split()) == 2)
            rooms.append(limit - used + int(stat.get("inactive_file", "0")))
        if folder == SYS / "fs/cgroup":
            break
    return min(rooms, default=None)


def _degraded() -> tuple[str, ...]:
    found = []
    for array in (SYS / "block").glob("md*"):
        if number(array / "md/degraded"):
            found.append(array.name)
    return tuple(found)


def _memory_errors() -> int | None:
    counted = [number(path) for path in (SYS / "devices/system/edac/mc").glob("mc[0-9]*/ue_count")]
    return sum(one or 0 for one in counted) if counted else None


def _on_battery() -> bool | None:
    online = [
        number(path / "online")
        for path in (SYS / "class/power_supply").glob("*")
        if text(path / "type") in ("Mains", "UPS") and number(path / "online") is not None
    ]
    return not any(online) if online else None


def network(masters: Iterable[str]) -> Network:
    """Raises OSError."""
    tcp = _table(PROC / "net/snmp", "Tcp")
    low, high = (int(one) for one in (text(PROC / "sys/net/ipv4/ip_local_port_range") or "32768 60999").split())
    sockets = dict(_pairs(line) for line in text(PROC / "net/sockstat").splitlines() if ":" in line)
    used = sockets.get("TCP", {})
    memory = (text(PROC / "sys/net/ipv4/tcp_mem") or f"0 0 {1 << 40}").split()
    return Network(
        links=_links(),
        routes=_routes(),
        sent=tcp.get("OutSegs", 0),
        sent_again=tcp.get("RetransSegs", 0),
        tracked=number(PROC / "sys/net/netfilter/nf_conntrack_count"),
        tracked_most=number(PROC / "sys/net/netfilter/nf_conntrack_max") or 0,
        sockets=used.get("inuse", 0) + used.get("tw", 0),
        ports=high - low + 1,
        socket_pages=used.get("mem", 0),
        socket_pages_most=int(memory[2]),
        silent_masters=_silent(masters),
    )


def _pairs(line: str) -> tuple[str, dict[str, int]]:
    name, _, rest = line.partition(":")
    words = rest.split()
    return name, {key: int(value) for key, value in zip(words[::2], words[1::2], strict=False)}


def _table(path: Path, name: str) -> dict[str, int]:
    rows = [line.split()[1:] for line in text(path).splitlines() if line.startswith(f"{name}:")]
    return {key: int(value) for key, value in zip(rows[0], rows[1], strict=True)} if len(rows) == 2 else {}


def _links() -> dict[str, Link]:
    up_h = float((text(PROC / "uptime") or "3600").split()[0]) / 3600
    found = {}
    for path in (SYS / "class/net").glob("*"):
        flags = int(text(path / "flags") or "0", 16)
        if path.name == "lo" or not flags & UP or text(path / "operstate") not in ("up", "unknown"):
            continue
        found[path.name] = Link(
            mtu=number(path / "mtu") or 1500,
            packets=number(path / "statistics/rx_packets") or 0,
            dropped=number(path / "statistics/rx_dropped") or 0,
            # The first changes are those of setting it up.
            flaps_per_h=max(0, (number(path / "carrier_changes") or 0) - 4) / max(1.0, up_h),
            duplex=text(path / "duplex"),
        )
    return found


def _routes() -> int:
    """Of either family, other than to this host itself."""
    four = len(text(PROC / "net/route").splitlines()[1:])
    six = [line for line in text(PROC / "net/ipv6_route").splitlines() if line.split()[-1] != "lo"]
    return four + len(six)


def _silent(masters: Iterable[str]) -> tuple[str, ...]:
    """Those that are on a link here, and whose neighbour entry is incomplete."""
    table = {row[0]: row[2] for row in map(str.split, text(PROC / "net/arp").splitlines()[1:]) if len(row) > 2}
    found = []
    for name in masters:
        with contextlib.suppress(OSError):
            address = socket.gethostbyname(name)
            found += [f"{name} ({address})"] if table.get(address) == "0x0" else []
    return tuple(found)


def errors_of(device: str) -> int | None:
    """That ext4 has counted on this device."""
    return number(SYS / "fs/ext4" / device / "errors_count")


def flags_of(path: Path) -> int:
    """Attributes of a file (chattr(1)); 0 where its file system has none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        found = fcntl.ioctl(descriptor, FS_IOC_GETFLAGS, struct.pack("l", 0))
        return int(struct.unpack("l", found)[0])
    except OSError:
        return 0
    finally:
        os.close(descriptor)


def nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.is_dir())


def volume_of_link(link: Path) -> str:
    """Whose link it is."""
    return unquote(link.name)
