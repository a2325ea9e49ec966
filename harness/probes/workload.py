"""The workload process: ``python -m harness.probes.workload``, driven by :mod:`harness.probes.workload_process`.

It lives in a client's network namespace and carries out loads (see :mod:`harness.workloads`), so that our work does
not delay what clients do.
"""

import asyncio
import contextlib
import dataclasses
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.clock import now_s
from harness.errors import HarnessError
from harness.events import Json, ReadBack
from harness.fabric.namespaces import enter
from harness.history import Recorder
from harness.probes.commands import answer
from harness.subjects.found import kind_at, subject_called
from harness.workloads.client import Client
from harness.workloads.load import Load, Route, load_of
from harness.workloads.running import RunningLoad


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the process is started with, as one JSON argument.

    Logical processes are numbered from ``first_process`` on: no two processes of a history have the same number.
    """

    history: str
    namespace: str
    loads: tuple[Load, ...]
    first_process: int = 1
    stores: Mapping[str, str] = field(default_factory=dict)
    """Where the class of a subject is that this process cannot find by its name, and so where its clients are."""
    settings: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    """What such a class is called with."""
    search: tuple[str, ...] = ()
    """The directories where its module is looked for."""

    def to_json(self) -> str:
        """As one argument."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """What :meth:`to_json` wrote."""
        fields = json.loads(text)
        return cls(**fields | {"loads": tuple(map(load_of, fields["loads"])), "search": tuple(fields["search"])})

    def connect(self, load: Load) -> Callable[[Route], Client]:
        """What makes the clients of a load: the subject that is its store."""
        if load.store in self.stores:
            store = kind_at(self.stores[load.store], *map(Path, self.search))(**self.settings.get(load.store, {}))
        else:
            store = subject_called(load.store)
        return partial(store.client, load.model)


class Workload:
    """The loads of the process, side by side."""

    def __init__(self, settings: Settings) -> None:
        self._recorder = Recorder(Path(settings.history))
        processes, operations = itertools.count(settings.first_process), itertools.count(1)
        self._loads = [
            RunningLoad(load, settings.connect(load), self._recorder.record, processes, operations)
            for load in settings.loads
        ]

    def begin(self) -> None:
        """Start, or go on."""
        for load in self._loads:
            load.begin()

    async def pause(self) -> None:
        """Stop; returns when every operation under way has ended."""
        await asyncio.gather(*(load.pause() for load in self._loads))

    def raise_mistakes(self) -> None:
        """Raise HarnessError when a client has failed by itself: what it saw says nothing of its store."""
        if mistakes := [load.mistake for load in self._loads if load.mistake]:
            raise HarnessError("; ".join(mistakes))

    def counts(self) -> dict[str, Json]:
        """Operations so far: invoked, ok, failed, unknown."""
        counts = [load.counts() for load in self._loads]
        return {name: sum(one[name] for one in counts) for name in ("invoked", "ok", "failed", "unknown")}

    def first_acknowledged_after(self, t_s: float) -> float | None:
        """When the first operation after ``t_s`` was acknowledged, or None so far."""
        found = [load.first_acknowledged_after(t_s) for load in self._loads]
        return min((one for one in found if one is not None), default=None)

    async def read_back(self, node: str, address: str, within_s: float) -> int:
        """Record everything one member holds of the ledger, asked directly; gives how many values that are.

        Raises HarnessError when it could not be read in time.
        """
        count = 0
        for load in self._ledgers():
            route = Route(node=node, address=address, port=load.load.routes[0].port)
            values = await load.read_member(route, within_s)
            self._recorder.record(ReadBack(t_s=now_s(), node=node, key=load.load.key, values=values))
            count += len(values)
        return count

    async def look_at_the_end(self, within_s: float, without: Sequence[str]) -> None:
        """Have the last operations show what is there. Raises HarnessError when some got no answer in time."""
        others = [load for load in self._loads if load not in self._ledgers()]
        await asyncio.gather(*(load.look_at_the_end(within_s, without) for load in others))

    def _ledgers(self) -> list[RunningLoad]:
        return [load for load in self._loads if load.load.model == "ledger"]


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
            case {"do": "begin"}:
                workload.begin()
            case {"do": "pause"}:
                await workload.pause()
                workload.raise_mistakes()
            case {"do": "counts"}:
                result = workload.counts()
            case {"do": "first_acknowledged_after", "t_s": float(t_s)}:
                result = workload.first_acknowledged_after(t_s)
            case {"do": "read_back", "node": str(node), "address": str(address), "within_s": float(within_s)}:
                result = await workload.read_back(node, address, within_s)
            case {"do": "look_at_the_end", "without": list(without), "within_s": float(within_s)}:
                await workload.look_at_the_end(within_s, [str(node) for node in without])
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


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest, which then closes our input
    started_with = Settings.from_json(sys.argv[1])
    enter(Path(started_with.namespace))
    asyncio.run(serve(started_with))
