"""A plan is carried out in order, tried again where nobody answers, and stops where something does not hold."""

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.stack.dataservices.installer.install import ATTEMPTS, Installer, StageFailed, Tally
from harness.stack.dataservices.installer.ssh import ScriptFailed, Unreachable
from harness.stack.dataservices.inventory.core import Server
from harness.stack.dataservices.plan.core import Command, File, Plan, Stage
from tests.stack.dataservices.servers import small


class ShellHere:
    """Runs scripts on this host, for all servers; some are away the first times."""

    def __init__(self, away: dict[str, int] | None = None) -> None:
        self._away = dict(away or {})
        self._lock = threading.Lock()

    def run(self, server: Server, script: str, line: Callable[[str], None]) -> None:
        """See Shell."""
        with self._lock:
            self._away[server.name] = self._away.get(server.name, 0) - 1
            if self._away[server.name] >= 0:
                raise Unreachable("no route")
        done = subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True, check=False)
        for one in done.stdout.splitlines():
            line(one)
        if done.returncode:
            raise ScriptFailed(done.stderr.strip())


def carry_out(plan: Plan, shell: ShellHere) -> tuple[Tally, list[str], list[float]]:
    """What it came to, what was said, and the pauses."""
    said: list[str] = []
    pauses: list[float] = []
    return Installer(small(), shell, said.append, pauses.append).carry_out(plan), said, pauses


def plan_in(folder: Path, *, broken: bool = False) -> Plan:
    """Two stages on two servers; the second one needs the first."""
    broken_command = (Command("false", "false"),) if broken else ()
    return Plan(
        "test",
        (
            Stage(
                "first",
                {
                    "redis-01": (File(f"{folder}/a", "a\n"),),
                    "redis-02": (File(f"{folder}/b", "b\n"), *broken_command),
                },
            ),
            Stage("second", {"redis-01": (Command(f"cat {folder}/a {folder}/b >{folder}/c", f"test -s {folder}/c"),)}),
        ),
    )


@pytest.mark.usefixtures("as_root")
def test_stages_are_carried_out_in_order_and_a_rerun_changes_nothing(tmp_path: Path) -> None:
    tally, said, _ = carry_out(plan_in(tmp_path), ShellHere())
    assert tally == Tally(same=0, changed=3)
    assert (tmp_path / "c").read_text() == "a\nb\n"
    assert said[0] == "test: 1 of 2: first"
    assert carry_out(plan_in(tmp_path), ShellHere())[0] == Tally(same=3, changed=0)


@pytest.mark.usefixtures("as_root")
def test_who_does_not_answer_is_tried_again_after_a_pause(tmp_path: Path) -> None:
    tally, said, pauses = carry_out(plan_in(tmp_path), ShellHere({"redis-02": ATTEMPTS - 1}))
    assert tally.changed == 3
    assert len(pauses) == ATTEMPTS - 1
    assert f"  redis-02: no route (attempt 2 of {ATTEMPTS})" in said


@pytest.mark.usefixtures("as_root")
def test_after_the_last_attempt_the_next_stage_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match=r"^redis-02: no route$"):
        carry_out(plan_in(tmp_path), ShellHere({"redis-02": ATTEMPTS}))
    assert (tmp_path / "a").exists()
    assert not (tmp_path / "c").exists()


@pytest.mark.usefixtures("as_root")
def test_what_does_not_hold_fails_the_stage(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="redis-02: failed: false"):
        carry_out(plan_in(tmp_path, broken=True), ShellHere())
    assert not (tmp_path / "c").exists()
