"""What the kernel says of a block device (Documentation/ABI/stable/sysfs-block, proc(5))."""

from pathlib import Path

from .core import IndexFacts

SECTOR_BYTES = 512


def facts_of(name: str, serves: str | None, sys_block: Path = Path("/sys/block"), pid_file: str = "pid") -> IndexFacts:
    """What is known of the device ``name`` ("nbd3"); a device that is not there is quiet.

    ``serves`` is what its driver says; ``pid_file`` is there while something is attached ("loop/backing_file" of loop
    devices: then the process is 0, the kernel).
    """
    folder = sys_block / name
    attached = _text(folder / pid_file)
    pid = int(attached) if attached.isdigit() else (0 if attached else None)
    return IndexFacts(
        server_pid=pid,
        size_bytes=int(_text(folder / "size") or 0) * SECTOR_BYTES,
        in_flight=sum(map(int, _text(folder / "inflight").split())),
        holders=_holders(name, folder),
        udev_settled=not Path("/run/udev/queue").exists(),
        serves=serves,
    )


def devices(sys_block: Path, prefix: str) -> tuple[int, ...]:
    """The numbers of the devices that begin with ``prefix``."""
    found = (path.name.removeprefix(prefix) for path in sys_block.glob(f"{prefix}*"))
    return tuple(sorted(int(number) for number in found if number.isdigit()))


def _holders(name: str, folder: Path) -> tuple[str, ...]:
    number = _text(folder / "dev")
    holders = [path.name for path in (folder / "holders").glob("*")]
    mounts = (line.split() for line in _text(Path("/proc/self/mountinfo")).splitlines())
    holders += [row[4] for row in mounts if number and row[2] == number]
    swaps = (line.split() for line in _text(Path("/proc/swaps")).splitlines()[1:])
    holders += ["swap" for row in swaps if row and row[0] == f"/dev/{name}"]
    if _text(folder / "size") not in ("", "0"):  # looking through all processes takes its time
        holders += _who_has_open(f"/dev/{name}", _text(folder / "pid"))
    return tuple(dict.fromkeys(holders))


def _who_has_open(device: str, server_pid: str) -> list[str]:
    """Processes that have it open, other than the one that serves it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == server_pid:
            continue
        try:
            if any(str(link.readlink()) == device for link in (process / "fd").iterdir()):
                found.append(f"{_text(process / 'comm')} (process {process.name})")
        except OSError:  # it has ended, or is not ours to look at
            continue
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
