"""Looks at a cluster of MooseFS: by mfscli(1), by the packages that this host is offered, and by its metalogger."""

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..moosefs import CLIENTS_PORT, MasterSilent, silence_of, summary
from .core import State

WITHIN_S = 20.0
LICENCE = Path("/etc/mfs/mfslicence.bin")
PACKAGE = "moosefs-pro-master"
Standby = Callable[[], tuple[str, ...] | None]


def state_of(master: str, port: int = CLIENTS_PORT, standby: Standby = lambda: None, licence: Path = LICENCE) -> State:
    """As it is now; what cannot be seen is None or empty. Raises OSError."""
    if silent := silence_of(master, port):
        return State(master, error=f"{master}:{port} does not answer: {silent}")
    code, said = _run(["mfscli", "-H", master, "-P", str(port), "-j", "-SIG", "-SCS", "-SMB", "-SMS"])
    if code:
        return State(master, error=" ".join(said.split())[-300:])
    try:
        chunks = summary(master, port).chunks
    except MasterSilent as error:
        return State(master, error=str(error))
    counts = {
        name: int(chunks[name]) for name in ("missing", "endangered", "undergoal") if chunks.get(name, "").isdigit()
    }
    seen = {"standby": standby(), "offered": _offered(), "licence": licence.exists()}
    return read(master, said, time.time(), **counts, **seen)


def read(master: str, said: str, now_s: float, **seen: Any) -> State:
    """From the JSON of mfscli."""
    try:
        found = json.loads(said)["dataset"]
        general = found["info"]["general"]
        saved_s = general.get("last_metadata_save_time")
        return State(
            master,
            version=str(general["strver"]),
            chunkservers=_versions(found.get("chunkservers", ())),
            metaloggers=_versions(found.get("metaloggers", ())),
            clients={
                f"{one['hostname']}:{one['mount_point']}": str(one["strver"])
                for one in found.get("mounts", ())
                if one.get("connected") and not one.get("temporary")
            },
            saved_ago_s=None if saved_s is None else max(0.0, now_s - float(saved_s)),
            **seen,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return State(master, error=f"mfscli tells of the cluster in words that are not understood: {error!r}")


def _versions(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {str(one.get("ip") or one["hostname"]): str(one["strver"]) for one in rows if one.get("strver")}


def _offered() -> str:
    """The version that apt would install; empty where there is none, or no apt."""
    code, said = _run(["apt-cache", "policy", PACKAGE])
    candidates = [line.split(":", 1)[1].strip() for line in said.splitlines() if line.strip().startswith("Candidate:")]
    return candidates[0] if not code and candidates and candidates[0] != "(none)" else ""


def _run(command: Sequence[str]) -> tuple[int, str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WITHIN_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, f"{command[0]}: {error}"
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")
