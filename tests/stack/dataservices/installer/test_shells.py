"""The installer is not logged in to: it is where this runs."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.stack.dataservices.installer.shells import Here, Shells
from harness.stack.dataservices.installer.ssh import ScriptFailed
from harness.stack.dataservices.inventory.core import Server
from harness.stack.dataservices.plan.core import Carried
from harness.stack.dataservices.plan.script import script_of
from tests.stack.dataservices.servers import small

pytestmark = pytest.mark.usefixtures("as_root")


class Elsewhere:
    """Who is asked by SSH."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def run(self, server: Server, script: str, line: Callable[[str], None]) -> None:
        self.asked.append(server.name)

    def send(self, server: Server, one: Carried) -> None:
        self.asked.append(f"{server.name}: {one.path}")


def test_the_installers_own_shell_is_here_and_all_others_are_elsewhere() -> None:
    elsewhere, said = Elsewhere(), list[str]()
    shells = Shells(small().installer, elsewhere)
    shells.run(small().installer, "echo here", said.append)
    shells.run(small().named("redis-01"), "echo there", said.append)
    assert (said, elsewhere.asked) == (["here"], ["redis-01"])


def test_what_is_for_the_installer_itself_is_copied_here(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    carried = Carried(f"{tmp_path}/target", str(source), hashlib.sha256(b"content").hexdigest())
    elsewhere, said = Elsewhere(), list[str]()
    shells = Shells(small().installer, elsewhere)
    shells.send(small().installer, carried)
    shells.send(small().named("redis-01"), carried)
    shells.run(small().installer, script_of([carried]), said.append)
    assert (tmp_path / "target").read_bytes() == b"content"
    assert elsewhere.asked == [f"redis-01: {tmp_path}/target"]


def test_what_fails_here_fails_with_what_it_said_last() -> None:
    with pytest.raises(ScriptFailed, match=r"^second$"):
        Here().run(small().installer, "echo first >&2; echo second >&2; exit 3", lambda line: None)


def test_who_came_by_ssh_is_not_taken_for_somebody_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22")
    said: list[str] = []
    Here().run(small().installer, 'echo "<$SSH_CONNECTION>"', said.append)
    assert said == ["<>"]
