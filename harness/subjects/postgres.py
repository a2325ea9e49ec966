"""Clients of PostgreSQL over asyncpg: objects made of rows, an operation a statement.

=========  =====================================================================================================
ledger,    a row an element, so that no write can hide another
set
register   a row; a compare-and-set is an update of the row that holds the value (or an insertion, of none)
list       a row with an array; an append makes it longer in place
=========  =====================================================================================================

asyncpg neither retries nor pools. It would ask the server to cancel a statement that is given up: such a request may
end a commit's wait for its replicas, so nobody cancels here; whoever gives up hangs up.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import asyncpg

from harness.events import Json
from harness.workloads.client import Refused, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import ModelName, Route

MODELS: tuple[ModelName, ...] = ("ledger", "set", "register", "list")
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


class PostgresClient:
    """A client of one server, or of whatever is in front of several."""

    def __init__(self, model: ModelName, route: Route, *, user: str, password: str) -> None:
        self.at_stake = False
        self._route, self._user, self._password = route, user, password
        self._connection: Connection | None = None
        known: Mapping[ModelName, Mapping[str, Callable[[Request], Awaitable[Json]]]] = {
            "ledger": {"write": self._add, "read": self._elements},
            "set": {"add": self._add, "read": self._elements},
            "register": {"read": self._register, "write": self._write, "cas": self._cas},
            "list": {"append": self._append, "read": self._list},
        }
        self._functions = known[model]

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
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise ConnectionError(f"may not log in: {error}") from error

    async def invoke(self, request: Request) -> Json:
        """Carry out one operation."""
        self.at_stake = False
        return await self._functions[request.function](request)

    def close(self) -> None:
        """Hang up at once. Idempotent."""
        if self._connection is not None:
            self._connection.terminate()

    # --- operations --------------------------------------------------------------------------------------

    async def _add(self, request: Request) -> Json:
        await self._change("insert into elements values ($1, $2)", request.key, request.value)
        return request.value

    async def _elements(self, request: Request) -> Json:
        found = await self._look("select array_agg(value order by value) from elements where key = $1", request.key)
        return list(found or ())

    async def _register(self, request: Request) -> Json:
        found: int | None = await self._look("select value from registers where key = $1", request.key)
        return found

    async def _write(self, request: Request) -> Json:
        put = "insert into registers values ($1, $2) on conflict (key) do update set value = excluded.value"
        await self._change(put, request.key, request.value)
        return request.value

    async def _cas(self, request: Request) -> Json:
        assert isinstance(request.value, list)
        expected, new = request.value
        if expected is None:
            tag = await self._change("insert into registers values ($1, $2) on conflict do nothing", request.key, new)
        else:
            swap = "update registers set value = $2 where key = $1 and value = $3"
            tag = await self._change(swap, request.key, new, expected)
        if tag.endswith(" 0"):
            raise Refused("it holds another value")
        return request.value

    async def _append(self, request: Request) -> Json:
        longer = (
            "insert into lists values ($1, array[$2::bigint]) on conflict (key) do update set items = lists.items || $2"
        )
        await self._change(longer, request.key, request.value)
        return request.value

    async def _list(self, request: Request) -> Json:
        return list(await self._look("select items from lists where key = $1", request.key) or ())

    # --- statements --------------------------------------------------------------------------------------

    async def _change(self, statement: str, *values: Any) -> str:
        self.at_stake = True
        try:
            tag: str = await self._answer(self._open.execute(statement, *values))
        except asyncpg.UndefinedTableError:
            await self._make_tables()
            try:
                tag = await self._answer(self._open.execute(statement, *values))
            except asyncpg.UndefinedTableError as error:  # as of who only follows, and has not been told of it yet
                raise Refused(str(error)) from error
        return tag

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
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
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
