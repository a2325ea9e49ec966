#!/usr/bin/env python3
"""ProxySQL's admin interface: a program that stands on its own on a proxy. Needs python3-pymysql.

Its tables are what they have to be in memory and on disk, or are made so; and how it sees the nodes now. The exit code
is 0 for yes and 3 for no: 1 is Python's own, where the interface does not answer. Usage:

proxysql_admin.py SETTINGS has PART      whether a part of the settings (tables, variables) is so
proxysql_admin.py SETTINGS make PART     have it so, now and after a restart
proxysql_admin.py SETTINGS monitored     whether every node was asked last with success
proxysql_admin.py SETTINGS whole         whether it writes to one node, and reads from all
proxysql_admin.py SETTINGS without NODE  whether it uses this one no more, and writes to another one
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

WRITER, BACKUP, READER, OFFLINE = 10, 20, 30, 40
"""Its groups of nodes: the one that is written to, those that could be, all that are read from, and the rest."""
LOADED_AS = {
    "mysql_servers": "MYSQL SERVERS",
    "mysql_galera_hostgroups": "MYSQL SERVERS",
    "mysql_users": "MYSQL USERS",
    "mysql_query_rules": "MYSQL QUERY RULES",
    "global_variables": "MYSQL VARIABLES",
}
"""By which word a table is loaded and saved."""
NO = 3
_FALSE, _TRUE = ("false", "0"), ("true", "1")
_HASH_LENGTH = 41

Row = Mapping[str, Any]


def statements(table: str, rows: Sequence[Row]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What makes a table so: each statement, and the values in it."""
    if table == "global_variables":
        for row in rows:
            yield (
                "UPDATE global_variables SET variable_value=%s WHERE variable_name=%s",
                (str(row["variable_value"]), str(row["variable_name"])),
            )
    else:
        yield f"DELETE FROM {table}", ()
        for row in rows:
            places = ", ".join(["%s"] * len(row))
            yield f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(map(str, row.values()))
    yield f"LOAD {LOADED_AS[table]} TO RUNTIME", ()
    yield f"SAVE {LOADED_AS[table]} TO DISK", ()


def differs(table: str, wanted: Sequence[Row], found: Sequence[Row]) -> bool:
    """Whether a table is not what it has to be, in the columns that were said. Of variables, others do not count."""
    if table == "global_variables":
        values = {str(row["variable_name"]): str(row["variable_value"]) for row in found}
        return any(
            _same_word(values.get(str(row["variable_name"])), str(row["variable_value"])) is False for row in wanted
        )
    columns = tuple(wanted[0]) if wanted else ()
    return sorted(_comparable(row, columns) for row in wanted) != sorted(_comparable(row, columns) for row in found)


def _same_word(found: "str | None", wanted: str) -> bool:
    """It writes yes and no in words of its own."""
    return found == wanted or any(found in words and wanted in words for words in (_FALSE, _TRUE))


def _comparable(row: Row, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(hashed(str(row[name])) if name == "password" else str(row[name]) for name in columns)


def hashed(password: str) -> str:
    """As MySQL keeps it; ProxySQL may keep it so as well, and then that is what it shows."""
    if len(password) == _HASH_LENGTH and password.startswith("*"):
        return password
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()


def used(rows: Iterable[Row], group: int) -> set[str]:
    """The nodes that a group sends statements to."""
    return {str(row["hostname"]) for row in rows if int(row["hostgroup_id"]) == group and row["status"] == "ONLINE"}


def is_whole(rows: Sequence[Row], nodes: Iterable[str]) -> bool:
    """It writes to one node, and reads from all."""
    return len(used(rows, WRITER)) == 1 and used(rows, READER) == {*nodes}


def is_without(rows: Sequence[Row], node: str) -> bool:
    """It uses this one no more, and writes to another one."""
    return len(used(rows, WRITER)) == 1 and node not in used(rows, WRITER) | used(rows, READER)


def all_monitored(rows: Iterable[Row], nodes: Iterable[str]) -> bool:
    """Every node was asked, and the last time it answered."""
    last: dict[str, Row] = {}
    for row in rows:
        name = str(row["hostname"])
        if name not in last or int(row["time_start_us"]) > int(last[name]["time_start_us"]):
            last[name] = row
    return all(node in last and last[node]["error"] is None for node in nodes)


class Admin:
    """The interface, logged in to."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        import pymysql
        import pymysql.cursors

        self._connection: Any = pymysql.connect(
            host="127.0.0.1",
            port=int(settings["port"]),
            user="admin",
            password=settings["password"],
            connect_timeout=3,
            read_timeout=5,
            autocommit=True,
            cursorclass=pymysql.cursors.DictCursor,
        )

    def said(self, statement: str, values: Sequence[str] = ()) -> Sequence[Row]:
        """The rows of a statement."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())


def made(admin: Admin, part: Mapping[str, Sequence[Row]]) -> None:
    """Have these tables so."""
    for table, rows in part.items():
        for statement, values in statements(table, rows):
            admin.said(statement, values)


def is_so(admin: Admin, part: Mapping[str, Sequence[Row]]) -> bool:
    """Whether these tables are so, in memory and on disk."""
    places = [(table, rows, f"{where}{table}") for table, rows in part.items() for where in ("", "disk.")]
    return not any(differs(table, rows, admin.said(f"SELECT * FROM {place}")) for table, rows, place in places)


def main(words: Sequence[str]) -> int:
    """The exit code."""
    if len(words) < 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    with open(words[0], encoding="utf-8") as file:
        settings = json.load(file)
    now = "SELECT hostgroup_id, hostname, status FROM runtime_mysql_servers"
    logged = "SELECT hostname, time_start_us, error FROM monitor.mysql_server_galera_log"
    match words[1:]:
        case ["has", part]:
            yes = is_so(Admin(settings), settings["parts"][part])
        case ["make", part]:
            made(Admin(settings), settings["parts"][part])
            yes = True
        case ["monitored"]:
            yes = all_monitored(Admin(settings).said(logged), settings["nodes"])
        case ["whole"]:
            yes = is_whole(Admin(settings).said(now), settings["nodes"])
        case ["without", node]:
            yes = is_without(Admin(settings).said(now), node)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0 if yes else NO


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
