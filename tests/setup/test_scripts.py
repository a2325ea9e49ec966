"""The set-up scripts: nothing to do is quick, and mistakes are named."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def copy_of_the_scripts(directory: Path) -> Path:
    """Another set-up in this tree, of another test or of a person, would be waited for, and that is said."""
    (directory / "setup").mkdir(parents=True)
    for name in ("setup/install", "setup/as-root", "setup/packages.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, directory / name)
    return directory


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    tree = copy_of_the_scripts(tmp_path / "tree")
    done = subprocess.run([tree / "setup/install", "everything"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no part 'everything'; there are: packages environment image" in done.stderr


def test_with_all_packages_there_nothing_is_said(tmp_path: Path) -> None:
    tree = copy_of_the_scripts(tmp_path / "tree")
    done = subprocess.run([tree / "setup/install", "packages"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_failing_step_shows_the_end_of_its_log(tmp_path: Path) -> None:
    tree = copy_of_the_scripts(tmp_path / "tree")
    (tree / "setup" / "packages.txt").write_text("no-such-package-as-this # a test\n")
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "apt-get").write_text("#!/bin/sh\necho 'E: Unable to locate package'\nexit 100\n")
    (fake / "apt-get").chmod(0o755)
    path = f"{fake}:{os.environ['PATH']}"
    done = subprocess.run(
        [tree / "setup/install", "packages"],
        capture_output=True, text=True, check=False, env={**os.environ, "PATH": path},
    )  # fmt: skip
    assert done.returncode == 2
    assert "installing system packages: no-such-package-as-this\n" in done.stderr
    assert "the last lines of .setup/packages.log" in done.stderr
    assert "    E: Unable to locate package" in done.stderr
