"""The commands, as a person calls them, on real files."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.stack.kit.command_line import DONE, FAILED, USAGE
from harness.stack.storage.cli import main
from harness.stack.storage.cli.errors import PARTIAL
from harness.stack.storage.mapping.drivers.userspace import Userspace
from harness.stack.storage.moves.mover import Mover

Command = Callable[..., int]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs one with state of its own; usage errors have their exit code as well."""

    def run(*arguments: object) -> int:
        places = ["--state", str(tmp_path / "state"), "--run", str(tmp_path / "run")]
        try:
            return main.main([*places, *map(str, arguments)])
        except SystemExit as end:
            return int(end.code or 0)

    return run


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    path = tmp_path / "a" / "disk"
    path.write_bytes(os.urandom(1 << 20))
    return path


@pytest.mark.promise("S5-45")
def test_a_move(command: Command, volume: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = volume.read_bytes()
    assert command("move", volume, volume.parents[1] / "b", "--grace", 0) == DONE
    said = capsys.readouterr()
    assert "checks passed" in said.out
    assert "moved, and verified" in said.out
    assert not volume.exists()
    assert (volume.parents[1] / "b" / "disk").read_bytes() == content
    assert command("status") == DONE
    assert command("move", "--resume") == DONE


def test_a_dry_run_changes_nothing(command: Command, volume: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("move", volume, volume.parents[1] / "b", "--dry-run") == DONE
    assert "would be copied" in capsys.readouterr().out
    assert volume.exists()
    assert list((volume.parents[1] / "b").iterdir()) == []
    assert command("map", volume, "--dry-run") == DONE
    assert command("status") == DONE


@pytest.mark.promise("S5-87")
def test_mistakes_are_one_line_that_names_what_to_fix(
    command: Command, volume: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = volume.parents[1] / "b" / "disk"
    target.write_text("somebody's")
    for code, named, *arguments in (
        (FAILED, "name another target", "move", volume, target),
        (FAILED, "there is no", "move", volume.parent / "gone", target.parent / "x"),
        (USAGE, "SOURCE and TARGET are needed", "move", volume),
        (USAGE, "--grace must be", "move", volume, target, "--grace", -1),
        (USAGE, "without SOURCE", "move", volume, target, "--resume"),
        (USAGE, "invalid choice", "dance"),
        (FAILED, "no such file", "map", volume.parent / "gone"),
    ):
        assert command(*arguments) == code
        said = capsys.readouterr().err
        assert named in said
        assert "Traceback" not in said
    assert target.read_text() == "somebody's"


def test_a_volume_somebody_writes_is_not_moved(
    command: Command, volume: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(volume, "r+b"):
        assert command("move", volume, volume.parents[1] / "b", "--grace", 0, "--approve") == FAILED
    assert f"(process {os.getpid()})" in capsys.readouterr().err
    assert volume.exists()


def test_high_risk_needs_a_person(command: Command, volume: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.link(volume, volume.with_name("another-name"))
    assert command("move", volume, volume.parents[1] / "b", "--grace", 0) == FAILED
    assert "needs --approve: it has 2" in capsys.readouterr().err
    assert command("move", volume, volume.parents[1] / "b", "--grace", 0, "--approve") == DONE


def test_where_there_is_no_nbd_that_is_said_and_what_to_do(
    command: Command, volume: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if Path("/sys/block/nbd0").exists():
        pytest.skip("not shown here: this host has NBD")
    assert command("devices") == FAILED
    said = capsys.readouterr().err
    assert "modprobe nbd" in said
    assert "--driver userspace" in said
    assert command("map", volume) == DONE
    assert "used as a file" in capsys.readouterr().out
    assert command("map", volume, "--driver", "nbd-client") == FAILED
    assert "modprobe nbd" in capsys.readouterr().err
    assert command("map", volume, "--driver", "userspace") == FAILED, "never two data paths"
    assert command("move", volume, volume.parents[1] / "b") == FAILED
    assert "mfs-autonomy unmap" in capsys.readouterr().err
    assert command("unmap", volume) == DONE
    assert command("status") == DONE


def test_a_disk_of_a_file_and_back(command: Command, volume: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lacking = Userspace(volume.parent).absent()
    if lacking:
        pytest.skip(f"not shown here: {lacking}")
    assert command("map", volume, "--driver", "userspace") == DONE
    link = Path(capsys.readouterr().out.split(" -> ")[0])
    try:
        assert link.is_block_device()
        assert command("map", volume) == DONE, "its way is remembered"
        assert "was mapped already" in capsys.readouterr().out
        assert command("devices", "--driver", "userspace", "--json") == DONE
        states = [one["state"] for one in json.loads(capsys.readouterr().out)]
        assert states.count("mapped") == 1
    finally:
        assert command("unmap", volume) == DONE
    assert not link.exists()


def test_what_is_left_over_is_said_and_seen_in_the_status(
    command: Command, volume: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes to the source in the grace period: nothing of his is deleted, and it is not called a failure."""
    target = volume.parents[1] / "b" / "disk"

    def write(grace_s: float) -> None:
        assert grace_s == 30
        with open(volume, "r+b") as file:
            file.write(b"late")

    monkeypatch.setattr("harness.stack.storage.moves.running.Mover", lambda *given, **_named: Mover(*given, wait=write))
    assert command("move", volume, target) == PARTIAL
    assert "both are kept" in capsys.readouterr().out
    assert volume.exists()
    assert target.exists()
    assert command("status") == FAILED
    assert "go on with them" in capsys.readouterr().out


@pytest.mark.parametrize("name", main.COMMANDS)
def test_each_command_is_found_alone_and_among_all(
    name: str, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(name, "--help") == DONE
    assert f"mfs-autonomy {name} " in capsys.readouterr().out.replace("[-h]", "")
    with pytest.raises(SystemExit):
        main.main(["--help"])
    assert name in [line.strip().split(" ")[0] for line in capsys.readouterr().out.splitlines() if line[:4] == "    "]
