"""What a master of MooseFS says of its cluster, by mfscli(1), and whether it answers at all."""

import os
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .mounts import master_of, mount_of

CLIENTS_PORT = 9421
GET_VERSION, VERSION = 10, 11
"""ANTOAN_GET_VERSION of MooseFS's protocol: a master that is stopped takes connections, but does not answer this."""
ANSWERS_WITHIN_S = 1.0


class MasterSilent(Exception):
    """It cannot be asked; the message says why."""


def silence_of(host: str, port: int = CLIENTS_PORT, within_s: float = ANSWERS_WITHIN_S) -> str:
    """Why a master does not answer; empty where it does."""
    try:
        with socket.create_connection((host, port), within_s) as master:
            master.settimeout(within_s)
            master.sendall(struct.pack(">II", GET_VERSION, 0))
            answer = master.recv(8)
    except TimeoutError:
        return f"no answer within {within_s:g} s"
    except OSError as error:
        return error.strerror or str(error)
    return "" if len(answer) == 8 and struct.unpack(">II", answer)[0] == VERSION else "what answers is no master"


def within_reach(*paths: Path) -> None:
    """Raises OSError, which says what to do, where a path is on a MooseFS whose master does not answer.

    Asked before such a path is touched in any way, for that would wait until the master is back. So links are not
    followed here.
    """
    for mount in {mount_of(Path(os.path.abspath(path))) for path in paths}:  # noqa: PTH100 - resolve() would touch it
        if mount.is_moosefs:
            host, port = master_of(mount)
            if said := silence_of(host, port):
                raise OSError(
                    f"{mount.point} cannot be reached: its master {host}:{port} does not answer ({said}): is mfsmaster "
                    "running there, is the network up, does a packet filter keep the port shut? Nothing was begun"
                )


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
