"""The command line as its users have it: a process, a real control socket, an environment of its own."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from harness.stack.kit import speech
from harness.stack.sfha.control import client


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No language in the environment, and none left behind."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    yield
    speech.choose("en")


Answer = Callable[[dict[str, Any]], object]


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], list[dict[str, Any]]]]:
    """Gives a function that has a control socket answer, and returns the requests that come."""
    path = tmp_path / "control.sock"
    server = socket.socket(socket.AF_UNIX)
    requests: list[dict[str, Any]] = []
    monkeypatch.setattr(client.ask, "__defaults__", (path,))

    def answer_with(answer: Answer) -> list[dict[str, Any]]:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            while True:
                try:
                    link, _ = server.accept()
                except OSError:
                    return
                with link:
                    request = json.loads(link.makefile().readline())
                    requests.append(request)
                    link.sendall(json.dumps(answer(request)).encode() + b"\n")

        threading.Thread(target=serve, daemon=True).start()
        return requests

    yield answer_with
    with suppress(OSError):  # nobody was to answer
        server.shutdown(socket.SHUT_RDWR)
    server.close()
