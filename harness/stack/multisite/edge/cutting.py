"""Ending the edge's connections to backends that fell silent.

A machine that froze, or that no packet reaches any more, never says that a connection is over: what Caddy has sent
there would wait for minutes. Ended from our side, it counts as a failed connection at once, and the edge goes by its
own rules: a GET is asked of somebody else, a POST is answered 502.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ...kit.ports import Log

AGAIN_S, EVERY_S = 0.1, 0.5
"""Caddy dials the same backend once more before it gives up, and a frozen kernel takes that: so the first ones are
ended again soon, and then for as long as the silence lasts."""
SS_WITHIN_S = 5.0

End = Callable[[str], Awaitable[None]]


class Cutter:
    """``now`` says who is silent; ``run`` has their connections ended by ``end``, an address at a time."""

    def __init__(self, end: End) -> None:
        self._end = end
        self._silent: frozenset[str] = frozenset()
        self._news = asyncio.Event()

    def now(self, silent: frozenset[str]) -> None:
        """These addresses ("HOST:PORT") and no others."""
        if silent != self._silent:
            self._silent = silent
            self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if not self._silent:
                await self._news.wait()
            first = self._news.is_set()
            self._news.clear()
            for address in sorted(self._silent):
                await self._end(address)
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S if first else EVERY_S):
                    await self._news.wait()


class SocketsOfThisMachine:
    """Ends TCP connections by ss(8), which needs the right to (CAP_NET_ADMIN) and a kernel with INET_DIAG_DESTROY."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._told = ""

    async def end(self, address: str) -> None:
        """End all to "HOST:PORT"; what prevents it is logged once."""
        host, _, port = address.rpartition(":")
        family = "-6" if ":" in host else "-4"
        # Without "-t -4" ss asks for sockets that cannot be ended, and then ends none.
        words = ["-K", "-H", "-n", "-t", family, "state", "connected", "dst", host.strip("[]"), "dport", "=", port]
        try:
            process = await asyncio.create_subprocess_exec(
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
            if process.returncode or said:
                self._tell(said.decode(errors="replace").strip() or f"ss: exit code {process.returncode}")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _tell(self, why: str) -> None:
        if why != self._told:
            self._told = why
            self._log("connections-not-ended", why=why)
