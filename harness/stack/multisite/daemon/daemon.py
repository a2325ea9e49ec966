"""The daemon: follows the inventory, looks at backends, tells the edge, and answers the API."""

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping

import uvicorn

from ...kit.ports import Log
from .. import VERSION
from ..api.app import application
from ..api.live import BackendState, EdgeState
from ..copies.copies import Alone, Copies, Sharing
from ..edge.admin import Admin
from ..edge.cutting import Cutter, SocketsOfThisMachine
from ..edge.program import caddy
from ..edge.sync import ConfigSync
from ..health.checker import Checker
from ..health.core import Rotation, Verdict
from ..health.oracle import Oracle
from ..inventory.database import Database, open_database
from ..inventory.reports import HubSaid
from ..inventory.snapshot import Snapshot
from ..network.hub import Hub, NoHub, Tunnels
from ..placement.placing import Placing
from ..settings.load import Settings
from .following import Edition, Follower
from .recording import Recorder

FIRST_ROUND_S = 5.0
"""How long the files of an earlier life stand while nobody has been looked at."""


class StartError(Exception):
    """The daemon cannot start; says why in one line."""


class Daemon:
    """All parts; made within a running loop."""

    def __init__(self, settings: Settings, database: Database, log: Log) -> None:
        self._settings, self._database, self._log = settings, database, log
        self._snapshot, self._held = Snapshot(), False
        self._admin = Admin(settings.layout.admin)
        program = caddy() if settings.validate else None
        self._recorder = Recorder(database, log)
        self._oracle = Oracle(settings.verdicts)
        self._cutter = Cutter(SocketsOfThisMachine(log))
        self._checker = Checker(settings.rules, settings.rhythm, self._publish, self._recorder.keep)
        self._sync = ConfigSync(self._admin, program, settings.last_good, self._recorder, log)
        self._follower = Follower(database, settings.layout, self._found, log)
        self._own_copy = None
        if settings.copies is not None:
            self._own_copy = Copies(settings.copies, database, self._follower.anew, log)
            database.before_commit = self._own_copy.carry
        self._is_edge = settings.copies is None or settings.copies.is_edge
        self.copies: Sharing = self._own_copy or Alone()
        self.placing = Placing(
            database, settings.pace, self._is_down, self._follower.poke, log, leads=self.copies.leads
        )
        self._own_hub = None
        if settings.hub is not None:
            self._own_hub = Hub(
                settings.hub,
                database,
                self._follower.poke,
                log,
                leads=self.copies.leads,
                says=self._hub_says,
            )
            if self._own_copy is not None:
                self._own_copy.hub_heard = self._own_hub.heard_of
        self.hub: Tunnels = self._own_hub or NoHub()

    async def run(self, listener: socket.socket) -> None:
        """Until SIGTERM or SIGINT. Raises StartError."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        server = _Server(uvicorn.Config(application(self._database, self), log_level="warning", access_log=False))
        self._log("started", version=VERSION, api=":".join(map(str, listener.getsockname()[:2])))
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._admin.close)
            stack.callback(self._oracle.close)
            if self._is_edge:
                await self._be_edge(stack, stop)
            if self._own_copy is not None:
                await stack.enter_async_context(_in_background(self._own_copy.run(), stop))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            await stop.wait()
            server.should_exit = True
            await serving
            self._log("stopped")

    async def _be_edge(self, stack: contextlib.AsyncExitStack, stop: asyncio.Event) -> None:
        for work in (self._recorder.run(), self._checker.run(), self._cutter.run()):
            await stack.enter_async_context(_in_background(work, stop))
        await self._follower.look()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_ROUND_S):
                await self._checker.first_round()
        await self._listen()
        own_hub = [] if self._own_hub is None else [self._own_hub.run()]
        for work in (*own_hub, self._follower.run(), self._sync.run(), self.placing.run()):
            await stack.enter_async_context(_in_background(work, stop))

    # --- what the API asks; from other threads: only reads, of what is replaced and not changed in place ---------

    def backends(self) -> list[BackendState]:
        """Every backend that is watched."""
        now_s, rotation = time.monotonic(), self._oracle.telling.rotation
        verdict = self._checker.core.verdict
        return [
            BackendState(
                service=one.service,
                site=one.site,
                address=one.address,
                verdict=verdict(one.key, now_s).value,
                in_use=one.weight > 0 and one.key not in rotation.out,
                draining=one.draining,
            )
            for one in self._snapshot.backends
            if not one.idle
        ]

    def edge(self) -> EdgeState:
        """The edge."""
        now = self._sync.status
        return EdgeState(now.reachable, now.in_force, now.wanted, self._held, now.loads, now.repairs, now.error)

    def counters(self) -> Mapping[str, float]:
        """For the metrics."""
        now = self._sync.status
        return {"looks": self._checker.looks, "edge_loads": now.loads, "edge_repairs": now.repairs}

    def poke(self) -> None:
        """The database was changed."""
        self._follower.poke()

    def _is_down(self, key: tuple[str, str], now_s: float) -> bool:
        return self._checker.core.verdict(key, now_s) is Verdict.down

    def _publish(self, rotation: Rotation) -> None:
        # Who is heard again gets new connections: none of those may be ended. Who falls silent gets none before his are
        # ended: what is tried again must not go there.
        self._cutter.only_of(rotation.silent)
        self._oracle.publish(rotation)
        self._cutter.now(rotation.silent)

    def _hub_says(self, said: HubSaid) -> None:
        if self._own_copy is not None:
            self._own_copy.own_hub = said

    def _found(self, edition: Edition) -> None:
        self._snapshot, self._held = edition.snapshot, edition.held
        self._checker.watch(edition.snapshot)
        if self.copies.may_configure():
            self._sync.want(edition.document)

    async def _listen(self) -> None:
        host, port = self._settings.oracle
        try:
            await self._oracle.listen(host, port)
        except OSError as error:
            raise StartError(f"edge.oracle: cannot listen at {host}:{port}: {error.strerror}") from error


class _Server(uvicorn.Server):
    """Signals are the daemon's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def _in_background(work: Coroutine[object, object, None], stop: asyncio.Event) -> AsyncIterator[None]:
    """Runs until the block ends. Should it end by itself, the daemon stops, with its error."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda _: stop.set())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def serve(settings: Settings, log: Log) -> None:
    """Run a daemon until it is told to stop. Raises StartError, DatabaseError."""
    database = open_database(settings.database)
    host, port = settings.api
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise StartError(f"api: cannot listen at {host}:{port}: {error.strerror}") from error

    async def run() -> None:
        await Daemon(settings, database, log).run(listener)

    try:
        asyncio.run(run())
    finally:
        listener.close()
        database.close()
