"""Real processes: started, watched, stopped, killed with everything they started."""

import asyncio
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from harness.stack.sfha.services.core import Ended, Started, Stopped
from harness.stack.sfha.services.runner import Runner, group_lives, started_at
from harness.wait import until

Reported = list[Started | Ended | Stopped]


def nothing_goes_wrong(event: str, **fields: object) -> None:
    """The log of a service that only does what it should."""
    raise AssertionError(event, fields)


@dataclass(frozen=True)
class Process:
    """A service of type process."""

    name: str
    command: tuple[str, ...]
    stop_timeout_s: float = 5.0
    type: str = "process"
    unit: str = ""


def runner(path: Path, *services: Process) -> tuple[Runner, Reported]:
    told: Reported = []
    made = Runner(told.append, nothing_goes_wrong, state_directory=path / "run", log_directory=path / "log")
    made.configure(services)
    return made, told


def pid_of(path: Path, name: str) -> int:
    return int(json.loads((path / "run" / f"{name}.json").read_text())["pid"])


async def told_of(told: Reported, *expected: Started | Ended | Stopped) -> None:
    await until(lambda: told == list(expected), within_s=10, what=f"{expected} is told (now {told})")


async def test_started_stopped_and_what_it_says_is_kept(tmp_path: Path) -> None:
    made, told = runner(tmp_path, Process("web", ("sh", "-c", "echo ready; exec sleep 1000")))
    made.start("web")
    await told_of(told, Started("web"))
    await until(lambda: (tmp_path / "log/web.log").read_text() == "ready\n", within_s=5, what="its words are kept")
    pid = pid_of(tmp_path, "web")
    made.stop("web", kill=False)
    await told_of(told, Started("web"), Stopped("web"))
    assert not group_lives(pid)
    assert not (tmp_path / "run/web.json").exists()


async def test_one_that_ends_by_itself_is_noticed(tmp_path: Path) -> None:
    made, told = runner(tmp_path, Process("web", ("sh", "-c", "exit 7")))
    made.start("web")
    await told_of(told, Started("web"), Ended("web", "ended with exit code 7"))


async def test_one_that_does_not_exist_is_refused_or_ends(tmp_path: Path) -> None:
    made, told = runner(tmp_path, Process("web", ("/nonexistent/web",)))
    made.start("web")
    await until(lambda: len(told) == 2, within_s=5, what="it is told")
    assert isinstance(told[1], Ended)
    assert "/nonexistent/web" in (tmp_path / "log/web.log").read_text()


async def test_one_that_ignores_the_request_is_killed_with_its_children(tmp_path: Path) -> None:
    stubborn = "trap '' TERM; sleep 1000 & sleep 1000 & wait; wait"
    made, told = runner(tmp_path, Process("web", ("sh", "-c", stubborn), stop_timeout_s=0.1))
    made.start("web")
    await told_of(told, Started("web"))
    pid = pid_of(tmp_path, "web")
    made.stop("web", kill=False)
    await told_of(told, Started("web"), Stopped("web"))
    assert not group_lives(pid)


async def test_a_kill_cuts_a_stop_in_good_order_short(tmp_path: Path) -> None:
    made, told = runner(tmp_path, Process("web", ("sh", "-c", "trap '' TERM; sleep 1000; sleep 1000"), 60.0))
    made.start("web")
    await told_of(told, Started("web"))
    made.stop("web", kill=False)
    await asyncio.sleep(0)
    made.stop("web", kill=True)
    await told_of(told, Started("web"), Stopped("web"), Stopped("web"))


async def test_what_an_earlier_daemon_left_is_killed_and_nothing_else(tmp_path: Path) -> None:
    made, told = runner(tmp_path, Process("web", ("sleep", "1000")))
    made.start("web")
    await told_of(told, Started("web"))
    pid = pid_of(tmp_path, "web")
    innocent = os.getpid()
    (tmp_path / "run/other.json").write_text(json.dumps({"pid": 2**22 - 1, "started": "1"}))
    fresh, _ = runner(tmp_path, Process("web", ("sleep", "1000")))
    assert fresh.clear() == ["web"]
    await until(lambda: not group_lives(pid), within_s=5, what="it is gone")
    assert started_at(innocent) is not None
    assert list((tmp_path / "run").iterdir()) == []
    assert told[1:] in ([], [Ended("web", f"was killed by signal {signal.SIGKILL.value}")])
