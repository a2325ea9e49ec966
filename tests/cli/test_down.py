"""Ending several clusters at once."""

import pytest
from click.testing import CliRunner

from harness.cli import cluster as commands
from harness.errors import HarnessError
from harness.rundir import RunDirectory


class _Keeper:
    """A keeper whose run ends, unless it is the run that cannot be ended."""

    ended: list[str]

    def __init__(self, run: RunDirectory) -> None:
        self._run_id = run.run_id

    @classmethod
    def of(cls, run: RunDirectory) -> "_Keeper":
        if run.run_id == "stuck":
            raise HarnessError("run stuck has no keeper any more")
        return cls(run)

    async def end(self) -> None:
        self.ended.append(self._run_id)


def test_one_that_cannot_be_ended_keeps_no_other_up(monkeypatch: pytest.MonkeyPatch) -> None:
    _Keeper.ended = []
    monkeypatch.setattr(commands, "Keeper", _Keeper)
    monkeypatch.setattr(commands, "clusters", lambda: ("stuck", "other"))
    done = CliRunner().invoke(commands.down_command, ["--all"])
    assert _Keeper.ended == ["other"]
    assert isinstance(done.exception, HarnessError)
    assert "run stuck has no keeper any more" in str(done.exception)
    assert "cluster other is gone" in done.stdout
    assert "cluster stuck is gone" not in done.stdout
