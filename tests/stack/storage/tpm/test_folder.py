"""Real folders, by the command that people call."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.stack.kit.command_line import DONE, FAILED
from harness.stack.storage.cli import main
from harness.stack.storage.tpm import folder

Command = Callable[..., int]


@pytest.fixture
def tpm(tmp_path: Path) -> Command:
    def run(*arguments: object) -> int:
        places = ["--state", str(tmp_path / "state"), "--run", str(tmp_path / "run")]
        return main.main([*places, "tpm", *map(str, arguments)])

    return run


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.promise("S5-14", "S5-58", "S5-59")
def test_it_is_made_private_and_called_by_its_one_absolute_name(
    tpm: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "storage/images/100").mkdir(parents=True)
    (tmp_path / "link").symlink_to("storage")
    monkeypatch.chdir(tmp_path / "link/images")
    wanted = tmp_path.resolve() / "storage/images/100/tpm-state"
    assert tpm("100/tpm-state", "--dry-run") == DONE
    assert not wanted.exists()
    for given in ("100/tpm-state", tmp_path / "link/images/100/../100/tpm-state"):
        assert tpm(given) == DONE
        assert capsys.readouterr().out.splitlines()[-1] == str(wanted)
        assert mode(wanted) == 0o700
        assert list(wanted.iterdir()) == [], "what was tried is gone"
        wanted.chmod(0o755)


def test_what_is_in_it_stays_and_nothing_else_is_made_private(
    tpm: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, others = tmp_path / "tpm-state", tmp_path / "swtpm"
    for path, name in ((state, "tpm2-00.permall"), (others, "disk.raw")):
        path.mkdir(mode=0o755)
        (path / name).write_text("content")
    assert tpm(state) == DONE
    assert (state / "tpm2-00.permall").read_text() == "content"
    assert tpm(others) == FAILED
    assert "disk.raw" in capsys.readouterr().err
    assert mode(others) == 0o755
    with open(state / "tpm2-00.permall", "ab"):
        assert tpm(state) == FAILED
    assert "second swtpm" in capsys.readouterr().err
    assert tpm(tmp_path / "gone/tpm-state") == FAILED
    assert "is it mounted" in capsys.readouterr().err
    assert not (tmp_path / "gone").exists()


def test_a_storage_that_gives_back_something_else_is_not_used(
    tpm: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "read_block", lambda *_: b"something else")
    assert tpm(tmp_path / "tpm-state") == FAILED
    assert "does not come back" in capsys.readouterr().err
    assert list((tmp_path / "tpm-state").iterdir()) == []
