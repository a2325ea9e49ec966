"""The daemon's side of the control socket: whatever is asked, and whatever goes wrong with it, there is an answer."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path

from ...kit.messages import Message, message
from ...kit.ports import Log
from .client import CONTROL_PATH

Body = dict[str, object]
Command = Callable[[Body], Awaitable[Body]]
COMPLETE_WITHIN_S = 5.0
"""How long a command that is not there yet is waited for after a start: `init`, then `token`."""


class ControlServer:
    """Answers ``{"command": ..., its arguments}``; a refusal is ``{"ok": False, "error": message.to_json()}``."""

    def __init__(
        self,
        commands: Mapping[str, Command],
        log: Log,
        *,
        at_once: Collection[str] = (),
        path: Path = CONTROL_PATH,
        complete_within_s: float = COMPLETE_WITHIN_S,
    ) -> None:
        """``commands`` may grow until ``complete`` is called; those ``at_once`` do not wait for that."""
        self._commands, self._log, self._at_once = commands, log, frozenset(at_once)
        self._path, self._complete_within_s = path, complete_within_s
        self._complete = asyncio.Event()

    async def open(self) -> None:
        """Begin to answer."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        self._path.chmod(0o600)

    def complete(self) -> None:
        """All commands are there."""
        self._complete.set()

    def close(self) -> None:
        """Take no more requests."""
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(json.dumps(await self._answer(reader), default=str).encode() + b"\n")
            await writer.drain()
        except ConnectionError:
            pass  # whoever asked does not wait any more
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> Body:
        try:
            request = json.loads(await reader.readline())
        except ValueError:  # not JSON, or without an end
            request = None
        if not isinstance(request, dict):
            return refusal(message("control.no-request"))
        command = str(request.get("command"))
        try:
            return await self._do(command, request)
        except Exception as error:  # whatever it is: who asked is told, and it is in the log
            why = f"{type(error).__name__}: {error}"
            self._log("warning", what=f"command {command}", message=why)
            return refusal(message("control.failed", command=command, why=why))

    async def _do(self, command: str, request: Body) -> Body:
        if command not in self._at_once:
            try:
                await asyncio.wait_for(self._complete.wait(), self._complete_within_s)
            except TimeoutError:
                return refusal(message("control.starting"))
        function = self._commands.get(command)
        return refusal(message("control.unknown", command=command)) if function is None else await function(request)


def refusal(why: Message) -> Body:
    """The answer to what is not done."""
    return {"ok": False, "error": why.to_json()}
