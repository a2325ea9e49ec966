"""A probe that is a program on each node: what its lines become, and its life."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.events import Event, SubjectSaid, WatchEnded, WatchStarted
from harness.history import FILE_NAME, History, Recorder
from harness.subjects.programs import ProgramProbe
from harness.wait import until
from tests.probes.conftest import seen

LINES = "1.5 leads", "no time", "2.5 nothing", "3.5 follows"
PROGRAM = f"import sys; print(*{LINES}, sep=chr(10), flush=True)"
STAYS = f"{PROGRAM}; sys.stdin.read()"


def read(node: str, line: str) -> Event | None:
    at, word = line.split()
    return None if word == "nothing" else SubjectSaid(t_s=float(at), node=node, event=word, fields={})


async def spawn(_node: str, command: Sequence[str]) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)


def probe_of(history: Path, program: str) -> ProgramProbe:
    return ProgramProbe("roles", (sys.executable, "-c", program), read, spawn, Recorder(history))


async def test_lines_become_events_and_what_means_nothing_is_left_out(tmp_path: Path) -> None:
    history = tmp_path / FILE_NAME
    probe = probe_of(history, STAYS)
    await probe.watch("n1")
    await until(lambda: len(seen(history, SubjectSaid)) == 2, within_s=10, what="all lines are read")
    assert not seen(history, WatchEnded)
    await probe.close()
    await probe.close()
    told = History.read(history)
    assert [(one.t_s, one.event) for one in told.of(SubjectSaid)] == [(1.5, "leads"), (3.5, "follows")]
    assert {one.node for one in told.of(SubjectSaid)} == {"n1"}
    assert [(one.what, one.target) for one in told.of(WatchStarted)] == [("roles", "n1")]
    assert [(one.what, one.target) for one in told.of(WatchEnded)] == [("roles", "n1")]


async def test_a_program_that_ended_by_itself_watches_no_more(tmp_path: Path) -> None:
    history = tmp_path / FILE_NAME
    probe = probe_of(history, PROGRAM)
    await probe.watch("n1")
    await until(lambda: seen(history, WatchEnded), within_s=10, what="the end is in the history")
    await probe.watch("n1")
    await probe.unwatch("n1")
    await probe.unwatch("n2")
    assert len(seen(history, WatchStarted)) == len(seen(history, WatchEnded)) == 2
