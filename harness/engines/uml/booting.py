"""One boot of a node: its kernel is started, begins namespaces of its own, and the agent in it answers."""

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, Process
from dataclasses import dataclass
from typing import NoReturn

from harness.engines.cgroup import GONE, Cgroup
from harness.engines.enter import UMASK
from harness.engines.noted import note_process, noted_process
from harness.engines.uml.channel import PowerLost, ask
from harness.engines.uml.disk import KernelDisk
from harness.engines.uml.kernel import Kernel
from harness.engines.uml.launch import launch_line
from harness.errors import EngineError, HarnessError
from harness.procfs import begins_its_namespace
from harness.rundir import RunDirectory
from harness.wait import until

_STARTING_S = 60.0
_TRYING_S = 0.03
_TOLD_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Boot:
    """Of this node, of which nothing runs any more. Whoever begins it ends what is left of one that fails."""

    node: str
    run: RunDirectory
    group: Cgroup

    async def launch(self, kernel: Kernel, disk: KernelDisk, processor: int) -> int:
        """Start the kernel; gives its process on this host when the agent in it answers."""
        self.group.create()
        self.group.account()
        bundle = self.run.node(self.node)
        command = [*self.group.joining(), *launch_line(kernel, disk, bundle, processor)]
        with (bundle / "console.log").open("ab") as console:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=DEVNULL, stdout=console, stderr=console, umask=UMASK, cwd=bundle
            )
        try:
            return await asyncio.wait_for(self._booted(process), _STARTING_S)
        except TimeoutError:
            why = f"did not start within {_STARTING_S:g} s: {self._last_words()}"
            raise EngineError(f"node {self.node} {why}") from None
        finally:
            if process.returncode is None and noted_process(bundle) is None:
                process.kill()  # it may not have joined its group yet; what it started has
                await process.wait()

    async def _booted(self, process: Process) -> int:
        """Wait for the agent in the node, and write down the kernel's process."""
        bundle = self.run.node(self.node)

        def first() -> int | None:
            return next(filter(begins_its_namespace, self.group.processes()), None)

        def begun() -> bool:
            return process.returncode is not None or first() is not None

        await until(begun, within_s=_STARTING_S, what=f"{self.node} begins", every_s=0.002)
        if (pid := first()) is None:
            self._not_started(await _ended(process))
        try:
            note_process(bundle, pid)
        except (HarnessError, OSError) as error:
            raise EngineError(f"node {self.node} ended as soon as it had started: {self._last_words()}") from error
        while True:
            try:
                # Not for long: a packet that comes before there is anybody to take it is sent again a second later.
                await ask(pid, {"do": "hello"}, timeout_s=_STARTING_S, connect_within_s=_TRYING_S)
                return pid
            except PowerLost:
                self._not_started(await _ended(process))
            except EngineError:
                if process.returncode is not None or noted_process(bundle) is None:
                    self._not_started(await _ended(process))
                await asyncio.sleep(0.005)

    def _not_started(self, code: int | None) -> NoReturn:
        if code == GONE and not self.group.directory.exists():
            raise EngineError(f"node {self.node} did not start: run {self.run.run_id} has ended")
        raise EngineError(f"node {self.node} did not start (exit code {code}): {self._last_words()}")

    def _last_words(self) -> str:
        console = self.run.node(self.node) / "console.log"
        lines = console.read_text(errors="replace").splitlines() if console.exists() else []
        return next((line for line in reversed(lines) if line.strip()), "no reason given")


async def _ended(process: Process) -> int | None:
    """How it ended: what it held can be gone a moment before we are told of its end. None if it has not."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), _TOLD_WITHIN_S)
    return process.returncode
