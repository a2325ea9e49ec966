"""`sfha stonith notify` changes one entry of config.yml and leaves the rest; `config-check` says what will not work."""

import json
from pathlib import Path

import pytest

from harness.stack.sfha.cli import notices
from harness.stack.sfha.config.load import load_config
from tests.stack.sfha.cli.command import run

BLOCK = """\
# ours
cluster: {name: demo}
node: {name: n1}

stonith:
  # the switch
  enabled: true
  provider: command
  command: {program: /bin/true}
  nodes:
    n1: {}   # here
    n2: {}

# afterwards
vips: []
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.yml"
    path.write_text(BLOCK)
    monkeypatch.setattr(notices, "CONFIG", path)
    return path


def told(config: Path) -> str | None:
    stonith = load_config(config).stonith
    return stonith.notify.program if stonith and stonith.notify else None


def test_a_program_is_chosen_changed_and_taken_away(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("stonith", "notify") == 0
    assert "no program is told" in capsys.readouterr().out
    assert run("stonith", "notify", "/bin/true") == 0
    assert "sfha reload" in capsys.readouterr().out
    added = "    n2: {}\n  notify:\n    program: /bin/true\n"
    assert config.read_text() == BLOCK.replace("    n2: {}\n", added)
    assert run("stonith", "notify", "/bin/true") == 0
    assert "sfha reload" not in capsys.readouterr().out
    assert run("stonith", "notify", "/bin/false", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "program": "/bin/false", "changed": True}
    assert told(config) == "/bin/false"
    assert run("stonith", "notify", "--none") == 0
    assert config.read_text() == BLOCK


def test_its_time_and_the_entries_around_it_stay(config: Path) -> None:
    entry = "  # told\n  notify:\n    program: /bin/a\n    timeout_ms: 700\n  # where\n  nodes:\n"
    config.write_text(BLOCK.replace("  nodes:\n", entry))
    assert run("stonith", "notify", "/bin/true") == 0
    assert config.read_text() == BLOCK.replace("  nodes:\n", entry.replace("/bin/a", "/bin/true"))


@pytest.mark.parametrize("text", ["cluster: {name: demo}\nnode: {name: n1}\nstonith: {enabled: false}\n"])
def test_a_section_or_a_file_in_braces_stays_whole(config: Path, text: str) -> None:
    config.write_text(text)
    assert run("stonith", "notify", "/bin/true") == 0
    assert told(config) == "/bin/true"
    config.write_text('{"cluster": {"name": "demo"}, "node": {"name": "n1"}, "stonith": {"enabled": false}}')
    assert run("stonith", "notify", "/bin/true") == 0
    assert config.read_text().startswith("{")
    assert told(config) == "/bin/true"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("told",), 1, "stonith.notify.program: must be an absolute path, not 'told'"),
        (("/bin/true", "--none"), 2, "give a program or --none"),
    ],
)
def test_a_mistake_changes_nothing(
    config: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:
    assert run("stonith", "notify", *words) == code
    assert said in capsys.readouterr().err
    assert config.read_text() == BLOCK


def test_without_fencing_nobody_can_be_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text("cluster: {name: demo}\nnode: {name: n1}\n")
    assert run("stonith", "notify", "/bin/true") == 1
    assert "sfha stonith setup" in capsys.readouterr().err
    assert run("stonith", "notify", "--none") == 0


@pytest.mark.parametrize(
    ("program", "enabled", "said"),
    [
        ("/bin/true", "true", ""),
        ("/nowhere", "true", "stonith.notify.program: /nowhere cannot be executed here"),
        ("/", "true", "stonith.notify.program: / cannot be executed here"),
        ("/bin/true", "false", "stonith.enabled is false"),
    ],
)
def test_config_check_says_what_will_not_work(
    config: Path, capsys: pytest.CaptureFixture[str], program: str, enabled: str, said: str
) -> None:
    text = BLOCK.replace("enabled: true", f"enabled: {enabled}")
    config.write_text(text.replace("  nodes:\n", f"  notify: {{program: {program}}}\n  nodes:\n"))
    assert run("config-check", "--config", str(config), "--no-mesh") == 0
    assert said in capsys.readouterr().err
