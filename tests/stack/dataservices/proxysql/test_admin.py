"""What ProxySQL's admin interface says, in the form that its documentation shows; and what it is told."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest

from harness.stack.dataservices.inventory.core import Role, read
from harness.stack.dataservices.proxysql.admin import (
    LOADED_AS,
    Row,
    all_monitored,
    differs,
    hashed,
    is_so,
    is_whole,
    is_without,
    made,
)
from harness.stack.dataservices.proxysql.tables import backends, monitoring
from tests.stack.dataservices.servers import PROXYSQL

NODES = ("10.0.0.11", "10.0.0.12", "10.0.0.13")
PARTS = {
    "backends": backends(read(PROXYSQL).of(Role.GALERA), "p" * 32),
    "monitoring": monitoring("m" * 32),
}


def rows(*told: tuple[int, str, str]) -> list[dict[str, Any]]:
    """Of runtime_mysql_servers."""
    return [{"hostgroup_id": group, "hostname": name, "status": status} for group, name, status in told]


WELL = rows(
    (10, NODES[0], "ONLINE"),
    (20, NODES[1], "ONLINE"),
    (20, NODES[2], "ONLINE"),
    *((30, node, "ONLINE") for node in NODES),
)


def test_it_is_whole_when_it_writes_to_one_and_reads_from_all() -> None:
    assert is_whole(WELL, NODES)
    assert not is_whole(WELL[:-1], NODES)
    assert not is_whole(rows((10, NODES[1], "ONLINE")) + WELL, NODES), "two nodes that are written to refuse each other"
    assert not is_whole(WELL[1:], NODES)


@pytest.mark.parametrize("status", ["SHUNNED", "OFFLINE_HARD", "OFFLINE_SOFT", "SHUNNED_REPLICATION_LAG"])
def test_a_node_that_it_shuns_is_not_used(status: str) -> None:
    seen = [row | {"status": status} if row["hostname"] == NODES[0] else row for row in WELL]
    assert not is_without(seen, NODES[0]), "nobody is written to"
    moved = [*seen, *rows((10, NODES[1], "ONLINE"), (40, NODES[0], "ONLINE"))]
    assert is_without(moved, NODES[0])
    assert not is_whole(moved, NODES)


def test_a_node_that_is_read_from_is_used_still() -> None:
    assert not is_without([row for row in WELL if row["hostgroup_id"] != 10], NODES[0])
    assert not is_without(WELL, NODES[0])


def logged(node: str, at_us: int, error: str | None = None) -> dict[str, Any]:
    """A line of monitor.mysql_server_galera_log."""
    return {"hostname": node, "time_start_us": at_us, "error": error}


def test_a_node_counts_as_monitored_by_its_last_answer() -> None:
    first = [logged(node, 100, "timeout check") for node in NODES]
    assert not all_monitored(first, NODES)
    assert all_monitored([*(logged(node, 200) for node in NODES), *first], NODES)
    assert not all_monitored([logged(node, 200) for node in NODES[1:]], NODES), "one was never asked"


def test_a_password_counts_as_itself_and_as_its_hash() -> None:
    """The hash of MySQL's documentation of PASSWORD()."""
    assert hashed("mypass") == "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4"
    assert hashed(hashed("mypass")) == hashed("mypass")
    wanted = [{"username": "app", "password": "mypass"}]
    assert not differs("mysql_users", wanted, [{"username": "app", "password": hashed("mypass"), "active": 1}])
    assert differs("mysql_users", wanted, [{"username": "app", "password": "another"}])


def test_yes_and_no_in_its_own_words_and_numbers_as_texts_are_no_difference() -> None:
    wanted = [{"variable_name": "mysql-monitor_enabled", "variable_value": "true"}]
    assert not differs("global_variables", wanted, [{"variable_name": "mysql-monitor_enabled", "variable_value": "1"}])
    assert differs("global_variables", wanted, [{"variable_name": "mysql-monitor_enabled", "variable_value": "false"}])
    assert differs("global_variables", wanted, []), "one that it does not know"
    (server, *_) = PARTS["backends"]["mysql_servers"]
    assert not differs("mysql_servers", [server], [{name: str(value) for name, value in server.items()}])


class Database:
    """SQLite takes what ProxySQL takes, since that is what its admin interface is; memory and disk as two of them."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("attach ':memory:' as disk")
        self.loaded: list[str] = []
        for table in LOADED_AS:
            names = dict.fromkeys(name for part in PARTS.values() for row in part.get(table, ()) for name in row)
            for where in ("main", "disk"):
                self._connection.execute(f"create table {where}.{table} ({', '.join(names)})")
        for name in {str(row["variable_name"]) for row in PARTS["monitoring"]["global_variables"]}:
            self._connection.execute("insert into main.global_variables values (?, 'default')", (name,))

    def said(self, statement: str, values: Sequence[str] = ()) -> Sequence[Row]:
        """As the interface."""
        if statement.startswith("LOAD "):
            self.loaded.append(statement)
            return []
        if statement.startswith("SAVE "):
            for table in (table for table, word in LOADED_AS.items() if f"SAVE {word} TO DISK" == statement):
                self._connection.execute(f"delete from disk.{table}")
                self._connection.execute(f"insert into disk.{table} select * from main.{table}")
            return []
        return [dict(row) for row in self._connection.execute(statement.replace("%s", "?"), values)]

    def close(self) -> None:
        """Forget all."""
        self._connection.close()


@pytest.fixture
def database() -> Iterator[Any]:
    with closing(Database()) as one:
        yield one


@pytest.mark.promise("S4-55")
@pytest.mark.parametrize("part", [*PARTS])
def test_tables_are_made_so_and_found_so_and_what_somebody_changed_is_seen(database: Any, part: str) -> None:
    assert not is_so(database, PARTS[part])
    made(database, PARTS[part])
    assert is_so(database, PARTS[part])
    assert {f"LOAD {LOADED_AS[table]} TO RUNTIME" for table in PARTS[part]} == {*database.loaded}
    table = next(iter(PARTS[part]))
    database.said(f"DELETE FROM disk.{table}")
    assert not is_so(database, PARTS[part]), "it would be gone after a restart"
    made(database, PARTS[part])
    assert is_so(database, PARTS[part])


def test_a_rule_that_somebody_added_is_taken_away(database: Any) -> None:
    made(database, PARTS["backends"])
    database.said("INSERT INTO mysql_query_rules (rule_id, match_digest) VALUES (%s, %s)", ("7", "^UPDATE"))
    assert not is_so(database, PARTS["backends"])
    made(database, PARTS["backends"])
    assert is_so(database, PARTS["backends"])
