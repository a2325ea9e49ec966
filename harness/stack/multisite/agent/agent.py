"""The agent: reports what runs, and does what it is told, one thing at a time for each container."""

import asyncio
import signal
from collections.abc import Sequence

import httpx

from ...kit.ports import Log
from ...kit.tasks import Tasks
from ..inventory.entries import address_of
from ..inventory.reports import Assignment, Report, Running
from . import guard
from .core import Action, Container, decide, name_of
from .leases import Leases, now_s
from .ports import Engine, EngineError, Platform, PlatformError
from .settings import AgentSettings

LOOK_WITHIN_S = 0.5
AGAIN_AFTER_S = 1.0
"""What Docker has refused is not asked for again before."""
NOT_SHORTER_S = 1.0
"""What is left of a lease that something is started with."""


async def stopped() -> None:
    """Returns at SIGTERM or SIGINT."""
    await _told_to_stop().wait()


def _told_to_stop() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


class Agent:
    """Of one machine; made within a running loop."""

    def __init__(self, settings: AgentSettings, engine: Engine, platform: Platform, log: Log) -> None:
        self._settings, self._engine, self._platform, self._log = settings, engine, platform, log
        self._leases, self._tasks = Leases(settings.run / guard.FOLDER), Tasks(log)
        self._wanted: Sequence[Assignment] = ()
        self._busy: dict[int, Running] = {}
        self._ready: set[str] = set()
        self._ports: dict[str, int] = {}
        self._lease_until_s = 0.0
        self._troubles: dict[str, str] = {}

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. Containers go on."""
        stop, loop = _told_to_stop(), asyncio.get_running_loop()
        self._log("started", machine=self._settings.machine, site=self._settings.site)
        async with httpx.AsyncClient(timeout=LOOK_WITHIN_S, trust_env=False) as looks:
            while not stop.is_set():
                next_s = loop.time() + self._settings.report_s
                await self.once(looks)
                try:
                    async with asyncio.timeout_at(next_s):
                        await stop.wait()
                except TimeoutError:
                    pass
        self._log("stopped")

    async def once(self, looks: httpx.AsyncClient) -> None:
        """Report, hear, and begin what is to be done."""
        # Before it is looked what is there: what is done with by then is there or gone for sure.
        busy = dict(self._busy)
        try:
            containers = await asyncio.to_thread(self._engine.containers)
            self._trouble("docker", None)
        except EngineError as error:
            # Who cannot say what runs is silent: the platform takes the machine for lost.
            self._trouble("docker", str(error))
            return
        report = await self._reported(containers, looks)
        there = {one.replica for one in containers}
        # What is being made is no less there: else it would be given up and forgotten, and come all the same.
        coming = [one for number, one in busy.items() if number not in there]
        await self._hear(report.model_copy(update={"containers": [*report.containers, *coming]}))
        leased = self._lease_until_s - now_s() > NOT_SHORTER_S
        for action in decide(self._wanted, containers, {*busy, *self._busy}, leased=leased):
            service = action.assignment.service if action.assignment else "unknown"
            self._busy[action.replica] = Running(name=action.name, service=service, replica=action.replica, up=False)
            self._tasks.start(f"{action.do} {action.name}", self._do(action))

    async def _reported(self, containers: Sequence[Container], looks: httpx.AsyncClient) -> Report:
        for one in containers:
            if one.port:
                self._ports[one.name] = one.port
        running = {one.name for one in containers if one.running}
        self._ready &= running
        await asyncio.gather(*(self._look(one, looks) for one in containers if one.name in running - self._ready))
        return Report(
            site=self._settings.site,
            address=self._settings.address,
            cpu_millis=self._settings.cpu_millis,
            memory_mb=self._settings.memory_mb,
            containers=[
                Running(
                    name=one.name,
                    service=one.service,
                    # One that has crashed is still a backend: it will be started again, at the same place.
                    port=self._ports.get(one.name, 0),
                    health=one.health,
                    replica=one.replica,
                    up=one.running,
                    ready=one.name in self._ready,
                )
                for one in containers
            ],
        )

    async def _look(self, one: Container, looks: httpx.AsyncClient) -> None:
        if not one.port:
            return
        try:
            answer = await looks.get(f"http://{address_of(self._settings.address, one.port)}{one.health}")
        except httpx.HTTPError:
            return
        if answer.is_success:
            self._ready.add(one.name)

    async def _hear(self, report: Report) -> None:
        sent_s = now_s()
        try:
            answer = await self._platform.report(report)
            self._trouble("platform", None)
        except PlatformError as error:
            # What runs goes on; what exclusive containers may do ends by itself.
            self._trouble("platform", str(error))
            return
        self._wanted = answer.assignments
        self._trouble("labels", "; ".join(answer.complaints) or None)
        exclusive = [one for one in answer.assignments if one.deploy.exclusive]
        if exclusive and not guard.is_guarded(self._settings.run):
            guard.start(self._settings.run, self._settings.docker)
        self._lease_until_s = sent_s + answer.lease_s
        for one in exclusive:
            if one.phase != "stop":
                self._leases.renew(name_of(one), self._lease_until_s)
        there = {one.name for one in report.containers}
        self._leases.only(there | {name_of(one) for one in exclusive})

    async def _do(self, action: Action) -> None:
        try:
            await asyncio.to_thread(self._carry_out, action)
            self._log(action.do, container=action.name)
            self._trouble(action.name, None)
        except EngineError as error:
            self._trouble(action.name, str(error))
            await asyncio.sleep(AGAIN_AFTER_S)
        finally:
            del self._busy[action.replica]

    def _carry_out(self, action: Action) -> None:
        match action.do:
            case "create":
                assert action.assignment is not None
                self._engine.create(action.name, action.assignment)
            case "start":
                self._engine.start(action.name)
            case "stop":
                self._engine.stop(action.name)
            case "remove":
                self._engine.remove(action.name)

    def _trouble(self, where: str, what: str | None) -> None:
        if self._troubles.get(where) == what:
            return
        if what is None:
            self._log("well-again", where=where)
            del self._troubles[where]
        else:
            self._log("trouble", where=where, message=what)
            self._troubles[where] = what
