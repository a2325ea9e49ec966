"""Carrying out a plan, stage by stage, on all servers of a stage at once.

Nothing is skipped because it was done before: every action is made sure of again, which takes a moment where it holds.
So there is no state that could be wrong, and whoever was killed calls it again.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from ..inventory.core import Inventory, Server
from ..plan.core import Action, Carried, Check, Plan, Stage, Undecided
from ..plan.module import Failover
from ..plan.script import arrived, script_of
from .ssh import ScriptFailed, Unreachable

ATTEMPTS = 3
PAUSE_S = 5.0


class Shell(Protocol):
    """What runs scripts on servers."""

    def run(self, server: Server, script: str, line: Callable[[str], None]) -> None:
        """Raises Unreachable, ScriptFailed."""

    def send(self, server: Server, one: Carried) -> None:
        """Send a file to beside its place. Raises Unreachable, ScriptFailed, OSError."""


class StageFailed(Exception):
    """Some servers are not as they have to be, after all attempts: a line each."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a plan found and did."""

    same: int = 0
    changed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.same + other.same, self.changed + other.changed)


@dataclass(frozen=True, slots=True)
class Installer:
    """Carries plans out; ``say`` gets every line for people and for the module's log."""

    inventory: Inventory
    shell: Shell
    say: Callable[[str], None]
    pause: Callable[[float], None] = time.sleep

    def carry_out(self, plan: Plan) -> Tally:
        """All stages, in order. Raises StageFailed at the first that cannot be had; the ones after it are not begun."""
        total = Tally()
        for number, stage in enumerate(plan.stages, start=1):
            self.say(f"{plan.module}: {number} of {len(plan.stages)}: {stage.name}")
            total += self._stage(stage)
        return total

    def has_needs(self, plan: Plan) -> None:
        """What the plan stands on is there; nothing is changed.

        Raises NotShownHere, or StageFailed where nobody knows.
        """
        for stage in plan.needs:
            self._stage(stage)

    def leader(self, failover: Failover) -> Server:
        """Who leads. Raises StageFailed unless exactly one does."""
        script = script_of((Check(failover.leads, 0),))

        def leads(server: Server) -> bool:
            try:
                self.shell.run(server, script, lambda line: None)
            except ScriptFailed:
                return False
            except Unreachable as error:
                raise StageFailed(f"{server.name}: {error}") from error
            return True

        with ThreadPoolExecutor(max_workers=len(failover.candidates)) as threads:
            found = [
                one
                for one, yes in zip(failover.candidates, threads.map(leads, failover.candidates), strict=True)
                if yes
            ]
        if len(found) != 1:
            names = ", ".join(server.name for server in found) or "nobody"
            raise StageFailed(f"one of {', '.join(one.name for one in failover.candidates)} has to lead: {names} does")
        return found[0]

    def _stage(self, stage: Stage) -> Tally:
        return self._done(stage) if stage.decide is None else self._decided(stage)

    def _decided(self, stage: Stage) -> Tally:
        """Ask all, and do what their answers decide. Nobody is asked twice: no answer is one, too."""
        assert stage.decide is not None
        with ThreadPoolExecutor(max_workers=max(1, len(stage.actions))) as threads:
            answers = dict(
                zip(stage.actions, threads.map(self._answer, stage.actions, stage.actions.values()), strict=True)
            )
        try:
            decided = stage.decide(answers)
        except Undecided as error:
            raise StageFailed(str(error)) from error
        self.say(f"  {decided.why}")
        total = Tally()
        for one in decided.stages:
            self.say(f"  {stage.name}: {one.name}")
            total += self._stage(one)
        return total

    def _answer(self, name: str, actions: Sequence[Action]) -> tuple[str, ...] | None:
        said: list[str] = []
        try:
            self.shell.run(self.inventory.named(name), script_of(actions), said.append)
        except (Unreachable, ScriptFailed) as error:
            self.say(f"  {name}: {error}")
            return None
        return tuple(line for one in said if (line := one.partition(" said ")[2]))

    def _done(self, stage: Stage) -> Tally:
        with ThreadPoolExecutor(max_workers=max(1, len(stage.actions))) as threads:
            work = {
                name: threads.submit(self._server, self.inventory.named(name), actions)
                for name, actions in stage.actions.items()
            }
        failures = [f"{name}: {error}" for name, one in work.items() if (error := one.exception())]
        if failures:
            raise StageFailed("\n".join(failures))
        return sum((one.result() for one in work.values()), Tally())

    def _server(self, server: Server, actions: Sequence[Action]) -> Tally:
        script = script_of(actions)
        for attempt in range(1, ATTEMPTS + 1):
            said: list[str] = []
            try:
                self._send_what_is_missing(server, actions)
                self.shell.run(server, script, said.append)
            except (Unreachable, ScriptFailed, OSError) as error:
                self._tell(server, actions, said)
                self.say(f"  {server.name}: {error} (attempt {attempt} of {ATTEMPTS})")
                if attempt == ATTEMPTS:
                    raise
                self.pause(PAUSE_S)
            else:
                return self._tell(server, actions, said)
        raise AssertionError("the last attempt returns or raises")

    def _send_what_is_missing(self, server: Server, actions: Sequence[Action]) -> None:
        for one in actions:
            if isinstance(one, Carried):
                try:
                    self.shell.run(server, script_of((arrived(one),)), lambda line: None)
                except ScriptFailed:
                    self.shell.send(server, one)

    def _tell(self, server: Server, actions: Sequence[Action], said: Sequence[str]) -> Tally:
        tally = Tally()
        for line in said:
            number, _, how = line.partition(" ")
            if how.startswith("said "):
                self.say(f"  {server.name}: {how.removeprefix('said ')}")
                continue
            if how == "changed":
                self.say(f"  {server.name}: changed: {actions[int(number)].said()}")
            tally += Tally(changed=1) if how == "changed" else Tally(same=1)
        return tally
