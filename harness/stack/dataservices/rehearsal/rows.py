"""Clients of PostgreSQL and MariaDB, for their failover tests: they write, note what was acknowledged, and compare.

With python3-psycopg2 or python3-pymysql of the distribution. A PLACE is HOST,PORT. Usage:

rows.py SERVICE write FOLDER SECRETS PLACE...      write for ever, by each place
rows.py SERVICE compare FOLDER SECRETS PLACE...    whether each server holds all that was acknowledged
"""

import contextlib
import importlib
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from .notes import acknowledged_in, longest_pause_s, secret_in

GIVEN_UP_AFTER_S = 2
"""A commit may hang that a new connection's would not."""
EVERY_S = 0.02
TABLE, COLUMNS = "keyservices_failover", "writer varchar(99), number bigint, primary key (writer, number)"
SETTLES_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Service:
    """A module of Python that has ``connect`` and ``Error`` (PEP 249), and what only that one is told."""

    driver: str
    password: str
    options: Mapping[str, int]


SERVICES = {
    "postgresql": Service("psycopg2", "POSTGRES_APP_PASSWORD", {"tcp_user_timeout": GIVEN_UP_AFTER_S * 1000}),
    "galera": Service(
        "pymysql", "MARIADB_APP_PASSWORD", {"read_timeout": GIVEN_UP_AFTER_S, "write_timeout": GIVEN_UP_AFTER_S}
    ),
}


class Client:
    """Of one place, as the application's user."""

    def __init__(self, service: Service, place: str, secrets: str) -> None:
        self.name = f"{socket.gethostname()}:{place}"
        self._service, self._place, self._secrets = service, place, secrets
        self._driver = importlib.import_module(service.driver)
        self.failures = (self._driver.Error, OSError)
        self._connection: Any = None

    def said(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement, once it is committed. Raises one of ``failures``; the next one connects again."""
        try:
            if self._connection is None:
                self._connection = self._connect()
            with self._connection.cursor() as cursor:
                cursor.execute(statement, values)
                rows = list(cursor.fetchall()) if cursor.description else []
            self._connection.commit()
        except self.failures:
            self.close()
            raise
        return rows

    def close(self) -> None:
        """Idempotent."""
        if self._connection is not None:
            with contextlib.suppress(*self.failures):
                self._connection.close()
            self._connection = None

    def _connect(self) -> Any:
        host, _, port = self._place.rpartition(",")
        return self._driver.connect(
            host=host,
            port=int(port),
            user="app",
            database="app",
            password=secret_in(Path(self._secrets).read_text(encoding="ascii"), self._service.password),
            connect_timeout=GIVEN_UP_AFTER_S,
            **self._service.options,
        )


def write(client: Client, notes: Path) -> None:
    """Write for ever, each number once: whether one that failed is there nobody knows, and nobody says."""
    with notes.open("a", encoding="ascii", buffering=1) as file:
        made = False
        for number in count(1):
            time.sleep(EVERY_S)
            with contextlib.suppress(*client.failures):
                if not made:
                    client.said(f"create table if not exists {TABLE} ({COLUMNS})")
                    made = True
                client.said(f"insert into {TABLE} values (%s, %s)", (client.name, number))
                file.write(f"{number} {time.monotonic()}\n")


def compare(service: Service, folder: Path, secrets: str, servers: Sequence[str]) -> None:
    """Raises SystemExit unless every server holds all; says what clients saw."""
    places = sorted(path.name for path in folder.iterdir() if "," in path.name)
    noted = {place: acknowledged_in((folder / place).read_text(encoding="ascii")) for place in places}
    for server in servers:
        asked = Client(service, server, secrets)
        for place in places:
            missing = {*noted[place]} - held(asked, Client(service, place, secrets).name, {*noted[place]})
            if missing:
                raise SystemExit(f"{server} has {len(missing)} of {len(noted[place])} acknowledged writes not")
        asked.close()
    for place in places:
        pause_s = longest_pause_s([*noted[place].values()])
        sys.stdout.write(
            f"{place}: {len(noted[place])} writes acknowledged, none lost, longest pause {pause_s:.1f} s\n"
        )


def held(asked: Client, writer: str, wanted: set[int]) -> set[int]:
    """What a server holds of this writer, once it has all that is wanted, or does not get it."""
    deadline_s = time.monotonic() + SETTLES_WITHIN_S
    while True:
        found = {number for (number,) in asked.said(f"select number from {TABLE} where writer = %s", (writer,))}
        if wanted <= found or time.monotonic() > deadline_s:
            return found
        time.sleep(0.1)


def main(words: Sequence[str]) -> int:
    """The exit code."""
    match words:
        case [name, "write", folder, secrets, *places] if name in SERVICES and places:
            threads = [
                threading.Thread(target=write, args=(Client(SERVICES[name], place, secrets), Path(folder, place)))
                for place in places
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        case [name, "compare", folder, secrets, *servers] if name in SERVICES and servers:
            compare(SERVICES[name], Path(folder), secrets, servers)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
