"""A Python module run as a process of its own and driven by JSON lines.

Each request carries a number and is answered by ``{"done": number, "error": "", "result": ...}``. The
first answer, number 0, says that the process is up. It ends when its standard input is closed, so
it never outlives the run that started it.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import harness
from harness.errors import HarnessError
from harness.events import Json

_END_WITHIN_S = 3.0
_LOG_TAIL_BYTES = 2000


class LineProcess:
    """Starts ``python -m module`` and asks it things; what it says on standard error goes to ``log``."""

    def __init__(self, module: str, arguments: Sequence[str], log: Path) -> None:
        self._module = module
        self._arguments = arguments
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[tuple[str, Json]]] = {}
        self._number = 0

    @property
    def pid(self) -> int | None:
        """The process, while it is meant to run."""
        return self._process.pid if self._process else None

    async def start(self, within_s: float = 10.0) -> None:
        """Start it; it is up when this returns. Raises HarnessError with its last words when it does not come up."""
        root = str(Path(harness.__file__).parent.parent)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self._module, *self._arguments),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=os.environ | {"PYTHONPATH": root},
            )
        up = self._expect(0)
        self._reader = asyncio.create_task(self._read_answers(self._process))
        await self._answered(up, within_s)

    async def ask(self, request: Mapping[str, object], within_s: float = 10.0) -> Json:
        """Send a request and give its result; HarnessError with the process's own words when it fails or is gone."""
        if self._process is None or self._process.stdin is None:
            raise HarnessError(f"{self._module} is not running")
        self._number += 1
        future = self._expect(self._number)
        with contextlib.suppress(ConnectionError):  # a dead process is noticed by its missing answer
            self._process.stdin.write(json.dumps({"number": self._number, **request}).encode() + b"\n")
            await self._process.stdin.drain()
        return await self._answered(future, within_s)

    async def close(self) -> None:
        """End it by closing its input, or kill it when it does not end. Idempotent.

        Raises HarnessError when it had ended by itself before: then it missed things.
        """
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            code = await asyncio.wait_for(process.wait(), _END_WITHIN_S)
        except TimeoutError:
            process.kill()
            code = await process.wait()
        if self._reader is not None:
            await self._reader
        if code != 0:
            raise HarnessError(self._death())

    def _expect(self, number: int) -> asyncio.Future[tuple[str, Json]]:
        future: asyncio.Future[tuple[str, Json]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        return future

    async def _answered(self, future: asyncio.Future[tuple[str, Json]], within_s: float) -> Json:
        if self._reader is not None and self._reader.done():
            raise HarnessError(self._death())
        try:
            error, result = await asyncio.wait_for(future, within_s)
        except TimeoutError as late:
            raise HarnessError(f"{self._module} did not answer within {within_s:g} s") from late
        if error:
            raise HarnessError(f"{self._module}: {error}")
        return result

    async def _read_answers(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            fields = json.loads(line)
            future = self._waiting.pop(fields["done"], None)
            if future and not future.done():
                future.set_result((fields["error"], fields["result"]))
        for future in self._waiting.values():
            if not future.done():
                future.set_result((self._death(), None))
        self._waiting.clear()

    def _death(self) -> str:
        said = self._log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()
        return f"the process {self._module} ended by itself ({said or 'it said nothing'})"
