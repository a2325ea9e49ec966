"""Ending the edge's connections to backends that fell silent.

A machine that froze, or that no packet reaches any more, never says that a connection is over: what Caddy has sent
there would wait for minutes. Ended from our side, it counts as a failed connection at once, and the edge goes by its
own rules: a GET is asked of somebody else, a POST is answered 502.
"""

import asyncio
from asyncio.subprocess import Process
from contextlib import suppress
from signal import SIGKILL
from typing import Protocol

from ...kit.ports import Log

AGAIN_S, EVERY_S = 0.1, 0.5
"""Caddy dials the same backend once more before it gives up, and a frozen kernel takes that: so the first ones are
ended again soon, and then for as long as the silence lasts."""
SS_WITHIN_S = 5.0


class Sockets(Protocol):
    """What ends connections."""

    async def end(self, address: str) -> None:
        """All to "HOST:PORT"."""

    def stop(self) -> None:
        """End none any more of those that are being ended."""


class Cutter:
    """``now`` says who is silent; ``run`` has their connections ended, an address at a time."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._silent: frozenset[str] = frozenset()
        self._ending = ""
        self._news = asyncio.Event()

    def now(self, silent: frozenset[str]) -> None:
        """These addresses ("HOST:PORT") and no others: once this returns, a new connection to another one is safe."""
        if silent != self._silent:
            self._silent = silent
            self._news.set()
        if self._ending and self._ending not in silent:
            self._sockets.stop()

    def only_of(self, silent: frozenset[str]) -> None:
        """Those of the ones so far that are among these."""
        self.now(self._silent & silent)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if not self._silent:
                await self._news.wait()
            first = self._news.is_set()
            self._news.clear()
            for address in sorted(self._silent):
                if address in self._silent:  # still
                    self._ending = address
                    await self._sockets.end(address)
                    self._ending = ""
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S if first else EVERY_S):
                    await self._news.wait()


class SocketsOfThisMachine:
    """Ends TCP connections by ss(8), which needs the right to (CAP_NET_ADMIN) and a kernel with INET_DIAG_DESTROY."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._told = ""
        self._process: Process | None = None

    def stop(self) -> None:
        """At once."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def end(self, address: str) -> None:
        """End all to "HOST:PORT"; what prevents it is logged once."""
        host, _, port = address.rpartition(":")
        family = "-6" if ":" in host else "-4"
        # Without "-t -4" ss asks for sockets that cannot be ended, and then ends none.
        words = ["-K", "-H", "-n", "-t", family, "state", "connected", "dst", host.strip("[]"), "dport", "=", port]
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                "ss", *words,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            self._tell(f"ss: {error.strerror}")
            return
        try:
            async with asyncio.timeout(SS_WITHIN_S):
                _, said = await process.communicate()
        except TimeoutError:
            self._tell(f"ss: not done within {SS_WITHIN_S:g} s")
        else:
            if (process.returncode or said) and process.returncode != -SIGKILL:
                self._tell(said.decode(errors="replace").strip() or f"ss: exit code {process.returncode}")
        finally:
            self._process = None
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _tell(self, why: str) -> None:
        if why != self._told:
            self._told = why
            self._log("connections-not-ended", why=why)
