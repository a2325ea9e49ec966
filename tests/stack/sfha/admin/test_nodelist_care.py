"""A node sees to it that its Corosync goes by its file, however slow Corosync is; who asks it waits for nobody."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from harness.stack.sfha.admin import nodelist_care
from harness.stack.sfha.admin.nodelist_care import NodelistCare, look
from harness.stack.sfha.membership import taking_up
from harness.stack.sfha.membership.core import RingNode, Totem, render_corosync_conf
from harness.stack.sfha.membership.corosync import CorosyncError, write_conf
from harness.stack.sfha.membership.nodelist import Nodelist, nodelist_of
from harness.stack.sfha.membership.taking_up import Step, TakingUp
from harness.wait import until

WITHIN_S = 15.0
GRACE_S = 0.02


def conf(*numbers: int) -> str:
    nodes = [RingNode(number, f"n{number}", f"10.90.0.{number}", 1) for number in numbers]
    return render_corosync_conf("demo", nodes, Totem("udpu", 150, 180), "")


class Corosync:
    """Has read the file as it was when it was started; reads it again unless it ``refuses``, and may hang."""

    def __init__(self, directory: Path) -> None:
        self.conf = directory / "corosync.conf"
        self.has = self._read()
        self.reloads, self.looks, self.refuses = 0, 0, ""
        self.answers = threading.Event()
        self.answers.set()

    def _read(self) -> Nodelist | None:
        return nodelist_of(self.conf.read_text())

    def nodelist(self) -> Nodelist | None:
        self.looks += 1
        assert self.answers.wait(WITHIN_S)
        return self.has

    async def reload(self) -> None:
        self.reloads += 1
        if self.refuses:
            raise CorosyncError(self.refuses)
        self.has = self._read()


@pytest.fixture
def corosync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corosync:
    for name, seconds in (("GRACE_S", GRACE_S), ("FIRST_PAUSE_S", 0.05), ("LOOK_AT_MOST_EVERY_S", 0.01)):
        monkeypatch.setattr(taking_up, name, seconds)
    write_conf(conf(1, 2, 3), tmp_path)
    return Corosync(tmp_path)


Logged = list[tuple[str, dict[str, object]]]


@asynccontextmanager
async def minding(corosync: Corosync) -> AsyncIterator[tuple[NodelistCare, Logged]]:
    logged: Logged = []

    def log(event: str, **fields: object) -> None:
        logged.append((event, fields))

    care = NodelistCare(corosync.reload, log, lambda: look(corosync.conf, corosync.nodelist))
    task = asyncio.create_task(care.mind())
    try:
        yield care, logged
        assert not task.done()
    finally:
        corosync.answers.set()
        task.cancel()
        await asyncio.wait({task})


async def comes_true(condition: Callable[[], bool], what: str) -> None:
    async def asked() -> bool:
        return condition()

    await until(asked, within_s=WITHIN_S, every_s=0.005, what=what)


async def test_a_reload_that_nobody_asked_for_is_made_up_for_and_told(corosync: Corosync) -> None:
    async with minding(corosync) as (care, logged):
        await comes_true(lambda: corosync.looks == 1, "it has looked when it began")
        write_conf(conf(1, 2, 3, 4), corosync.conf.parent)
        care.written()
        await comes_true(lambda: len(logged) == 2, "it is right again")
    assert [event for event, _ in logged] == ["corosync-behind", "corosync-caught-up"]
    assert logged[0][1] == {"refused": False, "lacks": ["4 (10.90.0.4, votes: 1)"], "has_still": []}
    assert corosync.reloads == 1
    assert care.status() is None


async def test_a_daemon_that_was_killed_between_writing_and_reloading_looks_when_it_starts(corosync: Corosync) -> None:
    """Its file is right, so a start has nothing to write; the Corosync that it found running has the former one."""
    write_conf(conf(1, 2), corosync.conf.parent)
    async with minding(corosync) as (_, logged):
        await comes_true(lambda: corosync.reloads == 1, "it has it reload")
        await comes_true(lambda: len(logged) == 2, "it is right again")


async def test_a_ring_that_forms_anew_makes_it_look(corosync: Corosync) -> None:
    async with minding(corosync) as (care, _):
        await comes_true(lambda: corosync.looks == 1, "it has looked when it began")
        write_conf(conf(1, 2), corosync.conf.parent)
        care.ring_formed()
        await comes_true(lambda: corosync.reloads == 1, "it has it reload")


async def test_what_does_not_help_is_said_in_status_until_it_does(corosync: Corosync) -> None:
    corosync.refuses = "Could not reload configuration"
    write_conf(conf(1, 2), corosync.conf.parent)
    async with minding(corosync) as (care, logged):
        await comes_true(lambda: "corosync-stays-behind" in [event for event, _ in logged], "it is said")
        status = care.status()
        assert status is not None
        assert (status["helpless"], status["has_still"]) == (True, ["3 (10.90.0.3, votes: 1)"])
        assert "has not helped" in str(taking_up.complaint(status))
        warnings = [fields for event, fields in logged if event == "warning"]
        assert warnings == [{"what": "corosync's list of nodes", "message": "Could not reload configuration"}]
        corosync.refuses = ""
        await comes_true(lambda: care.status() is None, "it is right again")
    assert logged[-1][0] == "corosync-caught-up"


async def test_one_that_hangs_is_asked_once_and_keeps_nobody(
    corosync: Corosync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodelist_care, "ANSWERS_WITHIN_S", 0.01)
    told: list[object] = []
    looked = TakingUp.looked

    def noted(core: TakingUp, file: Nodelist | None, running: Nodelist | None, at_s: float) -> tuple[Step, ...]:
        told.append(running)
        return looked(core, file, running, at_s)

    def enough(rounds: int) -> bool:
        return len(told) >= rounds

    monkeypatch.setattr(TakingUp, "looked", noted)
    corosync.answers.clear()
    async with minding(corosync) as (care, _):
        for rounds in range(1, 5):
            await comes_true(partial(enough, rounds), "the loop goes on")
            care.ring_formed()
        await comes_true(partial(enough, 5), "there is nothing to look for any more")
        assert told == [None] * 5
        assert corosync.looks == 1
        write_conf(conf(1, 2), corosync.conf.parent)
        corosync.answers.set()
        await comes_true(lambda: corosync.reloads == 1, "it is asked again as soon as it answers")


def test_somebody_elses_file_is_none_of_ours(corosync: Corosync) -> None:
    corosync.conf.write_text(conf(1, 2).partition("\n")[2].replace("token_coefficient: 0", "token_coefficient: 9"))
    assert look(corosync.conf, corosync.nodelist) == (None, None)
    assert corosync.looks == 0
    corosync.conf.unlink()
    assert look(corosync.conf, corosync.nodelist) == (None, None)
