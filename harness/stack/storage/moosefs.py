"""What a master of MooseFS says of its cluster, by mfscli(1)."""

import subprocess
from dataclasses import dataclass

CLIENTS_PORT = 9421


class MasterSilent(Exception):
    """It cannot be asked; the message says why."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a master says of its cluster."""

    version: int
    chunkservers: tuple[str, ...]
    chunks: dict[str, str]
    """Class (missing, endangered, stable, ...) -> how many."""
    known: dict[str, str]
    versions: tuple[str, ...] = ()
    """Of masters and chunkservers, each once."""
    maintained: tuple[str, ...] = ()
    bad_disks: tuple[str, ...] = ()


def summary(address: str, port: int = CLIENTS_PORT, within_s: float = 10.0) -> Summary:
    """By mfscli. Raises MasterSilent."""
    command = ["mfscli", "-H", address, "-P", str(port), "-p", "-s|", "-SIM", "-SIN", "-SCS", "-SHD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=within_s)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MasterSilent(f"mfscli: {error}") from error
    if done.returncode:
        raise MasterSilent(f"mfscli: {' '.join((done.stdout + done.stderr).split())}")
    return read(done.stdout)


def read(said: str) -> Summary:
    """From what mfscli prints."""
    rows = [line.split("|") for line in said.splitlines() if "|" in line]
    of = {
        name: [row[1:] for row in rows if row[0].rstrip(":") == name] for name in {row[0].rstrip(":") for row in rows}
    }
    masters, servers = of.get("metadata servers (masters)", []), of.get("chunk servers", [])
    version = max((int(row[4]) for row in masters if row[4].isdigit()), default=0)
    chunks = {row[0].removeprefix("chunkclass ").rstrip(":"): row[1] for row in of.get("all chunks matrix", [])}
    return Summary(
        version=version,
        chunkservers=tuple(row[0] for row in servers),
        chunks=chunks,
        known={row[0]: row[1] for row in of.get("cluster summary", []) if len(row) > 1},
        versions=tuple(sorted({row[1] for row in masters} | {row[4] for row in servers if len(row) > 4})),
        maintained=tuple(row[0] for row in servers if len(row) > 7 and row[7] != "maintenance_off"),
        bad_disks=tuple(f"{row[0]}: {row[2]}" for row in of.get("disks", []) if len(row) > 2 and row[2] != "no errors"),
    )
