"""A new suite is the example under another name, and is refused where it would be in somebody's way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.new import write_suite
from harness.errors import UsageError
from harness.subjects.found import subject_called
from tests.cli.clusters import harness


def test_a_new_suite_has_a_subject_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = tmp_path / "my-shop-2"
    files = write_suite(suite)
    assert {str(path.relative_to(suite)) for path in files} == {
        "conftest.py",
        "fixtures/images/web.toml",
        "my_shop_2.py",
        "promises.toml",
        "pyproject.toml",
        "test_failover.py",
    }
    subject = subject_called("my-shop-2", project=suite)
    assert (subject.name, type(subject).__name__) == ("my-shop-2", "MyShop2")
    assert subject.promises == suite / "promises.toml"
    monkeypatch.chdir(suite)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 tests collected" in done.stdout


@pytest.mark.parametrize("name", ["My-Shop", "2fast", "a--b", "with space", "-x", "nginx_keepalived"])
def test_a_name_that_no_project_could_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no name for a suite"):
        write_suite(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_name_that_would_hide_a_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="'pytest' is no name for a suite: there is a Python module pytest; take my-pytest"
    ):
        write_suite(tmp_path / "pytest")
    assert not [*tmp_path.iterdir()]


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    done = harness("new", str(tmp_path / "shop"))
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert not list((tmp_path / "shop").iterdir())
