"""What clients of relational stores share: objects made of rows, an operation a statement that commits by itself.

=========  =====================================================================================================
ledger,    a row an element, so that no write can hide another
set
register   a row; a compare-and-set is an update of the row that holds the value (or an insertion, of none)
list       a row; an append makes it longer in place
transac-   several reads of such lists, and appends to them, of one snapshot: between a beginning and a commit,
tions      which alone may have an outcome that nobody knows
=========  =====================================================================================================
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from harness.events import Json
from harness.workloads.client import Refused
from harness.workloads.generators import Request
from harness.workloads.load import ModelName, Route

MODELS: tuple[ModelName, ...] = ("ledger", "set", "register", "list", "transactions")


class NoSuchTable(Exception):
    """Of a statement about a table that is not there (yet)."""


class RowsClient(ABC):
    """A client of one server, or of whatever is in front of several."""

    ADD: str
    """Adds an element: takes key and value, as all of these do."""
    PUT: str
    """Gives a register its value, whatever it held."""
    BEGIN: str
    """Gives a register its first value; changes no row where it has one."""

    APPEND: str
    """Makes a list longer by an item, or begins it."""
    TRANSACTION: str
    """Begins one."""

    def __init__(self, model: ModelName, route: Route, *, user: str, password: str) -> None:
        self.at_stake = False
        self._route, self._user, self._password = route, user, password
        known: Mapping[ModelName, Mapping[str, Callable[[Request], Awaitable[Json]]]] = {
            "ledger": {"write": self._add, "read": self._elements},
            "set": {"add": self._add, "read": self._elements},
            "register": {"read": self._register, "write": self._write, "cas": self._cas},
            "list": {"append": self._append, "read": self._read_list},
            "transactions": {"txn": self._transact, "query": self._transact},
        }
        self._functions = known[model]

    async def invoke(self, request: Request) -> Json:
        """Carry out one operation."""
        self.at_stake = False
        return await self._functions[request.function](request)

    async def _add(self, request: Request) -> Json:
        await self._change(self.ADD, request.key, request.value)
        return request.value

    async def _write(self, request: Request) -> Json:
        await self._change(self.PUT, request.key, request.value)
        return request.value

    async def _cas(self, request: Request) -> Json:
        assert isinstance(request.value, list)
        expected, new = request.value
        if expected is None:
            count = await self._change(self.BEGIN, request.key, new)
        else:
            count = await self._swap(request.key, expected, new)
        if not count:
            raise Refused("it holds another value")
        return request.value

    async def _append(self, request: Request) -> Json:
        await self._change(self.APPEND, request.key, request.value)
        return request.value

    async def _read_list(self, request: Request) -> Json:
        return await self._list(request.key)

    async def _transact(self, request: Request) -> Json:
        """The steps, with what was read. Raises Refused once it is rolled back."""
        assert isinstance(request.value, list)
        await self._say(self.TRANSACTION)
        try:
            done: list[Json] = [await self._step(request.key, step) for step in request.value]
            self.at_stake = any(isinstance(step, list) and step[0] != "r" for step in request.value)
            await self._say("commit")
        except NoSuchTable as error:
            await self._say("rollback")
            await self._make_tables()
            raise Refused(str(error)) from error
        except Refused:
            self.at_stake = False
            await self._say("rollback")
            raise
        return done

    async def _step(self, objects: str, step: Any) -> list[Json]:
        function, number, value = step
        key = f"{objects}/{number}"
        if function == "r":
            return [function, number, await self._list(key)]
        await self._execute(self.APPEND, key, value)
        return [function, number, value]

    async def _change(self, statement: str, *values: Any) -> int:
        """How many rows it changed; who finds the tables missing makes them."""
        self.at_stake = True
        try:
            return await self._execute(statement, *values)
        except NoSuchTable:
            await self._make_tables()
        try:
            return await self._execute(statement, *values)
        except NoSuchTable as error:  # as of who only follows, and has not been told of it yet
            raise Refused(str(error)) from error

    @abstractmethod
    async def _elements(self, request: Request) -> Json:
        """All elements, in their order."""

    @abstractmethod
    async def _register(self, request: Request) -> Json:
        """What the register holds."""

    @abstractmethod
    async def _swap(self, key: str, expected: Json, new: Json) -> int:
        """How many registers were changed: none where it holds anything but what is expected."""

    @abstractmethod
    async def _list(self, key: str) -> list[Json]:
        """The whole list."""

    @abstractmethod
    async def _execute(self, statement: str, *values: Any) -> int:
        """How many rows a statement changed. Raises NoSuchTable, Refused and Unclear."""

    @abstractmethod
    async def _say(self, statement: str) -> None:
        """A statement about the transaction. Raises Refused and Unclear."""

    @abstractmethod
    async def _make_tables(self) -> None:
        """Somebody else may do so in the same moment."""
