"""One fault, from the first question to the proof that it is gone: written down, recorded, proven both ways."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

from harness import wait
from harness.clock import now_s
from harness.errors import FaultDidNotBite, FaultImpossible, HarnessError, HealFailed, NothingToAimAt, told
from harness.events import FaultEffective, FaultHealed, FaultHealing, FaultInjected, FaultWithoutEffect
from harness.fault import Effect, Fault, Seen
from harness.healing import HealAction
from harness.journal import Journal
from harness.recording import Recording

AIM_WITHIN_S = 5.0
"""An address moves from node to node within moments. One that nobody holds for so long will not be held soon."""
AIM_EVERY_S = 0.002
LOOK_EVERY_S = 0.005

Aim = TypeVar("Aim")
Where = TypeVar("Where")


class Injection(Generic[Where]):
    """One fault on one cluster. ``undo`` carries out a heal action; ``say`` tells a person how it goes."""

    def __init__(
        self,
        fault: Fault[Where],
        where: Where,
        *,
        number: int,
        recording: Recording,
        journal: Journal,
        undo: Callable[[HealAction], Awaitable[None]],
        say: Callable[[str], None],
    ) -> None:
        self.fault_id = f"{number}-{fault.name}"
        self._entry = f"{os.getpid()}-{self.fault_id}"  # several processes may act on one cluster that is up
        self._fault = fault
        self._where = where
        self._recording = recording
        self._journal = journal
        self._undo = undo
        self._say = say
        self._heals: tuple[HealAction, ...] = ()

    async def aim(self, note: Callable[[str], None]) -> None:
        """Take aim, and write down what undoes it.

        Raises FaultImpossible and NothingToAimAt; nothing has begun then.
        """
        fault = self._fault
        self._heals = await aim_of(fault, self._where, note)
        self._recording.record(
            FaultInjected(
                t_s=now_s(),
                fault_id=self.fault_id,
                fault=fault.name,
                targets=fault.targets,
                parameters=dict(fault.parameters),
            )
        )
        self._journal.about_to(self._entry, *self._heals)

    async def inject(self) -> None:
        """Do it, and see that it bites. Raises FaultDidNotBite.

        Cancelled meanwhile, it is done to its end first: a heal before that would come too early for the rest of it.
        """
        fault, call_s = self._fault, now_s()
        try:
            await wait.finished(fault.inject(self._where))
            effective_s = now_s()
            self._say(f"{fault.name}: {', '.join(fault.targets)}")
            seen, since_s = await self._seen(Effect.ALL, fault.bites_within_s)
            if seen.effect is not Effect.ALL:
                raise FaultDidNotBite(f"{fault.name}: {seen.evidence}")
        except Exception as error:  # whatever it is, it is our failure and not the product's
            evidence = str(error) if isinstance(error, FaultDidNotBite) else told(error)
            self._recording.record(FaultWithoutEffect(t_s=now_s(), fault_id=self.fault_id, evidence=evidence))
            raise FaultDidNotBite(evidence) from error
        effective_s = since_s or effective_s
        self._recording.record(
            FaultEffective(t_s=effective_s, fault_id=self.fault_id, call_s=call_s, evidence=seen.evidence)
        )

    async def heal(self) -> None:
        """Undo it, and see that nothing of it is left. Raises HealFailed."""
        fault, call_s = self._fault, now_s()
        self._recording.record(FaultHealing(t_s=call_s, fault_id=self.fault_id))
        try:
            await wait.each(partial(fault.end, self._where), *(partial(self._undo, action) for action in self._heals))
            healed_s = now_s()
            seen, _ = await self._seen(Effect.NONE, fault.gone_within_s)
            if seen.effect is not Effect.NONE:
                raise HealFailed(f"{fault.gone_within_s:g} s after the heal, {seen.evidence}")
        except Exception as error:
            raise HealFailed(f"{fault.name}: {error if isinstance(error, HarnessError) else told(error)}") from error
        self._recording.record(FaultHealed(t_s=healed_s, fault_id=self.fault_id, call_s=call_s, evidence=seen.evidence))
        self._journal.healed(self._entry)
        self._say(f"{fault.name}: healed")

    async def _seen(self, effect: Effect, within_s: float) -> tuple[Seen, float | None]:
        """The look that showed this effect, or else the last one; and when it began, unless it was the first."""
        deadline_s, looks = now_s() + within_s, 0
        while True:
            began_s = now_s()
            seen = await self._fault.see(self._where)
            if seen.effect is effect or began_s > deadline_s:
                return seen, began_s if looks else None
            looks += 1
            await asyncio.sleep(LOOK_EVERY_S)


async def aim_of(fault: Fault[Where], where: Where, note: Callable[[str], None]) -> tuple[HealAction, ...]:
    """Have a fault take aim, if it is possible; returns what would undo it. Nothing is done yet.

    Raises FaultImpossible and NothingToAimAt.
    """
    if (reason := fault.lacks(where)) is not None:
        raise FaultImpossible(f"{fault.name} is impossible here: {reason}")
    return await aimed(partial(fault.aim, where), fault.name, note)


async def aimed(aim: Callable[[], Aim], who: str, note: Callable[[str], None]) -> Aim:
    """What ``aim`` returns, as soon as there is something to aim at: an address may be on its way from node to node.

    Raises NothingToAimAt, with what was seen, if there still is nothing after AIM_WITHIN_S seconds.
    """
    began_s = now_s()
    seen: dict[str, float] = {}
    while True:
        try:
            found = aim()
        except NothingToAimAt as error:
            waited_s = now_s() - began_s
            seen.setdefault(str(error), waited_s)
            if waited_s > AIM_WITHIN_S:
                what = "; ".join(f"from {since_s:.3f} s on: {text}" for text, since_s in seen.items())
                raise NothingToAimAt(f"{who}: nothing to aim at within {AIM_WITHIN_S:g} s ({what})") from None
            await asyncio.sleep(AIM_EVERY_S)
            continue
        if seen:
            waited_s = now_s() - began_s
            note(f"{who}: waited {waited_s * 1000:.1f} ms to take aim ({'; '.join(seen)})")
        return found
