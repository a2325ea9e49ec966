"""`snapshot`, `tier` and `pro`, as a person calls them."""

import json
import socket
from contextlib import closing
from pathlib import Path

import pytest

from harness.stack.kit.command_line import DONE, FAILED
from harness.stack.storage.cli import main, pro
from harness.stack.storage.pro.core import State


def called(*arguments: object) -> int:
    return main.main([str(one) for one in arguments])


def test_snapshots_that_are_there_and_that_are_due(
    with_clones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yml"
    config.write_text(f"snapshots: {{folders: [{{path: {with_clones}}}]}}\n")
    for name in ("taken", "due"):
        (with_clones / name).write_bytes(b"x" * 4096)
    assert called("snapshot", with_clones / "taken") == DONE
    made = Path(capsys.readouterr().out.strip())
    assert made.read_bytes() == b"x" * 4096
    assert called("snapshot", "--config", config) == DONE
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [(row[0].rpartition("/")[2], row[-1]) for row in rows] == [("taken", "scheduled"), ("due", "due")]
    assert called("snapshot", "--config", config, "--json") == DONE
    (found,) = json.loads(capsys.readouterr().out)
    assert found["due"]["make"] == ["due"]
    assert [one["volume"] for one in found["taken"]] == ["taken"]


@pytest.mark.promise("S5-87")
def test_what_cannot_be_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing, tiers = tmp_path / "nothing.yml", tmp_path / "tiers.yml"
    nothing.write_text("level: 1\n")
    tiers.write_text(
        f"tiering: {{folders: [{{path: {tmp_path}}}], tiers: [{{class: 3CP}}, {{class: 2CP, idle_h: 24}}]}}\n"
    )
    for said, *arguments in (
        ("no `tiering:`", "tier", "--config", nothing),
        ("no `snapshots:`", "snapshot", "--config", nothing),
        ("not on a MooseFS", "tier", "--config", tiers),
        ("gone.yml", "tier", "--config", tmp_path / "gone.yml"),
        ("No such file", "snapshot", tmp_path / "gone"),
    ):
        assert called(*arguments) == FAILED
        error = capsys.readouterr().err
        assert said in error
        assert len(error.splitlines()) == 1


def test_a_silent_master_is_what_pro_lacks_first(capsys: pytest.CaptureFixture[str]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    for what in ("check", "plan"):
        assert called("pro", what, "--master", "127.0.0.1", "--port", port) == FAILED
        said = capsys.readouterr().out
        assert "the master answers" in said
        assert "NO" in said
        assert "1. " not in said, "nothing is planned for what cannot be seen"


@pytest.mark.promise("S5-90")
def test_the_steps_for_this_cluster(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    state = State("mfsmaster", version="4.57.5", chunkservers=dict.fromkeys("abc", "4.57.5"), undergoal=2)
    monkeypatch.setattr(pro, "state_of", lambda *_: state)
    assert called("pro", "plan") == FAILED, "there are no packages"
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if "replace the chunkserver" in line] == [
        f"{number}. replace the chunkserver, on {host}" for number, host in zip((4, 5, 6), "abc", strict=True)
    ]
    assert "replace the master, on mfsmaster (clients wait meanwhile)" in said
    assert "first: packages of Pro (not so" in said
    assert called("pro", "plan", "--json") == FAILED
    found = json.loads(capsys.readouterr().out)
    assert found["ready"] is False
    assert len(found["steps"]) == 7
