"""Everything of a cluster that runs, from its first process to its last, begun and ended as one."""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from harness.clock import now_s
from harness.errors import HarnessError
from harness.events import ConfigurationSeen
from harness.history import Recorder
from harness.journal import Journal
from harness.keeper import Keeper
from harness.machines import Machines
from harness.observation import Observation, Observing, Unobserved
from harness.reap import leftovers
from harness.rundir import RunDirectory
from harness.subjects.subject import Subject
from harness.wait import all_of, each, finished, together

OnRunClock = Callable[[str, Sequence[float]], list[float]]
"""Takes a node and the stamps of its log, from first to last; returns them on the clock of the run."""


class Life:
    """Keeper, machines and observers of one run."""

    def __init__(self, keeper: Keeper, machines: Machines, observation: Observing, recorder: Recorder) -> None:
        self.machines = machines
        self.observation = observation
        self.journal = Journal(keeper.run)
        self._keeper = keeper
        self._recorder = recorder

    @classmethod
    async def begin(
        cls, run: RunDirectory, make: Callable[[RunDirectory], Machines], recorder: Recorder, *, observed: bool
    ) -> Self:
        """Start the keeper, build the fabric, give every node a disk and every client a place. No power yet."""
        try:
            keeper = Keeper.start(run)  # before anything else, such as asking a daemon: nobody else knows of the run
        except BaseException:
            run.discard()
            raise
        observation = None
        try:
            machines = make(run)
            observation = Observation(machines, recorder) if observed else None
            if observation is None:
                await machines.create(keeper)
            else:
                await together(observation.start(), machines.create(keeper))
        except BaseException as error:
            try:
                await finished(each(*([observation.close] if observation is not None else []), keeper.end))
            except Exception as worse:
                if isinstance(error, Exception):  # else somebody has cancelled us, and has to hear of it
                    raise HarnessError(f"{error}; then {worse}") from error
            raise
        return cls(keeper, machines, observation or Unobserved(), recorder)

    @classmethod
    def take_up(cls, machines: Machines, recorder: Recorder) -> Self:
        """Take over a running cluster that another process left up. HarnessError when its keeper is gone."""
        keeper = Keeper.of(machines.run)
        machines.take_up(keeper)
        return cls(keeper, machines, Unobserved(), recorder)

    async def collect(self, into: Path, on_run_clock: OnRunClock) -> None:
        """Take logs and configurations off the nodes while they are there. Every part is tried.

        Raises what went wrong, at the end.
        """
        nodes = self.machines.topology.node_names

        async def from_nodes() -> None:
            await all_of(*(self._collect_node(node, into / "nodes" / node, on_run_clock) for node in nodes))

        await each(self.observation.close, from_nodes)

    async def _collect_node(self, node: str, into: Path, on_run_clock: OnRunClock) -> None:
        engine = self.machines.engine
        await engine.logs(node, into)
        for one in self.machines.subjects:
            if (log := one.log_path) is not None:
                self._record_log(one, node, into / log.removeprefix("/"), on_run_clock)
            if paths := one.configuration_paths:
                digest = hashlib.sha256()
                try:
                    for path in paths:
                        digest.update(await engine.read_file(node, path))
                except FileNotFoundError:
                    continue  # a node that has left the cluster has no configuration of it
                self._recorder.record(ConfigurationSeen(t_s=now_s(), node=node, digest=digest.hexdigest()))

    def _record_log(self, subject: Subject, node: str, log: Path, on_run_clock: OnRunClock) -> None:
        if not log.exists():
            return
        said: list[tuple[float, str, dict[str, Any]]] = []
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError, KeyError, TypeError, AttributeError):  # a power cut may have torn a line
                fields = json.loads(line)
                said.append((float(fields.pop("t_s")), str(fields.pop("event")), fields))
        stamps_s = on_run_clock(node, [said_s for said_s, _, _ in said])
        for t_s, (_, event, fields) in zip(stamps_s, said, strict=True):
            with suppress(ValueError, KeyError, TypeError, AttributeError):  # no run depends on what a log says
                self._recorder.record(subject.said(node, t_s, event, fields))

    async def stop_observing(self) -> None:
        """End the observers and let go of the fabric. Idempotent."""
        try:
            await self.observation.close()
        finally:
            self.machines.close()

    async def end(self) -> tuple[str, ...]:
        """Remove everything; returns what could not be removed, in words for a person."""
        try:
            await self._keeper.end()
        except HarnessError as error:
            return (str(error), *leftovers(self._keeper.run.run_id))
        return tuple(leftovers(self._keeper.run.run_id))

    async def leave_up(self) -> None:
        """Stop observing; the keeper and the nodes stay until somebody ends them."""
        await self.observation.close()
        self._keeper.persist()
        self.machines.close()

    def let_go(self) -> None:
        """Let go of a cluster that was taken up, and leave it as it is."""
        self.machines.close()
