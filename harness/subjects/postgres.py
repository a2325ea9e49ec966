"""Clients of PostgreSQL over asyncpg: objects made of rows, an operation a statement.

asyncpg neither retries nor pools. It would ask the server to cancel a statement that is given up: such a request may
end a commit's wait for its replicas, so nobody cancels here; whoever gives up hangs up.
"""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Any, Protocol

import asyncpg

from harness.events import Json
from harness.workloads.client import Refused, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import ModelName, Route
from harness.workloads.rows import NoSuchTable, RowsClient

TABLES = """
create table if not exists elements (key text, value bigint, primary key (key, value));
create table if not exists registers (key text primary key, value bigint not null);
create table if not exists lists (key text primary key, items bigint[] not null);
"""
"""Whoever finds them missing makes them."""
_REFUSED = (
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.DiskFullError,
)
"""Errors of a transaction that was rolled back, and of one that was never begun."""


class Connection(Protocol):
    """What is used of asyncpg's."""

    async def execute(self, query: str, *args: Any) -> str:
        """The command's tag, such as ``UPDATE 1``."""

    async def fetchval(self, query: str, *args: Any) -> Any:
        """The first column of the first row."""

    def terminate(self) -> None:
        """Hang up at once."""


class PostgresClient(RowsClient):
    """A client of one server, or of whatever is in front of several."""

    ADD = "insert into elements values ($1, $2)"
    PUT = "insert into registers values ($1, $2) on conflict (key) do update set value = excluded.value"
    BEGIN = "insert into registers values ($1, $2) on conflict do nothing"
    APPEND = (
        "insert into lists values ($1, array[$2::bigint]) on conflict (key) do update set items = lists.items || $2"
    )
    TRANSACTION = "begin isolation level repeatable read"

    def __init__(self, model: ModelName, route: Route, *, user: str, password: str) -> None:
        super().__init__(model, route, user=user, password=password)
        self._connection: Connection | None = None

    async def open(self) -> None:
        """Connect and log in. Raises OSError."""
        try:
            self._connection = await asyncpg.connect(
                host=self._route.address,
                port=self._route.port,
                user=self._user,
                database=self._user,
                password=self._password,
                ssl=False,
                statement_cache_size=0,  # whoever pools connections gives the next statement to another one
            )
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            raise ConnectionError(f"may not log in: {error}") from error

    def close(self) -> None:
        """Hang up at once. Idempotent."""
        if self._connection is not None:
            self._connection.terminate()

    # --- operations --------------------------------------------------------------------------------------

    async def _elements(self, request: Request) -> Json:
        found = await self._look("select array_agg(value order by value) from elements where key = $1", request.key)
        return list(found or ())

    async def _register(self, request: Request) -> Json:
        found: int | None = await self._look("select value from registers where key = $1", request.key)
        return found

    async def _swap(self, key: str, expected: Json, new: Json) -> int:
        return await self._change("update registers set value = $2 where key = $1 and value = $3", key, new, expected)

    async def _list(self, key: str) -> list[Json]:
        return list(await self._look("select items from lists where key = $1", key) or ())

    # --- statements --------------------------------------------------------------------------------------

    async def _execute(self, statement: str, *values: Any) -> int:
        try:
            tag: str = await self._answer(self._open.execute(statement, *values))
        except asyncpg.UndefinedTableError as error:
            raise NoSuchTable(str(error)) from error
        return int(tag.rsplit(maxsplit=1)[-1])  # such as ``INSERT 0 1`` and ``UPDATE 1``

    async def _say(self, statement: str) -> None:
        await self._answer(self._open.execute(statement))

    async def _look(self, statement: str, *values: Any) -> Any:
        try:
            return await self._answer(self._open.fetchval(statement, *values))
        except asyncpg.UndefinedTableError:
            return None

    async def _make_tables(self) -> None:
        # Somebody else may do so in this moment.
        with contextlib.suppress(asyncpg.DuplicateTableError, asyncpg.DuplicateObjectError, Refused):
            await self._answer(self._open.execute(TABLES))

    async def _answer(self, work: "Awaitable[Any]") -> Any:
        """What the server answers; who gives up waiting for it leaves the server alone."""
        asked = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            asked.add_done_callback(_forget)
            raise
        except asyncpg.UndefinedTableError:
            raise
        except _REFUSED as error:
            raise Refused(str(error)) from error
        # Internal: the server ended the connection by an error between two statements, which asyncpg still takes in.
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            raise Unclear(str(error)) from error

    @property
    def _open(self) -> Connection:
        if self._connection is None:
            raise ConnectionError("the connection is not open")
        return self._connection


def _forget(asked: "asyncio.Future[Any]") -> None:
    """How it ends is nobody's business any more."""
    if not asked.cancelled():
        asked.exception()
