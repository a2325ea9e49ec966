"""Every request on the control socket is answered: over a real socket, by the client that commands use."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness.stack.kit.messages import from_json
from harness.stack.sfha.control.client import ask
from harness.stack.sfha.control.server import Body, Command, ControlServer, refusal


class Served:
    """A server whose commands are ``commands``; ``ask`` is answered with words, ``logged`` is what it logged."""

    def __init__(self, path: Path) -> None:
        self.path, self.logged = path, list[tuple[str, dict[str, object]]]()
        self.commands: dict[str, Command] = {}
        self.server = ControlServer(self.commands, self.log, at_once=("status",), path=path, complete_within_s=0.05)

    def log(self, event: str, **fields: object) -> None:
        self.logged.append((event, fields))

    async def ask(self, command: str) -> dict[str, Any]:
        return dict(json.loads(await asyncio.to_thread(ask, command, self.path)))

    async def send(self, line: bytes) -> dict[str, Any]:
        def exchange() -> bytes:
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(5)
                link.connect(str(self.path))
                link.sendall(line)
                link.shutdown(socket.SHUT_WR)
                return link.makefile("rb").read()

        return dict(json.loads(await asyncio.to_thread(exchange)))


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    one = Served(tmp_path / "control.sock")
    await one.server.open()
    yield one
    one.server.close()


def words(answer: dict[str, Any]) -> str:
    assert answer["ok"] is False
    return str(from_json(answer["error"]))


async def well(request: Body) -> Body:
    return {"ok": True, "asked": request["command"]}


async def broken(_request: Body) -> Body:
    raise RuntimeError("the disk is on fire")


async def test_what_is_there_from_the_start_is_answered_at_once(served: Served) -> None:
    served.commands["status"] = well
    assert await served.ask("status") == {"ok": True, "asked": "status"}
    assert served.path.stat().st_mode & 0o777 == 0o600


async def test_other_commands_wait_until_all_are_there_and_no_longer(served: Served) -> None:
    served.commands["token"] = well
    assert "is still starting" in words(await served.ask("token"))
    served.server.complete()
    assert await served.ask("token") == {"ok": True, "asked": "token"}


async def test_a_command_that_breaks_is_answered_and_logged(served: Served) -> None:
    served.commands["status"] = broken
    assert "RuntimeError: the disk is on fire" in words(await served.ask("status"))
    assert served.logged == [("warning", {"what": "command status", "message": "RuntimeError: the disk is on fire"})]


async def test_an_unknown_command_is_refused(served: Served) -> None:
    served.server.complete()
    assert "does not know the command 'dance'" in words(await served.ask("dance"))


@pytest.mark.parametrize("line", [b"\n", b"", b"status\n", b"[1]\n", b"\xff\n", b"{" * (1 << 17) + b"\n"])
async def test_what_is_no_request_is_answered(line: bytes, served: Served) -> None:
    assert "no request" in words(await served.send(line))
    assert served.logged == []


def test_a_refusal_keeps_its_message() -> None:
    from harness.stack.kit.messages import message

    assert from_json(refusal(message("control.starting"))["error"]) == message("control.starting")
