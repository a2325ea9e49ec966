"""Who has a UDP port on this node."""

import errno
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TABLES = ("udp", "udp6")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a port: a process, or (without one) the kernel itself, which is how its WireGuard has it."""

    process_id: int | None
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.process_id})" if self.process_id is not None else self.name


def inodes_of(table: str, port: int) -> set[int]:
    """The inodes of the sockets at that port in a table such as /proc/net/udp (proc(5)); 0 is the kernel's. Pure."""
    found = set()
    for line in table.splitlines()[1:]:
        fields = line.split()
        with suppress(ValueError, IndexError):
            if int(fields[1].rpartition(":")[2], 16) == port:
                found.add(int(fields[9]))
    return found


def holder_of(port: int, ours: Iterable[int] = ()) -> Holder | None:
    """Who has the port, but these processes; None where nobody has. A stranger's process shows itself only to root."""
    inodes: set[int] = set()
    for name in TABLES:
        with suppress(OSError):
            inodes |= inodes_of((PROC / "thread-self/net" / name).read_text(), port)
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes if inode}
    mine = set(ours)
    unseen = True
    for process in PROC.glob("[0-9]*") if wanted else ():
        with suppress(OSError):
            if any(link.readlink().name in wanted for link in (process / "fd").iterdir()):
                unseen = False
                if int(process.name) not in mine:
                    return Holder(int(process.name), (process / "comm").read_text().strip())
    if not wanted:
        return Holder(None, "WireGuard")
    return Holder(None, "?") if unseen else None


def is_free(port: int) -> bool:
    """Whether a socket can be bound there in both families, as WireGuard does."""
    for family, anywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((anywhere, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:  # anything else (no IPv6 here) is no sign of somebody else
                return False
    return True
