"""Carrying out a load: open loop, every operation noted before it is sent and when it ended.

An operation is due when it is due, whatever became of the ones before; it is noted with that time, so that latency
can be told from when it was wanted. Nothing is ever tried again. A logical process does one thing at a time; one
whose operation ended unknown never comes back (it may still take effect), another with a new number takes its place.
"""

import asyncio
import bisect
import contextlib
import traceback
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.clock import now_s
from harness.errors import HarnessError
from harness.events import Completed, Event, Invoked, Json
from harness.workloads.client import CONNECTION_ENDED, Client, Refused
from harness.workloads.generators import Request, due_s, last_looks, request
from harness.workloads.load import Load, Route

_IDLE_CLIENTS = 5
_AGAIN_AFTER_S = 0.1
_READ_TIMEOUT_S = 5.0
_SHOWS_A_VALUE = ("read", "write", "cas")
Record = Callable[[Event], None]
Outcome = Literal["ok", "failed", "unknown"]


@dataclass(slots=True)
class _Process:
    """A logical process: its number, where it goes and, while it is good, its client."""

    number: int
    route: int
    client: Client | None = None

    def drop_client(self) -> None:
        if self.client is not None:
            self.client.close()
            self.client = None


class RunningLoad:
    """One load, its logical processes, and how their operations ended.

    ``connect`` makes a client for a route; ``processes`` and ``operations`` give numbers that nobody else in the
    history has.
    """

    def __init__(
        self,
        load: Load,
        connect: Callable[[Route], Client],
        record: Record,
        processes: Iterator[int],
        operations: Iterator[int],
    ) -> None:
        self.load = load
        self._client_for = connect
        self._record = record
        self._processes = processes
        self._operations = operations
        self._idle: list[deque[_Process]] = [deque() for _ in load.routes]
        self._outstanding: set[asyncio.Task[Completed]] = set()
        self._pace: asyncio.Task[None] | None = None
        self._number = 0
        self._seen: dict[str, Json] = {}
        self._acknowledged_s: list[float] = []
        self._ended: dict[Outcome, int] = {"ok": 0, "failed": 0, "unknown": 0}
        self.mistake = ""
        """What the client itself did wrong, the first time, for a person: not the store's failure."""

    def begin(self) -> None:
        """Start, or go on."""
        if self._pace is None:
            self._pace = asyncio.create_task(self._keep_pace())

    async def pause(self) -> None:
        """Stop; returns when every operation under way has ended."""
        if self._pace is not None:
            self._pace.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pace
            self._pace = None
        if self._outstanding:
            await asyncio.wait(self._outstanding)

    def counts(self) -> dict[str, int]:
        """Operations so far: invoked, ok, failed, unknown."""
        ended = {str(outcome): number for outcome, number in self._ended.items()}
        return {"invoked": sum(ended.values()) + len(self._outstanding)} | ended

    def first_acknowledged_after(self, t_s: float) -> float | None:
        """When the first operation after ``t_s`` was acknowledged, or None so far."""
        position = bisect.bisect_right(self._acknowledged_s, t_s)
        return self._acknowledged_s[position] if position < len(self._acknowledged_s) else None

    async def look_at_the_end(self, within_s: float, without: Collection[str]) -> None:
        """Read every object, or drain every queue, by operations like any others, until they are answered.

        Raises HarnessError when some were not answered in time; members in ``without`` are left out.
        """
        deadline_s = now_s() + within_s
        for wanted in last_looks(self.load, without):
            while True:
                ended = await self._perform(wanted, now_s())
                if ended.outcome == "ok" and (wanted.function != "dequeue" or ended.value is None):
                    break
                if now_s() > deadline_s:
                    route = self.load.routes[wanted.route]
                    raise HarnessError(
                        f"{wanted.key}, by {route.address}:{route.port}, could not be read to the end within "
                        f"{within_s:g} s ({ended.error or 'there is always more'})"
                    )
                await asyncio.sleep(0.0 if ended.outcome == "ok" else _AGAIN_AFTER_S)

    async def read_member(self, route: Route, within_s: float) -> tuple[int, ...]:
        """Everything one member holds of a ledger or set, asked directly; not an operation of the history.

        Raises HarnessError when it could not be read in time.
        """
        deadline_s = now_s() + within_s
        while True:
            client = self._client_for(route)
            try:
                async with asyncio.timeout(_READ_TIMEOUT_S):
                    await client.open()
                    found = await client.invoke(Request(function="read", key=self.load.key, route=0))
                    if not isinstance(found, list):
                        raise TypeError(f"gave {found!r}, not a list of all values")
                    return tuple(int(str(value)) for value in found)
            except (Refused, *CONNECTION_ENDED) as error:
                if now_s() > deadline_s:
                    raise HarnessError(
                        f"the {self.load.store} of {route.node} at {route.address}:{route.port} could not be "
                        f"read within {within_s:g} s ({_words(error)})"
                    ) from error
            except Exception as error:
                raise HarnessError(self._mistake_in(error, "read")) from error
            finally:
                client.close()
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def _keep_pace(self) -> None:
        begun_s, place = now_s(), 0
        while True:
            at_s = due_s(begun_s, place, self.load.rate_per_s)
            await asyncio.sleep(max(0.0, at_s - now_s()))
            place += 1
            self._number += 1
            task = asyncio.create_task(self._perform(request(self.load, self._number), at_s))
            self._outstanding.add(task)
            task.add_done_callback(self._outstanding.discard)

    async def _perform(self, wanted: Request, at_s: float) -> Completed:
        """One operation from its call to its end, noted."""
        idle, route = self._idle[wanted.route], self.load.routes[wanted.route]
        process = idle.popleft() if idle else _Process(next(self._processes), wanted.route)
        operation = next(self._operations)
        if wanted.function == "cas":
            wanted = replace(wanted, value=[self._seen.get(wanted.key), wanted.value])
        self._record(
            Invoked(
                t_s=now_s(),
                due_s=at_s,
                process=process.number,
                operation=operation,
                function=wanted.function,
                key=wanted.key,
                value=wanted.value,
                node=route.node,
                connection=f"{route.address}:{route.port}",
            )
        )
        outcome, answer, error = await self._attempt(process, wanted)
        ended = Completed(
            t_s=now_s(), process=process.number, operation=operation, outcome=outcome, value=answer, error=error
        )
        self._record(ended)
        self._took(wanted, ended)
        self._retire(process, outcome)
        return ended

    async def _attempt(self, process: _Process, wanted: Request) -> tuple[Outcome, Json, str]:
        try:
            async with asyncio.timeout(self.load.timeout_s):
                if process.client is None:
                    process.client = self._client_for(self.load.routes[process.route])
                    await process.client.open()
                return "ok", await process.client.invoke(wanted), ""
        except Refused as error:
            return "failed", wanted.value, _words(error)
        except Exception as error:
            if not isinstance(error, CONNECTION_ENDED):
                self.mistake = self.mistake or self._mistake_in(error, wanted.function)
            at_stake = process.client is not None and process.client.at_stake
            process.drop_client()
            return ("unknown" if at_stake else "failed"), wanted.value, _words(error)

    def _mistake_in(self, error: Exception, function: str) -> str:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}, line {last.lineno}"
        return f"the client of {self.load.store} failed at {function}: {type(error).__name__}: {error} ({where})"

    def _took(self, wanted: Request, ended: Completed) -> None:
        self._ended[ended.outcome] += 1
        if ended.outcome != "ok":
            return
        self._acknowledged_s.append(ended.t_s)
        if self.load.model == "register" and wanted.function in _SHOWS_A_VALUE:
            self._seen[wanted.key] = ended.value[1] if wanted.function == "cas" else ended.value

    def _retire(self, process: _Process, outcome: Outcome) -> None:
        idle = self._idle[process.route]
        if len(idle) >= _IDLE_CLIENTS:
            process.drop_client()
        elif outcome != "unknown":
            idle.append(process)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
