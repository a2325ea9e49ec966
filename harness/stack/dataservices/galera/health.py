#!/usr/bin/env python3
"""Says to HAProxy whether a Galera node may be used: a program that stands on its own on a server.

Every question is asked of MariaDB anew: an answer of before is worth nothing from a node that is cut off. /writer is
answered with 200 by a node that takes writes, /reader by one that has what the others have as well; else with 503.
Needs python3-pymysql.

Usage: galera_health.py SETTINGS.json
"""

import contextlib
import json
import socket
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

ANSWERS_WITHIN_S = 0.4
"""HAProxy waits for 0.5 s."""
DONOR, SYNCED = "2", "4"
WRITABLE = ("0", "OFF")
"""MariaDB 11.8 has several ways to be read only, and so a word for not being it."""
ASKED = """select lower(variable_name), variable_value from information_schema.global_status
 where variable_name in ('wsrep_ready', 'wsrep_cluster_status', 'wsrep_local_state')
 union all select 'read_only', cast(@@global.read_only as char)"""


def why_not(path: str, status: Mapping[str, str]) -> str:
    """Why a node is not to be used for what the path asks; an empty text: it may be."""
    if status.get("wsrep_cluster_status") != "Primary":
        return "is not in the primary component"
    if status.get("wsrep_ready") != "ON":
        return "is not ready"
    state = status.get("wsrep_local_state")
    if path == "/writer":
        # A donor is copied from without being blocked, and what it takes is certified as ever.
        if status.get("read_only") not in WRITABLE:
            return "is read only"
        return "" if state in (SYNCED, DONOR) else "is not in step"
    if path == "/reader":
        return "" if state == SYNCED else "is not in step"
    return "there is /writer and /reader"


class Asked(Protocol):
    """What is asked how it is."""

    def status(self) -> Mapping[str, str]:
        """How it is. Raises OSError where it does not say."""


class Node:
    """This server's MariaDB, asked by one at a time over one connection."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._one = threading.Lock()
        self._connection: Any = None

    def status(self) -> Mapping[str, str]:
        """See Asked."""
        import pymysql

        if not self._one.acquire(timeout=ANSWERS_WITHIN_S):
            raise TimeoutError("MariaDB takes its time")
        try:
            if self._connection is None:
                self._connection = pymysql.connect(
                    unix_socket=self._settings["socket"],
                    user=self._settings["user"],
                    password=self._settings["password"],
                    connect_timeout=1,
                    read_timeout=ANSWERS_WITHIN_S,
                    autocommit=True,
                )
            with self._connection.cursor() as cursor:
                cursor.execute(ASKED)
                return {str(name): str(value) for name, value in cursor.fetchall()}
        except (pymysql.err.Error, OSError) as error:
            if self._connection is not None:
                with contextlib.suppress(pymysql.err.Error, OSError):
                    self._connection.close()
            self._connection = None
            raise ConnectionError("MariaDB does not answer") from error
        finally:
            self._one.release()


def handler_of(node: Asked) -> type[BaseHTTPRequestHandler]:
    """What answers for a node."""

    class Answers(BaseHTTPRequestHandler):
        """A request each."""

        timeout = 2

        def do_GET(self) -> None:
            """200 or 503, and why."""
            try:
                why = why_not(self.path, node.status())
            except OSError as error:
                why = str(error)
            body = f"{why or 'yes'}\n".encode()
            with contextlib.suppress(OSError):  # HAProxy hangs up once it has read the first line
                self.send_response(503 if why else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nobody wants to read four lines a second."""

    return Answers


class Server(ThreadingHTTPServer):
    """A thread a request; none is waited for."""

    daemon_threads = True
    request_queue_size = 64


def main(words: "list[str]") -> int:
    """Answers for ever."""
    if len(words) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    with open(words[0], encoding="utf-8") as file:
        settings = json.load(file)
    Server.address_family = socket.AF_INET6 if ":" in settings["address"] else Server.address_family
    with Server((settings["address"], int(settings["port"])), handler_of(Node(settings))) as server:
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
