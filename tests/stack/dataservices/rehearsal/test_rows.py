"""The clients of PostgreSQL and MariaDB: what they compare. A small database of another kind takes what they say."""

import importlib
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.stack.dataservices.rehearsal import rows
from harness.stack.dataservices.rehearsal.rows import COLUMNS, SERVICES, TABLE, Client, compare

PLACE, SERVER = "10.0.0.21,3306", "10.0.0.11,3306"


class Cursor(sqlite3.Cursor):
    """As those of the drivers are: left by ``with``, and with another sign for values."""

    def __enter__(self) -> "Cursor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def execute(self, statement: str, values: Any = ()) -> "Cursor":
        super().execute(statement.replace("%s", "?"), values)
        return self


class Connection(sqlite3.Connection):
    """One whose cursors are those."""

    def cursor(self, *_: Any) -> Any:
        return super().cursor(Cursor)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "database"
    driver = SimpleNamespace(Error=sqlite3.Error, connect=lambda **_: sqlite3.connect(path, factory=Connection))
    monkeypatch.setattr(importlib, "import_module", lambda _: driver)
    monkeypatch.setattr(rows, "SETTLES_WITHIN_S", 0.0)
    return path


def test_what_a_server_has_not_is_said(database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secrets, notes = tmp_path / "secrets", tmp_path / "notes"
    secrets.write_text("MARIADB_APP_PASSWORD=b\n")
    notes.mkdir()
    (notes / PLACE).write_text("1 1.0\n2 1.5\n")
    client = Client(SERVICES["galera"], PLACE, str(secrets))
    client.said(f"create table {TABLE} ({COLUMNS})")
    client.said(f"insert into {TABLE} values (%s, %s)", (client.name, 1))
    with pytest.raises(SystemExit, match=r"10\.0\.0\.11,3306 has 1 of 2 acknowledged writes not"):
        compare(SERVICES["galera"], notes, str(secrets), [SERVER])
    client.said(f"insert into {TABLE} values (%s, %s)", (client.name, 2))
    client.close()
    compare(SERVICES["galera"], notes, str(secrets), [SERVER])
    assert capsys.readouterr().out == f"{PLACE}: 2 writes acknowledged, none lost, longest pause 0.5 s\n"


def test_what_was_said_is_committed_and_what_failed_is_not(database: Path, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.write_text("POSTGRES_APP_PASSWORD=b\n")
    client = Client(SERVICES["postgresql"], PLACE, str(secrets))
    client.said(f"create table {TABLE} ({COLUMNS})")
    client.said(f"insert into {TABLE} values (%s, %s)", ("a", 1))
    with pytest.raises(sqlite3.Error):
        client.said(f"insert into {TABLE} values (%s, %s)", ("a", 1))
    with closing(sqlite3.connect(database)) as other:
        assert other.execute(f"select number from {TABLE}").fetchall() == [(1,)]
    assert client.said(f"select number from {TABLE}") == [(1,)], "the next one connects again"
    client.close()
