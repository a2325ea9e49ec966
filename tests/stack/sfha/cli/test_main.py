"""The command line: mistakes are one line and an exit code, never a traceback."""

import json
from pathlib import Path

import pytest

from harness.stack.sfha.cli.main import main
from tests.stack.sfha.config.test_load import GOOD, MESH


def test_a_good_configuration_is_called_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yml").write_text(GOOD)
    (tmp_path / "mesh.json").write_text(json.dumps(MESH))
    code = main(["config-check", "--config", str(tmp_path / "config.yml"), "--mesh", str(tmp_path / "mesh.json")])
    assert code == 0
    assert "the configuration is good: node n1 of cluster demo, 2 VIPs" in capsys.readouterr().out


def test_a_mistake_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yml").write_text(GOOD.replace("profile: lan", "profile: slow"))
    assert main(["config-check", "--config", str(tmp_path / "config.yml")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("sfha: ")
    assert "config.yml:3: cluster.profile" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["standby"], ["unstandby"]])
def test_without_a_daemon_it_says_how_to_start_one(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 1
    assert "start it with `systemctl start sfha` or `sfha run`" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_token_file_that_cannot_be_read_is_one_line(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "n2.token"
    if content is not None:
        file.write_bytes(content)
    assert main(["join", f"@{file}"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"sfha: {file}: cannot be read: ")
    assert said.count("\n") == 1


def test_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dance"])
    assert ended.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
