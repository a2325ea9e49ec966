#!/usr/bin/env python3
"""A client of PostgreSQL on a balancer, for the failover test: it writes, notes what was acknowledged, and compares.

A program of its own, with psycopg2 of the distribution. Usage:

failover_client.py write FOLDER SECRETS PORT...          write for ever, by each port of this balancer
failover_client.py acknowledged FOLDER COUNT PORT...     whether so many were acknowledged by each (after FOLDER/since)
failover_client.py compare FOLDER SECRETS HOST,PORT...   whether each server holds all that was acknowledged
"""

import socket
import sys
import threading
import time
from collections.abc import Sequence
from itertools import count, pairwise
from pathlib import Path
from typing import Any

EVERY_S = 0.02
GIVEN_UP_AFTER_S = 2
TABLE, COLUMNS = "keyservices_failover", "writer text, number bigint, primary key (writer, number)"
SETTLES_WITHIN_S = 10.0


def connect(host: str, port: str, secrets: str) -> Any:
    """A connection of the application's user. Raises psycopg2.Error."""
    import psycopg2

    connection = psycopg2.connect(
        host=host,
        port=port,
        user="app",
        dbname="app",
        password=password_of(Path(secrets).read_text(encoding="ascii")),
        connect_timeout=GIVEN_UP_AFTER_S,
        tcp_user_timeout=GIVEN_UP_AFTER_S * 1000,
    )
    connection.autocommit = True
    return connection


def password_of(text: str) -> str:
    """The password of the application's user, in a file of credentials."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)["POSTGRES_APP_PASSWORD"]


def acknowledged_in(text: str) -> list[tuple[int, float]]:
    """(number, time) of each write of these notes; a last line that is not whole counts for nothing."""
    lines = text.split("\n")[:-1]
    return [(int(number), float(at_s)) for number, at_s in (line.split() for line in lines)]


def longest_pause_s(times_s: Sequence[float]) -> float:
    """The longest time between two acknowledgements that follow each other."""
    return max((after - before for before, after in pairwise(times_s)), default=0.0)


def write(folder: Path, secrets: str, port: str) -> None:
    """Write for ever, each number once: whether one that failed is there nobody knows, and nobody says."""
    import psycopg2

    writer, connection = f"{socket.gethostname()}:{port}", None
    with (folder / port).open("a", encoding="ascii", buffering=1) as notes:
        for number in count(1):
            time.sleep(EVERY_S)
            try:
                if connection is None:
                    connection = connect("127.0.0.1", port, secrets)
                    with connection.cursor() as cursor:
                        cursor.execute(f"create table if not exists {TABLE} ({COLUMNS})")
                with connection.cursor() as cursor:
                    cursor.execute(f"insert into {TABLE} values (%s, %s)", (writer, number))
                notes.write(f"{number} {time.monotonic()}\n")
            except psycopg2.Error:
                if connection is not None:
                    connection.close()
                connection = None


def acknowledged(folder: Path, enough: int, port: str) -> bool:
    """Whether so many were acknowledged by this port, since the file ``since`` is there."""
    since = folder / "since"
    since_s = time.monotonic() - (time.time() - since.stat().st_mtime) if since.exists() else 0.0
    notes = folder / port
    noted = acknowledged_in(notes.read_text(encoding="ascii")) if notes.exists() else []
    return len([at_s for _, at_s in noted if at_s > since_s]) >= enough


def compare(folder: Path, secrets: str, places: Sequence[str]) -> None:
    """Raises SystemExit unless every server holds all; says what clients saw."""
    ports = sorted(path.name for path in folder.iterdir() if path.name.isdigit())
    noted = {port: acknowledged_in((folder / port).read_text(encoding="ascii")) for port in ports}
    for place in places:
        host, _, at = place.rpartition(",")
        for port in ports:
            wanted = {number for number, _ in noted[port]}
            missing = wanted - held(host, at, secrets, f"{socket.gethostname()}:{port}", wanted)
            if missing:
                raise SystemExit(f"{host} has {len(missing)} of {len(wanted)} acknowledged writes not")
    for port in ports:
        pause_s = longest_pause_s([at_s for _, at_s in noted[port]])
        count_of = len(noted[port])
        sys.stdout.write(f"port {port}: {count_of} writes acknowledged, none lost, longest pause {pause_s:.1f} s\n")


def held(host: str, port: str, secrets: str, writer: str, wanted: set[int]) -> set[int]:
    """What a server holds of this writer, once it has all that is wanted, or does not get it."""
    deadline_s = time.monotonic() + SETTLES_WITHIN_S
    connection = connect(host, port, secrets)
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
        case ["write", folder, secrets, *ports] if ports:
            threads = [threading.Thread(target=write, args=(Path(folder), secrets, port)) for port in ports]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        case ["acknowledged", folder, enough, *ports] if ports:
            return 0 if all(acknowledged(Path(folder), int(enough), port) for port in ports) else 1
        case ["compare", folder, secrets, *places] if places:
            compare(Path(folder), secrets, places)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
