"""One fault on its way: refused, aimed, injected, looked at, healed; what is recorded and journalled meanwhile."""

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.clock import now_s
from harness.errors import FaultDidNotBite, FaultImpossible, HealFailed, NothingToAimAt
from harness.events import FaultEffective, FaultHealed, FaultHealing, FaultInjected, FaultWithoutEffect, RunStarted
from harness.fault import Effect, Seen
from harness.healing import EndMarked, HealAction, ResumeNode
from harness.history import History
from harness.injection import Injection
from harness.journal import Journal
from harness.recording import Recording
from harness.rundir import RunDirectory

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="runs need root")

ALL, SOME, NONE = (Seen(effect, effect.value) for effect in Effect)
HEALS: tuple[HealAction, ...] = (ResumeNode("n1"), EndMarked("n1", "mark"))


class Scripted:
    """A fault whose looks are told beforehand; the last one is repeated."""

    name = "scripted"
    bites_within_s = 0.2
    gone_within_s = 0.2

    def __init__(self, *sights: Seen, reason: str | None = None, nobody: int = 0) -> None:
        self.targets: tuple[str, ...] = ()
        self.parameters = {"how": "well"}
        self.did: list[str] = []
        self._sights = list(sights)
        self._reason = reason
        self._nobody = nobody

    def lacks(self, cluster: None) -> str | None:
        return self._reason

    def aim(self, cluster: None) -> tuple[HealAction, ...]:
        if self._nobody:
            self._nobody -= 1
            raise NothingToAimAt("nobody is there")
        self.targets = ("n1",)
        return HEALS

    async def inject(self, cluster: None) -> None:
        self.did.append("inject")

    async def see(self, cluster: None) -> Seen:
        return self._sights.pop(0) if len(self._sights) > 1 else self._sights[0]

    async def end(self, cluster: None) -> None:
        self.did.append("end")


class Ground:
    """Where it happens: a run's directory, its journal, and a history."""

    def __init__(self, run: RunDirectory, directory: Path) -> None:
        self.journal = Journal(run)
        self.recording = Recording(directory)
        self.recording.begin(
            RunStarted(
                t_s=now_s(),
                run_id=run.run_id,
                scenario="",
                promises=(),
                seed=0,
                engine="local",
                subject="none",
                topology={},
            )
        )
        self.notes: list[str] = []
        self._directory = directory

    def injection(
        self, fault: Scripted, fails: Callable[[HealAction], bool] = lambda _action: False
    ) -> Injection[None]:
        async def undo(action: HealAction) -> None:
            fault.did.append(type(action).__name__)
            if fails(action):
                raise HealFailed(f"{type(action).__name__} failed")

        return Injection(
            fault,
            None,
            number=1,
            recording=self.recording,
            journal=self.journal,
            undo=undo,
            say=lambda _text: None,
        )

    def history(self) -> History:
        return History.read(self._directory)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    run = RunDirectory.create(f"test-injection-{secrets.token_hex(4)}")
    found = Ground(run, tmp_path)
    yield found
    found.recording.close()
    run.discard()


async def test_from_aim_to_heal(ground: Ground) -> None:
    fault = Scripted(ALL, NONE)
    injection = ground.injection(fault)
    await injection.aim(ground.notes.append)
    (opened,) = ground.journal.open_faults()
    assert opened.heals == HEALS
    assert fault.did == []
    await injection.inject()
    await injection.heal()
    assert fault.did == ["inject", "end", "ResumeNode", "EndMarked"]
    assert ground.journal.open_faults() == ()
    history = ground.history()
    (injected,) = history.of(FaultInjected)
    assert (injected.fault, injected.targets, injected.parameters) == ("scripted", ("n1",), {"how": "well"})
    (effective,), (healing,), (healed,) = history.of(FaultEffective), history.of(FaultHealing), history.of(FaultHealed)
    assert effective.call_s <= effective.t_s <= healing.t_s == healed.call_s <= healed.t_s
    assert (effective.evidence, healed.evidence) == ("all of it", "nothing of it")


async def test_what_is_impossible_is_refused_before_anything_is_written(ground: Ground) -> None:
    fault = Scripted(ALL, reason="no such controller: mount it")
    with pytest.raises(FaultImpossible, match="scripted is impossible here: no such controller: mount it"):
        await ground.injection(fault).aim(ground.notes.append)
    assert fault.did == []
    assert not ground.history().of(FaultInjected)
    assert ground.journal.open_faults() == ()


async def test_whom_it_waits_for_is_noted(ground: Ground) -> None:
    await ground.injection(Scripted(ALL, nobody=2)).aim(ground.notes.append)
    (note,) = ground.notes
    assert "to take aim (nobody is there)" in note


async def test_what_is_being_injected_is_there_before_anybody_heals_it(ground: Ground) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    class Slow(Scripted):
        async def inject(self, cluster: None) -> None:
            begun.set()
            await may_end.wait()
            await super().inject(cluster)

    fault = Slow(ALL, NONE)
    injection = ground.injection(fault)
    await injection.aim(ground.notes.append)
    injecting = asyncio.create_task(injection.inject())
    await begun.wait()
    injecting.cancel()
    await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await injecting
    await injection.heal()
    assert fault.did == ["inject", "end", "ResumeNode", "EndMarked"]


async def test_an_effect_that_comes_late_is_dated_by_the_look_that_showed_it(ground: Ground) -> None:
    injection = ground.injection(Scripted(NONE, SOME, SOME, ALL))
    await injection.aim(ground.notes.append)
    began_s = now_s()
    await injection.inject()
    (effective,) = ground.history().of(FaultEffective)
    assert effective.t_s > began_s + 0.01, "three looks came before, with a pause after each"


@pytest.mark.parametrize("seen", [SOME, NONE])
async def test_less_than_all_of_the_effect_is_none(ground: Ground, seen: Seen) -> None:
    injection = ground.injection(Scripted(seen))
    await injection.aim(ground.notes.append)
    with pytest.raises(FaultDidNotBite, match=f"scripted: {seen.evidence}"):
        await injection.inject()
    (without,) = ground.history().of(FaultWithoutEffect)
    assert seen.evidence in without.evidence
    assert len(ground.journal.open_faults()) == 1, "it may have done something: it has to be healed"


@pytest.mark.parametrize("seen", [SOME, ALL])
async def test_what_is_still_to_be_seen_is_not_healed(ground: Ground, seen: Seen) -> None:
    injection = ground.injection(Scripted(ALL, seen))
    await injection.aim(ground.notes.append)
    await injection.inject()
    with pytest.raises(HealFailed, match=rf"scripted: 0\.2 s after the heal, {seen.evidence}"):
        await injection.heal()
    assert not ground.history().of(FaultHealed)
    assert len(ground.journal.open_faults()) == 1


async def test_all_that_undoes_it_is_tried(ground: Ground) -> None:
    fault = Scripted(ALL, NONE)
    injection = ground.injection(fault, lambda action: isinstance(action, ResumeNode))
    await injection.aim(ground.notes.append)
    await injection.inject()
    with pytest.raises(HealFailed, match="scripted: ResumeNode failed"):
        await injection.heal()
    assert fault.did == ["inject", "end", "ResumeNode", "EndMarked"]
    assert len(ground.journal.open_faults()) == 1, "the keeper tries again when we are dead"
