"""The workload process: ``python -m harness.probes.workload``, driven by :class:`harness.probes.ledger.Ledger`.

It lives in a client's network namespace and writes distinct integers through one address at a steady
rate, open loop: a write is due when it is due, whatever became of the ones before. It never retries.
Every write is noted before it is sent and when it ended. A logical process does one thing at a
time; one whose write ended unknown never comes back (its write may still take effect), another
with a new number takes its place.
"""

import asyncio
import bisect
import contextlib
import json
import os
import signal
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.clock import now_s
from harness.errors import HarnessError
from harness.events import Completed, Invoked, Json, ReadBack
from harness.fabric.namespaces import enter
from harness.history import Recorder
from harness.probes.commands import answer
from harness.probes.stores import KEY, Connection, Refused, StoreName, Unclear, connect

_IDLE_CLIENTS = 5
_OUTSTANDING_LIMIT = 128
_READ_TIMEOUT_S = 5.0
_READ_AGAIN_AFTER_S = 0.1
Outcome = Literal["ok", "failed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the process is started with, as one JSON argument."""

    history: str
    namespace: str
    store: StoreName
    address: str
    port: int
    rate_per_s: float
    timeout_s: float


@dataclass(slots=True)
class Client:
    """A logical process: its number and, while it is good, its connection."""

    number: int
    connection: Connection | None = None


class Workload:
    """The writers, and how their writes ended."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._recorder = Recorder(Path(settings.history))
        self._clients = 0
        self._idle = deque(self._new_client() for _ in range(_IDLE_CLIENTS))
        self._outstanding: set[asyncio.Task[None]] = set()
        self._pace: asyncio.Task[None] | None = None
        self._operation = 0
        self._acknowledged_s: list[float] = []
        self._ended: dict[Outcome, int] = {"ok": 0, "failed": 0, "unknown": 0}

    def begin(self) -> None:
        """Start writing, or go on."""
        if self._pace is None:
            self._pace = asyncio.create_task(self._keep_pace())

    async def pause(self) -> None:
        """Stop writing; returns when every write under way has ended."""
        if self._pace is not None:
            self._pace.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pace
            self._pace = None
        if self._outstanding:
            await asyncio.wait(self._outstanding)

    def counts(self) -> dict[str, int]:
        """Writes so far: invoked, ok, failed, unknown."""
        ended = {str(outcome): number for outcome, number in self._ended.items()}
        return {"invoked": self._operation} | ended

    def first_acknowledged_after(self, t_s: float) -> float | None:
        """When the first write after ``t_s`` was acknowledged, or None so far."""
        position = bisect.bisect_right(self._acknowledged_s, t_s)
        return self._acknowledged_s[position] if position < len(self._acknowledged_s) else None

    async def read_back(self, node: str, address: str, within_s: float) -> int:
        """Record everything one member holds, asked directly; gives how many values that are.

        Raises HarnessError when it could not be read in time.
        """
        deadline_s = now_s() + within_s
        while True:
            try:
                async with asyncio.timeout(_READ_TIMEOUT_S):
                    values = await self._read(address)
                break
            except (OSError, EOFError, TimeoutError, Refused, Unclear) as error:
                if now_s() > deadline_s:
                    raise HarnessError(
                        f"the {self._settings.store} of {node} at {address}:{self._settings.port} could not be "
                        f"read within {within_s:g} s ({_words(error)})"
                    ) from error
            await asyncio.sleep(_READ_AGAIN_AFTER_S)
        self._recorder.record(ReadBack(t_s=now_s(), node=node, key=KEY, values=tuple(sorted(values))))
        return len(values)

    async def _read(self, address: str) -> list[int]:
        connection = await connect(self._settings.store, address, self._settings.port)
        try:
            return await connection.read_all()
        finally:
            connection.close()

    async def _keep_pace(self) -> None:
        due_s = now_s()
        while True:
            if len(self._outstanding) < _OUTSTANDING_LIMIT:
                task = asyncio.create_task(self._write())
                self._outstanding.add(task)
                task.add_done_callback(self._outstanding.discard)
            due_s += 1.0 / self._settings.rate_per_s
            await asyncio.sleep(max(0.0, due_s - now_s()))

    async def _write(self) -> None:
        client = self._idle.popleft() if self._idle else self._new_client()
        self._operation += 1
        operation = value = self._operation
        self._recorder.record(
            Invoked(t_s=now_s(), process=client.number, operation=operation, function="write", key=KEY, value=value)
        )
        outcome, error = await self._attempt(client, value)
        t_s = now_s()
        self._recorder.record(
            Completed(t_s=t_s, process=client.number, operation=operation, outcome=outcome, value=value, error=error)
        )
        self._ended[outcome] += 1
        if outcome == "ok":
            self._acknowledged_s.append(t_s)
        self._retire(client, outcome)

    async def _attempt(self, client: Client, value: int) -> tuple[Outcome, str]:
        sent = False
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                if client.connection is None:
                    client.connection = await connect(self._settings.store, self._settings.address, self._settings.port)
                sent = True
                await client.connection.write(value)
            return "ok", ""
        except Refused as error:
            return "failed", _words(error)
        except (OSError, EOFError, TimeoutError, Unclear, ValueError, LookupError) as error:
            if client.connection is not None:
                client.connection.close()
                client.connection = None
            return ("unknown" if sent else "failed"), _words(error)

    def _retire(self, client: Client, outcome: Outcome) -> None:
        if len(self._idle) < _IDLE_CLIENTS:
            self._idle.append(self._new_client() if outcome == "unknown" else client)
        elif client.connection is not None:
            client.connection.close()

    def _new_client(self) -> Client:
        self._clients += 1
        return Client(self._clients)


async def serve(settings: Settings) -> None:
    """Obey lines from standard input until it is closed."""
    workload = Workload(settings)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    _say(answer(0))
    obeying: set[asyncio.Task[None]] = set()
    async for line in reader:
        task = asyncio.create_task(_obey(workload, json.loads(line)))
        obeying.add(task)
        task.add_done_callback(obeying.discard)
    await workload.pause()


async def _obey(workload: Workload, request: dict[str, Json]) -> None:
    number = request["number"]
    assert isinstance(number, int)
    result: Json = None
    try:
        match request:
            case {"do": "write"}:
                workload.begin()
            case {"do": "pause"}:
                await workload.pause()
            case {"do": "counts"}:
                result = dict(workload.counts())
            case {"do": "first_acknowledged_after", "t_s": float(t_s)}:
                result = workload.first_acknowledged_after(t_s)
            case {"do": "read_back", "node": str(node), "address": str(address), "within_s": float(within_s)}:
                result = await workload.read_back(node, address, within_s)
            case _:
                raise HarnessError(f"not a request of the workload: {request}")
    except HarnessError as error:
        _say(answer(number, str(error)))
    else:
        _say(answer(number, "", result))


def _say(line: bytes) -> None:
    # The other side is gone when this fails; the end of standard input says so as well.
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), line)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest, which then closes our input
    started_with = Settings(**json.loads(sys.argv[1]))
    enter(Path(started_with.namespace))
    asyncio.run(serve(started_with))
