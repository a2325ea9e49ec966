"""Running services: processes of the daemon's own, or units where systemd runs. What comes of it is reported back."""

import asyncio
import contextlib
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from ...kit.ports import Log
from ...kit.tasks import Tasks
from .core import Ended, Started, Stopped

STATE_DIRECTORY = Path("/run/sfha/services")
LOG_DIRECTORY = Path("/var/log/sfha")
SYSTEMD = Path("/run/systemd/system")
GONE_WITHIN_S = 2.0
GONE_EVERY_S = 0.005
SPARE_S = 2.0

Report = Callable[[Started | Ended | Stopped], None]


class ServiceLike(Protocol):
    """What is known of a service here."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def command(self) -> tuple[str, ...]: ...
    @property
    def stop_timeout_s(self) -> float: ...


class Runner:
    """Starts and stops services, one thing at a time for each of them."""

    def __init__(
        self, report: Report, log: Log, *, state_directory: Path = STATE_DIRECTORY, log_directory: Path = LOG_DIRECTORY
    ) -> None:
        self._report = report
        self._state, self._logs = state_directory, log_directory
        self._services: dict[str, ServiceLike] = {}
        self._started_as: dict[str, ServiceLike] = {}
        self._processes: dict[str, Process] = {}
        self._tasks = Tasks(log)
        self._turns: dict[str, asyncio.Lock] = {}
        self._ending: set[Process] = set()

    def configure(self, services: Sequence[ServiceLike]) -> None:
        """How services are to be started from now on; what runs is stopped as it was started."""
        self._services = {one.name: one for one in services}

    def clear(self) -> list[str]:
        """Kill the processes that an earlier life of the daemon has left; the names of their services."""
        found = []
        for path in sorted(self._state.glob("*.json")) if self._state.is_dir() else ():
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                known = json.loads(path.read_text())
                if started_at(int(known["pid"])) == known["started"] or group_lives(int(known["pid"])):
                    os.killpg(int(known["pid"]), signal.SIGKILL)
                    found.append(path.stem)
            path.unlink(missing_ok=True)
        return found

    async def clear_units(self) -> list[str]:
        """Stop the units that an earlier life of the daemon has left running; the names of their services."""
        if not SYSTEMD.exists():
            return []
        found = []
        for one in list(self._services.values()):
            if one.type == "systemd" and await _systemctl("is-active", one.unit, within_s=SPARE_S) is None:
                await _systemctl("stop", one.unit, within_s=one.stop_timeout_s + SPARE_S)
                found.append(one.name)
        return found

    def start(self, name: str) -> None:
        """Start it; ``Started`` is reported."""
        self._tasks.start(f"start of {name}", self._start(name))

    def stop(self, name: str, *, kill: bool) -> None:
        """Stop it; ``Stopped`` is reported when nothing of it is left."""
        process = self._processes.get(name)
        if process is not None and process.returncode is None:
            self._ending.add(process)
        if kill:  # at once: a stop in good order that is under way is cut short by it
            self._signal(name, signal.SIGKILL)
        self._tasks.start(f"stop of {name}", self._stop(name, kill))

    def _turn(self, name: str) -> asyncio.Lock:
        return self._turns.setdefault(name, asyncio.Lock())

    # --- starting ---

    async def _start(self, name: str) -> None:
        async with self._turn(name):
            service = self._started_as[name] = self._services[name]
            try:
                error = await (self._spawn(service) if service.type == "process" else _start_unit(service))
            except OSError as failure:
                error = f"{service.command[0]}: {failure.strerror}"
            self._report(Started(name, error))

    async def _spawn(self, service: ServiceLike) -> str | None:
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / f"{service.name}.log").open("ab") as log:
            # The service ends with the daemon that watches over it: nobody else would stop it. It is not as urgent.
            niceness = os.getpriority(os.PRIO_PROCESS, 0)
            ordinary = ["nice", "-n", str(-niceness)] if niceness < 0 else []
            process = await asyncio.create_subprocess_exec(
                *ordinary,
                *("setpriv", "--pdeathsig", "KILL", "--", *service.command),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        self._processes[service.name] = process
        self._remember(service.name, process.pid)
        self._tasks.start(f"watch over {service.name}", self._watch(service.name, process))
        return None

    def _remember(self, name: str, pid: int) -> None:
        self._state.mkdir(parents=True, exist_ok=True)
        (self._state / f"{name}.json").write_text(json.dumps({"pid": pid, "started": started_at(pid)}))

    async def _watch(self, name: str, process: Process) -> None:
        code = await process.wait()
        if self._processes.get(name) is process and process not in self._ending:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            self._report(Ended(name, how))

    # --- stopping ---

    async def _stop(self, name: str, kill: bool) -> None:
        async with self._turn(name):
            service = self._started_as.get(name)
            if service is None:
                error = None
            elif service.type == "process":
                error = await self._end(service, kill)
            else:
                error = await _stop_unit(service, kill)
            self._report(Stopped(name, error))

    def _signal(self, name: str, number: int) -> None:
        process = self._processes.get(name)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    async def _end(self, service: ServiceLike, kill: bool) -> str | None:
        process = self._processes.get(service.name)
        if process is None:
            return None
        if not kill and process.returncode is None:
            self._signal(service.name, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), service.stop_timeout_s)
        self._signal(service.name, signal.SIGKILL)  # whatever is left of its group
        deadline_s = asyncio.get_running_loop().time() + GONE_WITHIN_S
        while group_lives(process.pid):
            if asyncio.get_running_loop().time() > deadline_s:
                return f"processes of its group {process.pid} are still there {GONE_WITHIN_S:g} s after SIGKILL"
            await asyncio.sleep(GONE_EVERY_S)
        await process.wait()
        self._ending.discard(process)
        if self._processes.get(service.name) is process:
            del self._processes[service.name]
        (self._state / f"{service.name}.json").unlink(missing_ok=True)
        return None


def started_at(pid: int) -> str | None:
    """When a process was started, in the kernel's own count (proc_pid_stat(5)); None when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def group_lives(pid: int) -> bool:
    """Whether any process of the group is left that could still do something."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return any(_in_group(entry, pid) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _in_group(entry: Path, group: int) -> bool:
    """A dead process that nobody has collected yet is in its group still, and does nothing any more."""
    try:
        state, _, its_group, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return False
    return int(its_group) == group and state not in ("Z", "X")


# --- units -----------------------------------------------------------------------------------------


async def _start_unit(service: ServiceLike) -> str | None:
    if not SYSTEMD.exists():
        return f"systemd does not run here, so {service.unit} cannot be started; use `type: process` with a command"
    return await _systemctl("start", service.unit, within_s=90.0)


async def _stop_unit(service: ServiceLike, kill: bool) -> str | None:
    if not SYSTEMD.exists():
        return None
    if not kill:
        error = await _systemctl("stop", service.unit, within_s=service.stop_timeout_s)
        if error is None:
            return None
    await _systemctl("kill", "--signal=KILL", service.unit, within_s=SPARE_S)
    return await _systemctl("stop", service.unit, within_s=SPARE_S)


async def _systemctl(*arguments: str, within_s: float) -> str | None:
    """None when it worked, else systemctl's own words."""
    try:
        process = await asyncio.create_subprocess_exec(
            "systemctl", *arguments, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
        )
    except OSError as error:
        return f"systemctl: {error.strerror}"
    try:
        _, words = await asyncio.wait_for(process.communicate(), within_s)
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"systemctl {' '.join(arguments)}: not done within {within_s:g} s"
    if process.returncode:
        return words.decode(errors="replace").strip() or f"systemctl {' '.join(arguments)}: exit {process.returncode}"
    return None
