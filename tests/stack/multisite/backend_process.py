"""A backend: answers with its name, and notes each request when it begins and when it is done.

The notes are written at once, so that they hold also when it is killed. /health says 200; /slow takes a second.
"""

import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME, PORT, NOTES = sys.argv[1], int(sys.argv[2]), sys.argv[3]
WORK_S = 0.01
notes = os.open(NOTES, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with kept connections, as the edge likes them."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Work a little, unless it is a look."""
        if self.path == "/health":
            self._say()
            return
        which = f"{self.command} {self.headers.get('X-Request', '-')}"
        os.write(notes, f"began {which}\n".encode())
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(1.0 if self.path == "/slow" else WORK_S)
        self._say()
        os.write(notes, f"done {which}\n".encode())

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def _say(self) -> None:
        body = NAME.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Takes many at once."""

    request_queue_size = 256
    daemon_threads = True


Server(("127.0.0.1", PORT), Handler).serve_forever()
