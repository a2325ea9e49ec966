"""What both services have in common: requests by HTTP/1.1, each answered from what is known when it is asked."""

import contextlib
import json
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any
from urllib.parse import unquote, urlsplit

IDLE_S = 30
"""A connection that is kept and not used."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one request."""

    status: int
    body: str
    kind: str = "application/json"


def told(status: int, **what: Any) -> Answer:
    """As JSON."""
    return Answer(status, json.dumps(what) + "\n")


App = Callable[[str, Sequence[str]], Answer]
"""Method and the parts of the path -> its answer."""


def readiness(name: str, needed: Mapping[str, str], useful: Mapping[str, str]) -> Answer:
    """Each dependency and why it is not there; an empty text: it is. Only those that are needed decide."""
    said = {what: why or "yes" for what, why in {**needed, **useful}.items()}
    return told(503 if any(needed.values()) else 200, by=name, **said)


def handler_of(app: App, name: str) -> type[BaseHTTPRequestHandler]:
    """What answers for a service."""

    class Answers(BaseHTTPRequestHandler):
        """Requests of one connection."""

        protocol_version = "HTTP/1.1"
        timeout = IDLE_S

        def _answer(self) -> None:
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal() or int(length) > 65536 or "Transfer-Encoding" in self.headers:
                self.close_connection = True
                return self._send(told(413, why="too much, or nobody knows how much"))
            self.rfile.read(int(length))  # nothing in it is used; the next request is behind it
            parts = [unquote(part) for part in urlsplit(self.path).path.split("/") if part]
            return self._send(app(self.command, parts))

        do_GET = do_PUT = do_POST = do_DELETE = _answer

        def _send(self, answer: Answer) -> None:
            body = answer.body.encode()
            with contextlib.suppress(OSError):  # who asked may have left
                self.send_response(answer.status)
                self.send_header("Content-Type", f"{answer.kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("X-Served-By", name)
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Balancers knock all the time."""

    return Answers


class Server(ThreadingHTTPServer):
    """A thread a connection."""

    daemon_threads = True
    request_queue_size = 128


def serve(app: App, name: str, address: str, port: int) -> int:
    """Answers until it is told to stop (SIGTERM)."""
    Server.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with Server((address, port), handler_of(app, name)) as server:

        def stop(number: int, frame: FrameType | None) -> None:
            # From a thread of its own: it waits for the loop that this has interrupted.
            threading.Thread(target=server.shutdown).start()

        signal.signal(signal.SIGTERM, stop)
        server.serve_forever(poll_interval=0.1)
    return 0


def settings_of(words: Sequence[str], usage: str) -> dict[str, Any]:
    """What the one file says that is named. Raises SystemExit for wrong usage."""
    if len(words) != 1:
        sys.stderr.write(f"{usage}\n")
        raise SystemExit(2)
    with open(words[0], encoding="utf-8") as file:
        return dict(json.load(file))
