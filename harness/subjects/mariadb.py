"""Clients of MariaDB over aiomysql: objects made of rows, an operation a statement that commits by itself.

aiomysql neither retries nor pools here, and hangs up on a statement that is given up. Of several servers that replicate
to each other each is read once it has applied what was committed before (``wsrep_sync_wait``), unless that is left out.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import aiomysql
import pymysql

from harness.events import Json
from harness.workloads.client import Refused, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import ModelName, Route
from harness.workloads.rows import NoSuchTable, RowsClient

TABLES = (
    "create table if not exists elements (name varchar(99), value bigint, primary key (name, value))",
    "create table if not exists registers (name varchar(99) primary key, value bigint not null)",
    "create table if not exists lists (name varchar(99) primary key, items longtext not null)",
)
"""Whoever finds them missing makes them."""
OPENS_WITHIN_S = 5.0
SYNC_WAIT: Mapping[str, int] = {"wsrep_sync_wait": 1}
"""What is read is judged, and a server may not have applied yet what another one acknowledged."""
_NO_SUCH_TABLE = 1146
_REFUSED = frozenset(
    {
        1020,  # the row has changed since the transaction began; rolled back
        1047,  # the node has no quorum, and took no command
        1062,  # the row is there already
        1142,  # may not
        1205,  # waited too long for a lock
        1213,  # lost to another transaction, here or on another node; rolled back
        1290,  # read only
        1792,  # read only, as its transaction
        1836,  # read only, as its server
    }
)
"""Errors of a statement that was rolled back, or never begun. After any other (1180, while committing) nobody knows."""


class Connection(Protocol):
    """What is used of aiomysql's."""

    async def cursor(self) -> Any:
        """What statements are executed by. Raises pymysql.err.Error."""

    def close(self) -> None:
        """Hang up at once."""


class MariadbClient(RowsClient):
    """A client of one server, or of whatever is in front of several."""

    ADD = "insert into elements values (%s, %s)"
    PUT = "insert into registers values (%s, %s) on duplicate key update value = values(value)"
    BEGIN = "insert ignore into registers values (%s, %s)"
    APPEND = "insert into lists values (%s, %s) on duplicate key update items = concat(items, ' ', values(items))"
    TRANSACTION = "start transaction"

    def __init__(
        self, model: ModelName, route: Route, *, user: str, password: str, settings: Mapping[str, int] = SYNC_WAIT
    ) -> None:
        super().__init__(model, route, user=user, password=password)
        self._settings = settings
        self._connection: Connection | None = None

    async def open(self) -> None:
        """Connect and log in. Raises OSError."""
        try:
            self._connection = await aiomysql.connect(
                host=self._route.address,
                port=self._route.port,
                user=self._user,
                password=self._password,
                db=self._user,
                autocommit=True,
                connect_timeout=OPENS_WITHIN_S,
                init_command="set session " + ", ".join(f"{name} = {one}" for name, one in self._settings.items()),
            )
        except pymysql.err.Error as error:
            raise ConnectionError(f"may not log in: {error}") from error

    def close(self) -> None:
        """Hang up at once. Idempotent."""
        if self._connection is not None:
            self._connection.close()

    # --- operations --------------------------------------------------------------------------------------

    async def _elements(self, request: Request) -> Json:
        rows = await self._look("select value from elements where name = %s order by value", request.key)
        return [value for (value,) in rows]

    async def _register(self, request: Request) -> Json:
        rows = await self._look("select value from registers where name = %s", request.key)
        found: int | None = rows[0][0] if rows else None
        return found

    async def _swap(self, key: str, expected: Json, new: Json) -> int:
        swap = "update registers set value = %s where name = %s and value = %s"
        return await self._change(swap, new, key, expected)

    async def _list(self, key: str) -> list[Json]:
        rows = await self._look("select items from lists where name = %s", key)
        return [int(item) for item in rows[0][0].split()] if rows else []

    # --- statements --------------------------------------------------------------------------------------

    async def _execute(self, statement: str, *values: Any) -> int:
        count, _ = await self._answer(statement, *values)
        return count

    async def _say(self, statement: str) -> None:
        await self._answer(statement)

    async def _look(self, statement: str, *values: Any) -> "list[tuple[Any, ...]]":
        try:
            _, rows = await self._answer(statement, *values)
        except NoSuchTable:
            return []
        return rows

    async def _make_tables(self) -> None:
        for table in TABLES:
            await self._answer(table)

    async def _answer(self, statement: str, *values: Any) -> "tuple[int, list[tuple[Any, ...]]]":
        """How many rows it was about, and those that are read."""
        if self._connection is None:
            raise ConnectionError("the connection is not open")
        try:
            cursor = await self._connection.cursor()
            count: int = await cursor.execute(statement, values or None)
            return count, list(await cursor.fetchall())
        except pymysql.err.Error as error:
            code = error.args[0] if error.args else None
            if code == _NO_SUCH_TABLE:
                raise NoSuchTable(str(error)) from error
            if code in _REFUSED:
                raise Refused(str(error)) from error
            raise Unclear(str(error)) from error
