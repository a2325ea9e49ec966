#!/usr/bin/env python3
"""A client of a Galera cluster, for the failover test: it writes, notes what was acknowledged, and compares.

A program of its own, with python3-pymysql of the distribution. A PLACE is HOST,PORT. Usage:

failover_client.py write FOLDER SECRETS PLACE...         write for ever, by each place
failover_client.py acknowledged FOLDER COUNT PLACE...    whether so many were acknowledged by each (after FOLDER/since)
failover_client.py compare FOLDER SECRETS PLACE...       whether each server holds all that was acknowledged
"""

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Sequence
from itertools import count, pairwise
from pathlib import Path
from typing import Any

EVERY_S = 0.05
GIVEN_UP_AFTER_S = 2
TABLE, COLUMNS = "keyservices_failover", "writer varchar(99), number bigint, primary key (writer, number)"
SETTLES_WITHIN_S = 10.0


def connect(place: str, secrets: str) -> Any:
    """A connection of the application's user, who gives up soon: a commit may hang that a new one would not."""
    import pymysql

    host, _, port = place.rpartition(",")
    return pymysql.connect(
        host=host,
        port=int(port),
        user="app",
        database="app",
        password=password_of(Path(secrets).read_text(encoding="ascii")),
        connect_timeout=GIVEN_UP_AFTER_S,
        read_timeout=GIVEN_UP_AFTER_S,
        write_timeout=GIVEN_UP_AFTER_S,
        autocommit=True,
    )


def password_of(text: str) -> str:
    """The password of the application's user, in a file of credentials."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)["MARIADB_APP_PASSWORD"]


def acknowledged_in(text: str) -> list[tuple[int, float]]:
    """(number, time) of each write of these notes; a last line that is not whole counts for nothing."""
    lines = text.split("\n")[:-1]
    return [(int(number), float(at_s)) for number, at_s in (line.split() for line in lines)]


def longest_pause_s(times_s: Sequence[float]) -> float:
    """The longest time between two acknowledgements that follow each other."""
    return max((after - before for before, after in pairwise(times_s)), default=0.0)


def write(folder: Path, secrets: str, place: str) -> None:
    """Write for ever, each number once: whether one that failed is there nobody knows, and nobody says."""
    import pymysql

    writer, connection = writer_of(place), None
    with (folder / place).open("a", encoding="ascii", buffering=1) as notes:
        for number in count(1):
            time.sleep(EVERY_S)
            try:
                if connection is None:
                    connection = connect(place, secrets)
                    with connection.cursor() as cursor:
                        cursor.execute(f"create table if not exists {TABLE} ({COLUMNS})")
                with connection.cursor() as cursor:
                    cursor.execute(f"insert into {TABLE} values (%s, %s)", (writer, number))
                notes.write(f"{number} {time.monotonic()}\n")
            except (pymysql.err.Error, OSError):
                if connection is not None:
                    with contextlib.suppress(pymysql.err.Error, OSError):
                        connection.close()
                connection = None


def writer_of(place: str) -> str:
    """Who writes by a place."""
    return f"{socket.gethostname()}:{place}"


def acknowledged(folder: Path, enough: int, place: str) -> bool:
    """Whether so many were acknowledged by this place, since the file ``since`` is there."""
    since = folder / "since"
    since_s = time.monotonic() - (time.time() - since.stat().st_mtime) if since.exists() else 0.0
    notes = folder / place
    noted = acknowledged_in(notes.read_text(encoding="ascii")) if notes.exists() else []
    return len([at_s for _, at_s in noted if at_s > since_s]) >= enough


def compare(folder: Path, secrets: str, servers: Sequence[str]) -> None:
    """Raises SystemExit unless every server holds all; says what clients saw."""
    places = sorted(path.name for path in folder.iterdir() if "," in path.name)
    noted = {place: acknowledged_in((folder / place).read_text(encoding="ascii")) for place in places}
    for server in servers:
        for place in places:
            wanted = {number for number, _ in noted[place]}
            missing = wanted - held(server, secrets, writer_of(place), wanted)
            if missing:
                raise SystemExit(f"{server} has {len(missing)} of {len(wanted)} acknowledged writes not")
    for place in places:
        pause_s = longest_pause_s([at_s for _, at_s in noted[place]])
        sys.stdout.write(
            f"{place}: {len(noted[place])} writes acknowledged, none lost, longest pause {pause_s:.1f} s\n"
        )


def held(server: str, secrets: str, writer: str, wanted: set[int]) -> set[int]:
    """What a server holds of this writer, once it has all that is wanted, or does not get it."""
    deadline_s = time.monotonic() + SETTLES_WITHIN_S
    connection = connect(server, secrets)
    try:
        while True:
            with connection.cursor() as cursor:
                cursor.execute(f"select number from {TABLE} where writer = %s", (writer,))
                found: set[int] = {number for (number,) in cursor.fetchall()}
            if wanted <= found or time.monotonic() > deadline_s:
                return found
            time.sleep(0.1)
    finally:
        connection.close()


def main(words: Sequence[str]) -> int:
    """The exit code."""
    match words:
        case ["write", folder, secrets, *places] if places:
            threads = [threading.Thread(target=write, args=(Path(folder), secrets, place)) for place in places]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        case ["acknowledged", folder, enough, *places] if places:
            return 0 if all(acknowledged(Path(folder), int(enough), place) for place in places) else 1
        case ["compare", folder, secrets, *servers] if servers:
            compare(Path(folder), secrets, servers)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
