"""The set-up scripts: nothing to do is quick, and mistakes are named."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_an_unknown_part_is_refused() -> None:
    done = subprocess.run([ROOT / "setup/install", "everything"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no part 'everything'; there are: packages environment image" in done.stderr


def test_with_all_packages_there_nothing_is_said() -> None:
    done = subprocess.run([ROOT / "setup/install", "packages"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_failing_step_shows_the_end_of_its_log(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "setup").mkdir(parents=True)
    for name in ("setup/install", "setup/as-root", "pyproject.toml"):
        (tree / name).write_bytes((ROOT / name).read_bytes())
        (tree / name).chmod(0o755)
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
