"""A plan is carried out in order, tried again where nobody answers, and stops where something does not hold."""

import hashlib
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.stack.dataservices.installer.install import ATTEMPTS, Installer, StageFailed, Tally
from harness.stack.dataservices.installer.ssh import ScriptFailed, Unreachable
from harness.stack.dataservices.inventory.core import Server
from harness.stack.dataservices.plan.core import Ask, Carried, Check, Command, Decided, File, Plan, Stage, Undecided
from harness.stack.dataservices.plan.script import incoming
from tests.stack.dataservices.servers import small


class ShellHere:
    """Runs scripts on this host, for all servers; some are away the first times."""

    def __init__(self, away: dict[str, int] | None = None) -> None:
        self._away = dict(away or {})
        self.sent: list[str] = []
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

    def send(self, server: Server, one: Carried) -> None:
        """See Shell."""
        self.sent.append(server.name)
        subprocess.run(["sh", "-c", incoming(one)], input=Path(one.source).read_bytes(), check=True)


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


@pytest.mark.promise("S4-01")
@pytest.mark.usefixtures("as_root")
def test_after_the_last_attempt_the_next_stage_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match=r"^redis-02: no route$"):
        carry_out(plan_in(tmp_path), ShellHere({"redis-02": ATTEMPTS}))
    assert (tmp_path / "a").exists()
    assert not (tmp_path / "c").exists()


@pytest.mark.promise("S4-01")
@pytest.mark.usefixtures("as_root")
def test_what_does_not_hold_fails_the_stage(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="redis-02: failed: false"):
        carry_out(plan_in(tmp_path, broken=True), ShellHere())
    assert not (tmp_path / "c").exists()


def deciding(folder: Path, heard: list[Mapping[str, tuple[str, ...] | None]]) -> Plan:
    """Whoever says the larger number is told; of two that say nothing nobody is."""

    def decide(answers: Mapping[str, tuple[str, ...] | None]) -> Decided:
        heard.append(answers)
        known = {name: lines[0] for name, lines in answers.items() if lines}
        if not known:
            raise Undecided("nobody says anything")
        largest = max(known, key=lambda name: int(known[name]))
        done = Command(f"touch {folder}/{largest}", f"test -e {folder}/{largest}")
        return Decided(f"{largest} has most", (Stage("told", {largest: (done,)}),))

    asks = {f"redis-0{number}": (Ask(f"cat {folder}/{number}"),) for number in (1, 2)}
    return Plan("test", (Stage("asked", asks, decide), Stage("after", {"redis-03": (Check(f"ls {folder}/*-*", 0),)})))


def test_what_servers_say_decides_what_comes_next(tmp_path: Path) -> None:
    heard: list[Mapping[str, tuple[str, ...] | None]] = []
    (tmp_path / "1").write_text("7\n")
    (tmp_path / "2").write_text("9\n")
    tally, said, _ = carry_out(deciding(tmp_path, heard), ShellHere())
    assert heard == [{"redis-01": ("7",), "redis-02": ("9",)}]
    assert tally == Tally(same=1, changed=1)
    assert said[:3] == ["test: 1 of 2: asked", "  redis-02 has most", "  asked: told"]
    assert (tmp_path / "redis-02").exists()
    assert carry_out(deciding(tmp_path, heard), ShellHere())[0] == Tally(same=2, changed=0)


def test_who_does_not_answer_is_known_not_to_have(tmp_path: Path) -> None:
    heard: list[Mapping[str, tuple[str, ...] | None]] = []
    (tmp_path / "1").write_text("7\n")
    carry_out(deciding(tmp_path, heard), ShellHere({"redis-02": 1}))
    assert heard == [{"redis-01": ("7",), "redis-02": None}]
    (tmp_path / "1").unlink()
    with pytest.raises(StageFailed, match="nobody says anything"):
        carry_out(deciding(tmp_path, heard), ShellHere())
    assert heard[-1] == {"redis-01": None, "redis-02": None}


@pytest.mark.usefixtures("as_root")
def test_a_file_of_the_installers_is_sent_once_and_only_where_it_is_not(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"a program\n" * 5000)
    action = Carried(str(target), str(source), hashlib.sha256(source.read_bytes()).hexdigest())
    plan, shell = Plan("test", (Stage("first", {"redis-01": (action,)}),)), ShellHere()
    assert carry_out(plan, shell)[0] == Tally(changed=1)
    assert carry_out(plan, shell)[0] == Tally(same=1)
    assert shell.sent == ["redis-01"]
    assert target.read_bytes() == source.read_bytes()


def test_a_file_that_the_installer_has_not_is_a_failure_and_no_traceback(tmp_path: Path) -> None:
    action = Carried(f"{tmp_path}/target", f"{tmp_path}/nowhere", "0" * 64)
    with pytest.raises(StageFailed, match="nowhere"):
        carry_out(Plan("test", (Stage("first", {"redis-01": (action,)}),)), ShellHere())
