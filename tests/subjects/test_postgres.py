"""How a client of PostgreSQL tells what happened from what the server says, or does not."""

import asyncio
from typing import Any

import asyncpg
import pytest

from harness.subjects.postgres import TABLES, PostgresClient
from harness.workloads.client import Refused, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import ModelName, Route

ROUTE = Route(address="192.0.2.1", port=5432)
Answer = str | int | list[int] | None | Exception


class Server:
    """A connection whose answers are known beforehand."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[str] = []
        self.gone = asyncio.Event()
        self._answers = [*answers]

    async def execute(self, query: str, *args: Any) -> Any:
        self.asked.append(query)
        if not self._answers:  # as a commit that waits for its replicas
            await self.gone.wait()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    fetchval = execute

    def terminate(self) -> None:
        self.gone.set()


async def connected(
    monkeypatch: pytest.MonkeyPatch, model: ModelName, *answers: Answer
) -> tuple[PostgresClient, Server]:
    """A client that is connected to such a server."""
    server = Server(*answers)

    async def connect(**_: Any) -> Server:
        return server

    monkeypatch.setattr(asyncpg, "connect", connect)
    client = PostgresClient(model, ROUTE, user="app", password="x")
    await client.open()
    return client, server


def asked(function: str, value: Any = None) -> Request:
    return Request(function=function, key="x", route=0, value=value)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction"),
        asyncpg.SerializationError("could not serialize access"),
        asyncpg.UniqueViolationError("duplicate key"),
    ],
)
async def test_what_was_rolled_back_was_refused(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    client, _ = await connected(monkeypatch, "ledger", error)
    with pytest.raises(Refused):
        await client.invoke(asked("write", 1))


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.QueryCanceledError("canceling statement due to user request"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.InterfaceError("connection is closed"),
    ],
)
async def test_of_all_other_errors_nobody_knows(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    client, _ = await connected(monkeypatch, "ledger", error)
    with pytest.raises(Unclear):
        await client.invoke(asked("write", 1))
    assert client.at_stake


async def test_who_gives_up_a_commit_hangs_up_and_cancels_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    client, server = await connected(monkeypatch, "ledger")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await client.invoke(asked("write", 1))
    assert client.at_stake
    assert not server.gone.is_set()
    client.close()
    assert server.gone.is_set()


async def test_missing_tables_are_made_once_and_the_write_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = asyncpg.UndefinedTableError("relation does not exist")
    client, server = await connected(monkeypatch, "ledger", missing, "CREATE TABLE", "INSERT 0 1")
    assert await client.invoke(asked("write", 7)) == 7
    assert server.asked[1] == TABLES
    client, server = await connected(monkeypatch, "ledger", missing)
    assert await client.invoke(asked("read")) == []


async def test_who_may_not_make_them_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = asyncpg.UndefinedTableError("relation does not exist")
    read_only = asyncpg.ReadOnlySQLTransactionError("cannot execute CREATE TABLE in a read-only transaction")
    client, _ = await connected(monkeypatch, "set", missing, read_only, missing)
    with pytest.raises(Refused, match="does not exist"):
        await client.invoke(asked("add", 7))


async def test_a_comparison_that_is_lost_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    client, server = await connected(monkeypatch, "register", "UPDATE 1", "UPDATE 0", "INSERT 0 0")
    assert await client.invoke(asked("cas", [1, 2])) == [1, 2]
    for expected in (1, None):
        with pytest.raises(Refused, match="another value"):
            await client.invoke(asked("cas", [expected, 3]))
    assert server.asked[2].startswith("insert")


async def test_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = await connected(monkeypatch, "list", [3, 1], None)
    assert await client.invoke(asked("read")) == [3, 1]
    assert await client.invoke(asked("read")) == []
    client, _ = await connected(monkeypatch, "register", 5, None)
    assert await client.invoke(asked("read")) == 5
    assert await client.invoke(asked("read")) is None
    assert not client.at_stake


STEPS = [["r", 1, None], ["append", 1, 7], ["r", 2, None]]


async def test_a_transaction_is_begun_and_committed_and_says_what_it_read(monkeypatch: pytest.MonkeyPatch) -> None:
    client, server = await connected(monkeypatch, "transactions", "BEGIN", [3], "INSERT 0 1", None, "COMMIT")
    assert await client.invoke(asked("txn", STEPS)) == [["r", 1, [3]], ["append", 1, 7], ["r", 2, []]]
    assert (server.asked[0], server.asked[-1]) == ("begin isolation level repeatable read", "commit")
    assert client.at_stake
    client, _ = await connected(monkeypatch, "transactions", "BEGIN", [3], "COMMIT")
    assert await client.invoke(asked("query", STEPS[:1])) == [["r", 1, [3]]]
    assert not client.at_stake


async def test_a_transaction_that_loses_to_another_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = asyncpg.SerializationError("could not serialize access due to concurrent update")
    for answers in (("BEGIN", [3], lost), ("BEGIN", [3], "INSERT 0 1", None, lost)):
        client, server = await connected(monkeypatch, "transactions", *answers, "ROLLBACK")
        with pytest.raises(Refused, match="concurrent"):
            await client.invoke(asked("txn", STEPS))
        assert server.asked[-1] == "rollback"
        assert not client.at_stake


async def test_of_a_transaction_only_the_commit_can_have_happened_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
    for answers, at_stake in ((("BEGIN", [3], gone), False), (("BEGIN", [3], "INSERT 0 1", None, gone), True)):
        client, _ = await connected(monkeypatch, "transactions", *answers)
        with pytest.raises(Unclear):
            await client.invoke(asked("txn", STEPS))
        assert client.at_stake is at_stake


async def test_who_may_not_log_in_has_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect(**_: Any) -> Server:
        raise asyncpg.CannotConnectNowError("the database system is starting up")

    monkeypatch.setattr(asyncpg, "connect", connect)
    client = PostgresClient("ledger", ROUTE, user="app", password="x")
    with pytest.raises(OSError, match="starting up"):
        await client.open()
    assert not client.at_stake
