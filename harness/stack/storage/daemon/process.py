"""The process: a loop, an API, a watchdog, until it is told to stop. Killed at any moment, the next one goes on."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from ...kit.ports import Log
from ...kit.threads import OwnThreads
from .. import VERSION
from ..failover.promotion import Master
from ..places import Places
from .api.app import application
from .audit import ITSELF
from .autonomy import Autonomy
from .failing_over import FailingOver
from .peering import KeyUnusable, Peering, key_of
from .settings import Cluster, Settings
from .snapshotting import Snapshotting
from .systemd import tell, watchdog_every_s
from .tiering import Tiering
from .tls import TlsUnusable


class StartError(Exception):
    """The daemon cannot start; says why in one line."""


class _Server(uvicorn.Server):
    """Signals are the daemon's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(places: Places, settings: Settings, log: Log) -> None:
    """Run until SIGTERM or SIGINT. Raises StartError, StateDamaged."""
    if settings.tls is not None:
        try:
            settings.tls.checked()
        except TlsUnusable as error:
            raise StartError(f"tls: {error}") from error
    with _alone(places.run / "daemon.lock"), _listening(settings.host, settings.port) as listener:
        asyncio.run(_run(places, settings, log, listener))


async def _run(places: Places, settings: Settings, log: Log, listener: socket.socket) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.set_default_executor(OwnThreads())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    autonomy = Autonomy(places, settings, log)
    faults = autonomy.audit.verify()
    autonomy.audit.write(ITSELF, "started", version=VERSION, level=int(autonomy.level), faults=len(faults))
    for one in faults:
        log("audit log", line=one.line, what=one.what)
    tls = settings.tls.of_uvicorn() if settings.tls else {}
    config = uvicorn.Config(application(autonomy), log_level="warning", access_log=False, lifespan="off", **tls)
    server = _Server(config)
    work = [asyncio.create_task(one) for one in (autonomy.run(), _watched(), *_caring(autonomy, settings, log))]
    if (wanted := settings.failover) is not None:
        master = Master(wanted.address, wanted.folder, wanted.config)
        failing_over = FailingOver(master, autonomy, wanted.every_s, wanted.misses, log)
        work.append(asyncio.create_task(failing_over.run()))
    if settings.cluster is not None:
        work.append(asyncio.create_task(await _peering(autonomy, settings.cluster, log)))
    for task in work:
        task.add_done_callback(lambda _: stop.set())
    rpc = await _rpc(autonomy, settings)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    log("started", version=VERSION, level=int(autonomy.level), api=":".join(map(str, listener.getsockname()[:2])))
    tell("READY=1")
    await stop.wait()
    tell("STOPPING=1")
    server.should_exit = True
    if rpc is not None:
        await rpc.stop(1.0)
    await serving
    for task in work:
        if task.done():
            task.result()  # nothing but an error ends it
        task.cancel()
    autonomy.audit.write(ITSELF, "stopped")
    log("stopped")


def _caring(autonomy: Autonomy, settings: Settings, log: Log) -> list[Coroutine[object, object, None]]:
    """What is done for volumes that are well, where the settings want it."""
    if settings.snapshots is not None:
        autonomy.snapshotting = Snapshotting(settings.snapshots, autonomy.audit, lambda: autonomy.level, log)
    if settings.tiering is not None:
        autonomy.tiering = Tiering(settings.tiering, autonomy, log)
    return [one.run() for one in (autonomy.snapshotting, autonomy.tiering) if one is not None]


async def _peering(autonomy: Autonomy, cluster: Cluster, log: Log) -> Coroutine[object, object, None]:
    try:
        peering = Peering(cluster, autonomy, key_of(cluster.key_file), log)
        server = await peering.listen()
    except KeyUnusable as error:
        raise StartError(f"cluster.key_file: {error}") from error
    except OSError as error:
        where = f"{cluster.host}:{cluster.port}"
        raise StartError(f"cluster.listen: cannot listen at {where}: {error.strerror or error}") from error
    autonomy.peering = peering
    return peering.run(server)


async def _rpc(autonomy: Autonomy, settings: Settings) -> Any:
    if settings.grpc is None:
        return None
    host, port = settings.grpc
    try:
        # Only who wants it has it installed.
        from .rpc.server import start
    except ImportError as error:
        raise StartError(f"grpc needs more ({error.name}): apt-get install python3-grpcio python3-protobuf") from error
    try:
        return await start(autonomy, host, port, settings.tls)
    except (RuntimeError, OSError) as error:
        raise StartError(f"grpc.listen: cannot listen at {host}:{port}: {error}") from error


async def _watched() -> None:
    """The loop answers: so systemd hears of it, half as late as it would give us up."""
    every_s = watchdog_every_s()
    while True:
        tell("WATCHDOG=1")
        await asyncio.sleep(every_s or 3600.0)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StartError(f"another daemon runs here ({lock} is locked): stop it first") from error
    else:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise StartError(f"api.listen: cannot listen at {host}:{port}: {error.strerror}") from error
    # asyncio does that only for sockets whose protocol is named; without it an answer on a connection that is kept open
    # waits 40 ms for the acknowledgement of its first half (tcp(7), TCP_NODELAY). Those that are accepted inherit it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with listener:
        yield listener
