"""What clients of relational stores share: objects made of rows, an operation a statement that commits by itself.

=========  =====================================================================================================
ledger,    a row an element, so that no write can hide another
set
register   a row; a compare-and-set is an update of the row that holds the value (or an insertion, of none)
list       a row; an append makes it longer in place
=========  =====================================================================================================
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from harness.events import Json
from harness.workloads.client import Refused
from harness.workloads.generators import Request
from harness.workloads.load import ModelName, Route

MODELS: tuple[ModelName, ...] = ("ledger", "set", "register", "list")


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

    def __init__(self, model: ModelName, route: Route, *, user: str, password: str) -> None:
        self.at_stake = False
        self._route, self._user, self._password = route, user, password
        known: Mapping[ModelName, Mapping[str, Callable[[Request], Awaitable[Json]]]] = {
            "ledger": {"write": self._add, "read": self._elements},
            "set": {"add": self._add, "read": self._elements},
            "register": {"read": self._register, "write": self._write, "cas": self._cas},
            "list": {"append": self._append, "read": self._list},
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
    async def _append(self, request: Request) -> Json:
        """Make the list longer."""

    @abstractmethod
    async def _list(self, request: Request) -> Json:
        """The whole list."""

    @abstractmethod
    async def _execute(self, statement: str, *values: Any) -> int:
        """How many rows a statement changed. Raises NoSuchTable, Refused and Unclear."""

    @abstractmethod
    async def _make_tables(self) -> None:
        """Somebody else may do so in the same moment."""
