"""The plugin in suites of others: no name of theirs is taken, and nothing of ours fails them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.pytest_options import SHORT

ROOT = Path(__file__).parents[1]
PLAIN = "def test_it():\n    pass\n"
TELLING = """
def test_it(request):
    option = request.config.option
    print("seed", option.harness_seed, "times", option.harness_times, "runs", option.harness_runs)
"""


def run(directory: Path, *options: str, plugins: tuple[str, ...] = ()) -> tuple[int, str]:
    (directory / "pytest.ini").touch()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rP"]
    done = subprocess.run(
        [*command, *(word for name in plugins for word in ("-p", name)), *options],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(directory)))},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def defining(*shorts: str, flag: bool = False) -> str:
    how = 'action="store_true"' if flag else 'default="none"'
    lines = [f"    parser.addoption({short!r}, {how})" for short in shorts]
    return "\n".join(["def pytest_addoption(parser):", *lines, ""])


def expecting(value: object) -> str:
    dests = [short.removeprefix("--").replace("-", "_") for short in SHORT]
    return f"""
def test_the_options_are_theirs(request):
    for short, dest in zip({SHORT!r}, {dests!r}, strict=True):
        assert request.config.getoption(short) == {value!r}
        assert getattr(request.config.option, dest) == {value!r}
"""


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("where", ["conftest", "earlier plugin", "later plugin"])
def test_a_name_that_somebody_else_has_is_his(flag: bool, where: str, tmp_path: Path) -> None:
    (tmp_path / ("conftest.py" if where == "conftest" else "theirs.py")).write_text(defining(*SHORT, flag=flag))
    # Given by -p, a plugin is there before those that are installed.
    plugins = {"conftest": (), "earlier plugin": ("theirs",), "later plugin": ("harness", "theirs")}
    given = [short if flag else f"{short}=x" for short in SHORT]
    for options, value in (([], False if flag else "none"), (given, True if flag else "x")):
        (tmp_path / "test_theirs.py").write_text(expecting(value))
        code, said = run(tmp_path, *options, plugins=plugins[where])
        assert code == 0, said


def test_a_group_of_theirs_may_define_all_of_them(tmp_path: Path) -> None:
    lines = "\n".join(f"    group.addoption({short!r}, default=None)" for short in SHORT)
    (tmp_path / "conftest.py").write_text(f"def pytest_addoption(parser):\n    group = parser.getgroup('t')\n{lines}\n")
    (tmp_path / "test_it.py").write_text(TELLING)
    code, said = run(tmp_path, "--seed", "x", "--harness-seed=7", "--times=many", "--harness-times", "2")
    assert code == 0, said
    assert "seed 7 times 2" in said
    assert "--harness-seed=7" in said.splitlines()[2]


@pytest.mark.parametrize("given", [("--seed=7", "--times=2"), ("--seed", "7", "--harness-times", "2")])
def test_short_names_are_ours_where_nobody_has_them(given: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/conftest.py").write_text(defining("--theirs"))
    (tmp_path / "tests/test_it.py").write_text(TELLING)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n")
    code, said = run(tmp_path, *given, "--theirs", "x", "--runs", str(tmp_path))
    assert code == 0, said
    assert f"seed 7 times 2 runs {tmp_path}" in said


def test_short_names_work_where_options_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test_it.py").write_text(TELLING)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --seed 7\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--times=3")
    code, said = run(tmp_path, "-n", "1")
    assert code == 0, said
    assert "seed 7 times 3" in said


@pytest.mark.parametrize(
    "wrong",
    ["--times=0", "--times=-1", "--times=x", "--limit=0", "--limit=-1", "--limit=nan", "--limit=inf", "--limit=x"],
)
def test_numbers_that_make_no_sense_are_refused(wrong: str, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(PLAIN)
    code, said = run(tmp_path, wrong)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert "error: argument --harness-" in said
    assert f"{wrong.partition('=')[2]!r} is no number" in said
    assert "Traceback" not in said


def test_marks_of_others_mean_what_they_say(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(f"import pytest\n@pytest.mark.nightly\n@pytest.mark.image('x')\n{PLAIN}")
    code, said = run(tmp_path)
    assert code == 0, said
    assert "1 passed" in said


# Imported first: the interpreter may be where this user cannot read.
AS_A_STRANGER = """
import os, sys
import pytest, harness.pytest_plugin, harness.cli.doctor, harness.cli.image, harness.cli.reap, harness.cli.main
import allure_pytest.plugin, xdist.plugin
os.setgroups([]); os.setgid(54321); os.setuid(54321)
for name in ("HOME", "XDG_CACHE_HOME", "HARNESS_CACHE"):
    os.environ.pop(name, None)
if sys.argv[1] == "pytest":
    sys.exit(pytest.main(["-p", "no:cacheprovider", *sys.argv[2:]]))
sys.argv[:1] = ["harness"]
harness.cli.main.main()
"""


def as_a_stranger(directory: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", AS_A_STRANGER, *words],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user may enter: those of tmp_path are root's alone."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        path.chmod(0o755)
        yield path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody unknown")
def test_a_user_whom_nobody_knows_and_who_has_no_home(open_directory: Path) -> None:
    (open_directory / "test_it.py").write_text(PLAIN)
    (open_directory / "pytest.ini").touch()
    code, said = as_a_stranger(open_directory, "pytest")
    assert code == 0, said
    assert "1 passed" in said
    code, said = as_a_stranger(open_directory, "reap", "--dry-run")
    assert code == 0, said
    code, said = as_a_stranger(open_directory, "image", "list")
    assert (code, said) == (2, "harness: user 54321 has no home directory: set HARNESS_CACHE to a place for images\n")
    code, said = as_a_stranger(open_directory, "doctor")
    assert code == 1, said
    assert "user 54321 has no home directory" in said
    assert "to get it: set HARNESS_CACHE" in said
    assert "Traceback" not in said
