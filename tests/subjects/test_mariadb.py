"""How a client of MariaDB tells what happened from what the server says, or does not."""

import asyncio
from typing import Any

import aiomysql
import pymysql
import pytest

from harness.subjects.mariadb import TABLES, MariadbClient
from harness.workloads.client import Refused, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import ModelName, Route

ROUTE = Route(address="192.0.2.1", port=3306)
Rows = list[tuple[Any, ...]]
Answer = int | Rows | Exception


class Server:
    """A connection whose answers are known beforehand: so many rows changed, the rows that are read, or an error."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.gone = asyncio.Event()
        self._answers = [*answers]
        self._rows: Rows = []

    async def cursor(self) -> "Server":
        return self

    async def execute(self, statement: str, values: Any) -> int:
        self.asked.append((statement, values))
        if not self._answers:  # as a commit that waits for a node that is gone
            await self.gone.wait()
            raise pymysql.err.OperationalError(2013, "Lost connection to MySQL server during query")
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        self._rows = answer if isinstance(answer, list) else []
        return len(answer) if isinstance(answer, list) else answer

    async def fetchall(self) -> Rows:
        return self._rows

    def close(self) -> None:
        self.gone.set()


async def connected(
    monkeypatch: pytest.MonkeyPatch, model: ModelName, *answers: Answer
) -> tuple[MariadbClient, Server]:
    """A client that is connected to such a server."""
    server = Server(*answers)

    async def connect(**_: Any) -> Server:
        return server

    monkeypatch.setattr(aiomysql, "connect", connect)
    client = MariadbClient(model, ROUTE, user="app", password="x")
    await client.open()
    return client, server


def asked(function: str, value: Any = None) -> Request:
    return Request(function=function, key="x", route=0, value=value)


@pytest.mark.parametrize("code", [1020, 1047, 1062, 1205, 1213, 1290])
async def test_what_was_rolled_back_or_never_begun_was_refused(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    client, _ = await connected(monkeypatch, "ledger", pymysql.err.OperationalError(code, "no"))
    with pytest.raises(Refused):
        await client.invoke(asked("write", 1))


@pytest.mark.parametrize(
    "error",
    [
        pymysql.err.OperationalError(1180, "Got error 6 during COMMIT"),
        pymysql.err.OperationalError(1317, "Query execution was interrupted"),
        pymysql.err.OperationalError(2013, "Lost connection to MySQL server during query"),
        pymysql.err.InternalError("Packet sequence number wrong"),
        pymysql.err.InterfaceError(),
    ],
)
async def test_of_all_other_errors_nobody_knows(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    client, _ = await connected(monkeypatch, "ledger", error)
    with pytest.raises(Unclear):
        await client.invoke(asked("write", 1))
    assert client.at_stake


async def test_who_gives_up_a_commit_knows_nothing_and_hangs_up(monkeypatch: pytest.MonkeyPatch) -> None:
    client, server = await connected(monkeypatch, "ledger")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await client.invoke(asked("write", 1))
    assert client.at_stake
    client.close()
    assert server.gone.is_set()


async def test_missing_tables_are_made_once_and_the_write_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = pymysql.err.ProgrammingError(1146, "Table 'app.elements' doesn't exist")
    client, server = await connected(monkeypatch, "ledger", missing, 0, 0, 0, 1)
    assert await client.invoke(asked("write", 7)) == 7
    assert tuple(statement for statement, _ in server.asked[1:4]) == TABLES
    client, _ = await connected(monkeypatch, "ledger", missing)
    assert await client.invoke(asked("read")) == []


async def test_a_comparison_that_is_lost_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    client, server = await connected(monkeypatch, "register", 1, 0, 0)
    assert await client.invoke(asked("cas", [1, 2])) == [1, 2]
    for expected in (1, None):
        with pytest.raises(Refused, match="another value"):
            await client.invoke(asked("cas", [expected, 3]))
    assert server.asked[2][0].startswith("insert ignore")


async def test_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = await connected(monkeypatch, "list", [("3 1",)], [])
    assert await client.invoke(asked("read")) == [3, 1]
    assert await client.invoke(asked("read")) == []
    client, _ = await connected(monkeypatch, "register", [(5,)], [])
    assert await client.invoke(asked("read")) == 5
    assert await client.invoke(asked("read")) is None
    client, _ = await connected(monkeypatch, "set", [(1,), (2,)])
    assert await client.invoke(asked("read")) == [1, 2]
    assert not client.at_stake


async def test_a_transaction_whose_table_is_missing_is_rolled_back_and_the_table_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps, missing = [["append", 1, 7], ["r", 1, None]], pymysql.err.ProgrammingError(1146, "doesn't exist")
    client, server = await connected(monkeypatch, "transactions", 0, missing, 0, 0, 0, 0)
    with pytest.raises(Refused, match="exist"):
        await client.invoke(asked("txn", steps))
    assert tuple(statement for statement, _ in server.asked[2:]) == ("rollback", *TABLES)
    client, _ = await connected(monkeypatch, "transactions", 0, 1, [("7",)], 0)
    assert await client.invoke(asked("txn", steps)) == [["append", 1, 7], ["r", 1, [7]]]


async def test_who_may_not_log_in_has_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect(**_: Any) -> Server:
        raise pymysql.err.OperationalError(1040, "Too many connections")

    monkeypatch.setattr(aiomysql, "connect", connect)
    client = MariadbClient("ledger", ROUTE, user="app", password="x")
    with pytest.raises(OSError, match="Too many"):
        await client.open()
    assert not client.at_stake
