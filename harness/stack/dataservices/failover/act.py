"""Carrying out what the core decides about one server that is reported dead: by a power program, and over SSH.

Whoever calls this vouches that the others are in the majority; that the server has no power is proven here, or
nothing is told to anybody.
"""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..inventory.core import Server
from ..plan.core import Action as Does
from ..plan.core import Plan, Stage
from ..plan.refusal import allowed, refuses
from .core import Action, AskFence, Died, Done, Failed, Fenced, Refuse, Signal, Standing, State, TakeOver, step

ATTEMPTS = 2
POWER_WITHIN_S = 20.0
_ONE_LIFE = 1
"""A call is about one life of a server: whatever is proven is proven now."""


class NotDone(Exception):
    """Some servers could not be told: a line each."""


class NotProven(Exception):
    """The server may be alive: nobody was told anything."""


@dataclass(frozen=True, slots=True)
class Power:
    """A program that switches: ``off NAME`` returns when it is done, ``status NAME`` prints on or off."""

    program: str

    def off(self, name: str) -> None:
        """Take the power away, and make sure. Raises NotProven."""
        self._call("off", name)
        said = self._call("status", name)
        if said != "off":
            raise NotProven(f"{self.program} status {name} says {said[:40]!r}, and not off")

    def _call(self, word: str, name: str) -> str:
        try:
            done = subprocess.run(
                [self.program, word, name], capture_output=True, text=True, timeout=POWER_WITHIN_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise NotProven(f"{self.program} {word} {name} took more than {POWER_WITHIN_S:g} s") from None
        if done.returncode:
            why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            raise NotProven(f"{self.program} {word} {name}: {why}")
        return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class TakingOver:
    """Of one dead server: ``others`` are all that would wait for it, ``told`` what the stores are told, and where."""

    dead: Server
    others: Sequence[Server]
    told: Mapping[str, tuple[Does, ...]]
    power: Power
    carry_out: Callable[[Plan], object]
    """Raises NotDone."""
    say: Callable[[str], None]

    def run(self) -> None:
        """Until the core has nothing left to do. Raises NotProven, NotDone."""
        state, _ = step(State(), Standing(quorate=True, leads=True))
        state, todo = step(state, Died(self.dead.name, _ONE_LIFE))
        waiting, failures = [*todo], 0
        while waiting:
            action = waiting.pop(0)
            try:
                signals = self._do(action)
            except NotProven:
                failures += 1
                if failures == ATTEMPTS:
                    raise
                signals = (Failed(action),)
            for signal in signals:
                state, more = step(state, signal)
                waiting += [one for one in more if one not in waiting]

    def _do(self, action: Action) -> tuple[Signal, ...]:
        match action:
            case AskFence(name, incarnation):
                self.power.off(name)
                return (Fenced(name, incarnation),)
            case Refuse():
                self._refuse()
            case TakeOver():
                self._stage(f"{self.dead.name} leads no more", self.told)
            case _:
                return ()
        return (Done(action),)

    def _refuse(self) -> None:
        """Quicker, and no more than that: whoever is away as well does not hold up the others."""
        does = (refuses(self.dead.address),)
        try:
            self._stage(f"{self.dead.name} refuses", {one.name: does for one in self.others})
        except NotDone as error:
            self.say(f"goes on without: {error}")

    def _stage(self, name: str, actions: Mapping[str, tuple[Does, ...]]) -> None:
        self.carry_out(Plan("takeover", (Stage(name, actions),)))


def returned(server: Server, others: Sequence[Server]) -> Plan:
    """The server is back: it is reached as ever."""
    does = (allowed(server.address),)
    return Plan("returned", (Stage(f"{server.name} is reached", {one.name: does for one in others}),))
