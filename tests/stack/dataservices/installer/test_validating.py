"""The final validation looks at what is there, changes nothing, and says what is proven."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.stack.dataservices.credentials.core import REDIS, Credentials
from harness.stack.dataservices.installer.install import StageFailed
from harness.stack.dataservices.installer.proving import install
from harness.stack.dataservices.installer.standing import Standing
from harness.stack.dataservices.installer.validating import validate
from harness.stack.dataservices.inventory.core import Inventory, Role, Server
from harness.stack.dataservices.plan.core import Check, Command, Decided, File, Plan, Stage
from harness.stack.dataservices.plan.footprint import Footprint
from harness.stack.dataservices.plan.module import Failover
from harness.stack.dataservices.plan.needs import present
from harness.stack.dataservices.programs.core import NotShownHere
from tests.stack.dataservices.installer.test_install import ShellHere
from tests.stack.dataservices.servers import small

pytestmark = [pytest.mark.usefixtures("as_root"), pytest.mark.promise("S4-74")]


NOTHING = Footprint()


@dataclass(frozen=True)
class Toy:
    """A module of a file with its secret, which stands on a program."""

    folder: Path
    program: str = "sh"
    executes: bool = True
    number: int = 4
    name: str = "toy"
    title: str = "Toy"
    roles: tuple[Role, ...] = (Role.REDIS,)
    credentials: Credentials | None = REDIS
    footprint: Footprint = NOTHING

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        made = File(f"{self.folder}/file", secrets["REDIS_PASSWORD"], 0o600)
        done = Command(f"touch {self.folder}/done", f"test -e {self.folder}/done")
        decided = Stage("decided", {"redis-01": (Command("false", "false"),)}, lambda _: Decided("nothing to do"))
        stages = Stage("file", {"redis-01": (made, Check("true", 1), done)})
        needs = present("the program", f"command -v {self.program}", inventory.of(Role.REDIS), "get it")
        return Plan("toy", (decided, stages), needs=(needs,))

    def failover(self, inventory: Inventory) -> Failover | None:
        return Failover(inventory.of(Role.REDIS)[:1], "true", self._failover) if self.executes else None

    def _failover(self, leader: Server) -> Plan:
        return Plan("toy failover", (Stage("survived", {leader.name: (Check("true", 1),)}),))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Of the installer."""
    return tmp_path / "home"


def standing(toy: Toy, home: Path) -> Standing:
    """Of the only module."""
    (found,) = validate((toy,), small(), ShellHere(), home)
    return found.standing


def test_from_nothing_to_proven_and_back(tmp_path: Path, home: Path) -> None:
    toy = Toy(tmp_path)
    assert standing(toy, home) is Standing.NOT_PROVEN
    assert not (home / "credentials").exists()
    install(toy, small(), ShellHere(), home, prove=False)
    assert standing(toy, home) is Standing.VALIDATED
    install(toy, small(), ShellHere(), home, prove=True)
    assert standing(toy, home) is Standing.PROVEN
    (tmp_path / "file").write_text("somebody else's")
    assert standing(toy, home) is Standing.NOT_PROVEN
    assert (tmp_path / "file").read_text() == "somebody else's"
    log = (home / "logs/validation.log").read_text()
    assert f"module 4 toy: not proven: redis-01: file {tmp_path}/file (0600, root:root, 32 bytes): is not so\n" in log
    assert " complete: every failover was executed\n" in log


def test_what_has_no_failover_to_execute_is_validated_at_most(tmp_path: Path, home: Path) -> None:
    toy = Toy(tmp_path, executes=False)
    install(toy, small(), ShellHere(), home, prove=True)
    assert standing(toy, home) is Standing.VALIDATED


def test_where_what_it_stands_on_is_absent_nothing_is_changed_and_it_is_not_shown(tmp_path: Path, home: Path) -> None:
    toy = Toy(tmp_path, program="no-such-program")
    with pytest.raises(NotShownHere, match=r"there is no the program on redis-01, redis-02, redis-03: get it"):
        install(toy, small(), ShellHere(), home, prove=True)
    assert [one.name for one in tmp_path.iterdir()] == ["home"]
    assert [one.name for one in home.iterdir()] == ["logs"]
    assert "toy: not shown here: there is no" in (home / "logs/module_4_install.log").read_text()
    assert standing(toy, home) is Standing.NOT_SHOWN


def test_who_does_not_answer_is_not_called_absent(tmp_path: Path, home: Path) -> None:
    toy = Toy(tmp_path)
    with pytest.raises(StageFailed, match="redis-02: no answer"):
        install(toy, small(), ShellHere({"redis-02": 9}), home, prove=True)
    (found,) = validate((toy,), small(), ShellHere({"redis-02": 9}), home)
    assert found.standing is Standing.NOT_PROVEN
