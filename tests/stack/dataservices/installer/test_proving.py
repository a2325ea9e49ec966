"""A module is complete once its failover was executed, and not before."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.stack.dataservices.credentials.core import Credentials
from harness.stack.dataservices.installer.install import StageFailed
from harness.stack.dataservices.installer.proving import install
from harness.stack.dataservices.inventory.core import Inventory, Role, Server
from harness.stack.dataservices.plan.core import Ask, Check, Command, File, Plan, Stage
from harness.stack.dataservices.plan.footprint import Footprint
from harness.stack.dataservices.plan.module import Failover, Validated
from tests.stack.dataservices.installer.test_install import ShellHere
from tests.stack.dataservices.servers import small

pytestmark = pytest.mark.usefixtures("as_root")


NOTHING = Footprint()


@dataclass(frozen=True)
class Toy:
    """A module of one file; its failover leaves another."""

    folder: Path
    content: str = "a\n"
    executes: bool = True
    survives: bool = True
    number: int = 4
    name: str = "toy"
    title: str = "Toy"
    roles: tuple[Role, ...] = (Role.REDIS,)
    credentials: Credentials | None = None
    footprint: Footprint = NOTHING

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        made = (File(f"{self.folder}/file", self.content), Check(f"! test -e {self.folder}/broken", 0))
        return Plan("toy", (Stage("file", {"redis-01": made}),))

    def failover(self, inventory: Inventory) -> Failover | None:
        if not self.executes:
            return None
        leads = f"mkdir {self.folder}/asked"  # succeeds for the first who is asked
        return Failover(inventory.of(Role.REDIS), leads, self._failover)

    def _failover(self, leader: Server) -> Plan:
        count = Command(f"echo {leader.name} >>{self.folder}/killed; touch {self.folder}/done", "test -e /nowhere")
        if self.survives:
            count = Command(
                f"echo x >>{self.folder}/killed; rmdir {self.folder}/asked", f"! test -e {self.folder}/asked"
            )
        told = (count, Check("true", 1), Ask("echo none lost"))
        return Plan("toy failover", (Stage("dies", {leader.name: told}),))


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Install a toy; what was said."""

    def call(toy: Toy, *, prove: bool = True) -> list[str]:
        install(toy, small(), ShellHere(), tmp_path / "home", prove=prove)
        return capsys.readouterr().out.splitlines()

    return call


def killed(folder: Path) -> int:
    path = folder / "killed"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_it_is_complete_after_its_failover_and_is_not_killed_again(
    tmp_path: Path, run: Callable[..., list[str]]
) -> None:
    said = run(Toy(tmp_path))
    assert said[-1] == "toy: complete: its failover was executed"
    assert any(line.endswith(": none lost") for line in said)
    again = run(Toy(tmp_path))
    assert "toy: 0 changed, 2 were so already" in again
    assert again[-1].endswith("and nothing has changed since")
    assert killed(tmp_path) == 1
    assert "none lost" in (tmp_path / "home/logs/module_4_test.log").read_text()
    assert "1 changed" in (tmp_path / "home/logs/module_4_install.log").read_text()


def test_whatever_has_changed_has_to_be_proven_again(tmp_path: Path, run: Callable[..., list[str]]) -> None:
    run(Toy(tmp_path))
    run(Toy(tmp_path, content="b\n"))
    assert killed(tmp_path) == 2
    (tmp_path / "file").write_text("somebody else's")
    assert run(Toy(tmp_path, content="b\n"))[-1] == "toy: complete: its failover was executed"
    assert killed(tmp_path) == 3


def test_what_was_changed_before_something_failed_has_to_be_proven_again(
    tmp_path: Path, run: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.stack.dataservices.installer.install.PAUSE_S", 0)
    run(Toy(tmp_path))
    (tmp_path / "file").write_text("somebody else's")
    (tmp_path / "broken").touch()
    with pytest.raises(StageFailed):
        run(Toy(tmp_path))
    (tmp_path / "broken").unlink()
    assert "toy: 0 changed, 2 were so already" in run(Toy(tmp_path))
    assert killed(tmp_path) == 2


class Killing(ShellHere):
    """The installer is killed as soon as a server has done what it was told."""

    def run(self, server: Server, script: str, line: Callable[[str], None]) -> None:
        super().run(server, script, line)
        os._exit(9)


def test_what_was_changed_by_an_installer_that_was_killed_has_to_be_proven_again(
    tmp_path: Path, run: Callable[..., list[str]]
) -> None:
    run(Toy(tmp_path))
    (tmp_path / "file").write_text("somebody else's")
    if (child := os.fork()) == 0:
        install(Toy(tmp_path), small(), Killing(), tmp_path / "home", prove=True)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert (tmp_path / "file").read_text() == "a\n"
    assert "toy: 0 changed, 2 were so already" in run(Toy(tmp_path))
    assert killed(tmp_path) == 2


def test_a_failover_that_is_not_survived_fails_the_module_and_is_tried_the_next_time(
    tmp_path: Path, run: Callable[..., list[str]]
) -> None:
    with pytest.raises(StageFailed, match="was done, and is not so"):
        run(Toy(tmp_path, survives=False))
    (tmp_path / "asked").rmdir()
    assert run(Toy(tmp_path))[-1] == "toy: complete: its failover was executed"


def test_one_that_was_not_executed_is_not_called_complete(tmp_path: Path, run: Callable[..., list[str]]) -> None:
    assert run(Toy(tmp_path), prove=False)[-1] == "toy: not complete: its failover was not executed, as you asked"
    assert run(Toy(tmp_path, executes=False))[-1].startswith("toy: not complete")
    assert killed(tmp_path) == 0


@dataclass(frozen=True)
class Bare(Toy):
    """One in which nothing could fail over."""

    def failover(self, inventory: Inventory) -> Validated:  # type: ignore[override]
        return Validated()


def test_one_that_has_nothing_to_fail_over_is_complete_once_its_checks_hold(
    tmp_path: Path, run: Callable[..., list[str]]
) -> None:
    assert run(Bare(tmp_path))[-1] == "toy: complete: its checks hold, and there is nothing in it that could fail over"


def test_where_nobody_leads_nobody_is_killed(tmp_path: Path, run: Callable[..., list[str]]) -> None:
    (tmp_path / "asked").mkdir()
    with pytest.raises(StageFailed, match="one of redis-01, redis-02, redis-03 has to lead: nobody does"):
        run(Toy(tmp_path))
    assert killed(tmp_path) == 0
