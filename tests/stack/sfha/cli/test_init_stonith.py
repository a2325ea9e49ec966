"""`sfha init --stonith` and `sfha stonith setup` write the same section, whole or not at all."""

from pathlib import Path

import pytest

from harness.stack.sfha.admin import founding
from harness.stack.sfha.cli import stonith
from harness.stack.sfha.config.load import load_config
from tests.stack.sfha.cli.command import run

COMMAND = ("--program", "/bin/true", "--node", "n1", "--node", "n2=lxc:102")


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """config.yml in a directory of the test's own; nothing is founded there."""
    path = tmp_path / "config.yml"
    monkeypatch.setattr(stonith, "CONFIG", path)
    monkeypatch.setattr(founding, "CONFIG_PATH", path)
    monkeypatch.setattr(founding, "MESH_PATH", tmp_path / "mesh.json")
    return path


def test_setup_writes_a_section_that_is_good(config: Path) -> None:
    config.write_text("# ours\ncluster: {name: demo}\nnode: {name: n1}\n")
    run("stonith", "setup", "--provider", "command", *COMMAND)
    assert config.read_text().startswith("# ours\n")
    found = load_config(config).stonith
    assert found is not None
    assert (found.enabled, found.provider, sorted(found.nodes)) == (True, "command", ["n1", "n2"])
    assert found.nodes["n2"].vmid == 102


def test_a_file_in_braces_stays_one(config: Path) -> None:
    config.write_text('{"cluster": {"name": "demo"}, "node": {"name": "n1"}}')
    run("stonith", "setup", "--provider", "command", *COMMAND)
    assert config.read_text().startswith("{")
    assert load_config(config).stonith is not None


def test_what_is_written_is_quoted(config: Path) -> None:
    config.write_text("cluster: {name: demo}\nnode: {name: n1}\n")
    odd = '/opt/a "b" \\c: d'
    run("stonith", "setup", "--provider", "command", "--program", odd, "--node", "n1")
    found = load_config(config).stonith
    assert found is not None
    assert found.command is not None
    assert found.command.program == odd


def test_a_second_section_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text("cluster: {name: demo}\nnode: {name: n1}\nstonith: {enabled: false}\n")
    assert run("stonith", "setup", "--provider", "command", *COMMAND) == 1
    assert "has a section stonith already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--program", "power", "--node", "n1"), 1, "stonith.command.program"),
        (("--program", "/bin/true", "--node", "n1=lxc:x"), 1, "stonith.nodes.n1.vmid"),
        (("--node", "n1"), 2, "--program"),
    ],
)
def test_a_mistake_is_told_before_anything_is_founded(
    config: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], code: int, said: str
) -> None:
    assert run("init", "--name", "demo", "--stonith", "command", *options) == code
    assert said in capsys.readouterr().err
    assert list(config.parent.iterdir()) == []
