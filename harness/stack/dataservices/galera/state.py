#!/usr/bin/env python3
"""What a Galera node has: a program that stands on its own on a server, and says one line of JSON. Nothing but Python.

galera_state.py runs WITHIN_S     whether it runs, and in a primary component; waits for one that is on its way
galera_state.py has FOLDER        of which history its data is, and how far it came; only where nothing runs
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

UNIT = "mariadb.service"
NO_UUID, UNKNOWN_SEQNO = "00000000-0000-0000-0000-000000000000", -1
FRESH = "keyservices-fresh"
"""In a folder that was made for a cluster that has not begun yet: there is nothing in it to lose."""
RECOVERED_WITHIN_S, ASKED_EVERY_S = 120, 0.5
_RECOVERED = re.compile(r"Recovered position:? +([0-9a-f-]{36}):(-?\d+)")


def marks(grastate: str) -> Mapping[str, str]:
    """The lines of a grastate.dat."""
    lines = (line.partition(":") for line in grastate.splitlines() if ":" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in lines}


def had(
    grastate: "str | None", recovered: "tuple[str, int] | None", *, data: bool, fresh: bool
) -> Mapping[str, object]:
    """What a node has: ``grastate`` is its file's text, ``recovered`` what the storage engine itself was found to hold.

    The engine's word counts. Where the file names another history, or none, its data may be half of a copy.
    """
    noted = marks(grastate or "")
    uuid = noted.get("uuid", NO_UUID)
    seqno = UNKNOWN_SEQNO
    if recovered is not None and recovered[0] == uuid:
        seqno = recovered[1]
    elif recovered is not None and recovered[0] != NO_UUID:
        uuid = NO_UUID
    elif recovered is None:
        seqno = int(noted.get("seqno", UNKNOWN_SEQNO))
    return {
        "uuid": uuid,
        "seqno": seqno if uuid != NO_UUID else UNKNOWN_SEQNO,
        "safe_to_bootstrap": noted.get("safe_to_bootstrap") == "1",
        "has_data": data and not (fresh and uuid == NO_UUID),
    }


def position(log: str) -> "tuple[str, int] | None":
    """What a recovery says last of where it came to."""
    found = _RECOVERED.findall(log)
    return (found[-1][0], int(found[-1][1])) if found else None


def _runs(within_s: float) -> Mapping[str, object]:
    deadline_s = time.monotonic() + within_s
    while True:
        asked = "select lower(variable_name), variable_value from information_schema.global_status"
        asked += " where variable_name in ('wsrep_ready', 'wsrep_cluster_status', 'wsrep_cluster_state_uuid')"
        said = _said(["mariadb", "--connect-timeout=3", "-NBe", asked])
        status = dict(line.split("\t", 1) for line in said.splitlines() if "\t" in line)
        if status.get("wsrep_cluster_status") == "Primary" and status.get("wsrep_ready") == "ON":
            return {"in_primary": True, "uuid": status["wsrep_cluster_state_uuid"]}
        standing = _said(["systemctl", "is-active", UNIT]).strip()
        if standing not in ("active", "activating") or time.monotonic() > deadline_s:
            return {"in_primary": False, "uuid": NO_UUID}
        time.sleep(ASKED_EVERY_S)


def _has(folder: Path) -> Mapping[str, object]:
    if _said(["pgrep", "-x", "mariadbd"]):
        raise SystemExit("mariadbd runs: what it has is not at rest")
    grastate = folder / "grastate.dat"
    data = (folder / "mysql").is_dir()
    return had(
        grastate.read_text(encoding="ascii") if grastate.exists() else None,
        _recovered(folder) if data else None,
        data=data,
        fresh=(folder / FRESH).exists(),
    )


def _recovered(folder: Path) -> "tuple[str, int] | None":
    command = ["mariadbd", "--user=mysql", f"--datadir={folder}", "--wsrep-recover", "--disable-log-error"]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", timeout=RECOVERED_WITHIN_S, check=False
    )
    return position(done.stdout + done.stderr)


def _said(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stdout


def main(words: Sequence[str]) -> int:
    """The exit code."""
    match words:
        case ["runs", within_s]:
            found = _runs(float(within_s))
        case ["has", folder]:
            found = _has(Path(folder))
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
