"""The daemon's connection to Corosync: made in a thread, since a Corosync that hangs lets whoever connects hang."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from .core import DISCONNECTED, Report
from .quorum import QuorumConnection, QuorumError

RECONNECT_FIRST_S, RECONNECT_LAST_S, RECONNECT_GROWTH = 0.01, 0.5, 1.1
"""A try costs little, and what it comes late it adds to a start: never more than a tenth."""


class CorosyncLink:
    """Hands on what Corosync reports, in the loop it was made in; what is lost is connected again."""

    def __init__(self, on_report: Callable[[Report], None], log: Callable[..., None]) -> None:
        self._on_report, self._log = on_report, log
        self._loop = asyncio.get_running_loop()
        self._quorum: QuorumConnection | None = None

    def connect(self) -> None:
        """As soon as Corosync lets us."""
        self._loop.run_in_executor(None, self._connecting, None)

    def _connecting(self, lost: QuorumConnection | None) -> None:
        if lost is not None:
            lost.close()  # in which libqb sleeps for some 40 ms, so not in the loop
        pause_s = RECONNECT_FIRST_S
        while True:
            try:
                connection = QuorumConnection(self._on_report)
            except QuorumError:
                time.sleep(pause_s)
                pause_s = min(pause_s * RECONNECT_GROWTH, RECONNECT_LAST_S)
                continue
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._connected, connection)
            return

    def _connected(self, connection: QuorumConnection) -> None:
        self._quorum = connection
        self._log("corosync-connected")
        self._loop.add_reader(connection.fileno(), self._readable)
        self._readable()

    def _readable(self) -> None:
        connection = self._quorum
        assert connection is not None
        try:
            connection.dispatch()
        except QuorumError as error:
            self._loop.remove_reader(connection.fileno())
            self._quorum = None
            self._log("corosync-lost", error=str(error))
            self._on_report(DISCONNECTED)
            self._loop.run_in_executor(None, self._connecting, connection)
