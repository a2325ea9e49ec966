"""What the page for contributors names is there, and a fragment of the changelog that is none is refused."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TO_BE_MADE = re.compile(r"NAME|FAMILY|\+")


def test_every_page_and_path_that_it_names_exists() -> None:
    links = re.findall(r"\]\(([^):]+)\)", PAGE)
    paths = [one for one in re.findall(r"`([\w./+-]+/[\w./+-]+)`", PAGE) if not TO_BE_MADE.search(one)]
    assert len(links) > 8
    assert len(paths) > 8
    assert [one for one in (*links, *paths) if not (ROOT / one).exists()] == []


def test_what_it_says_to_make_can_be_made() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", PAGE)) - {"a"} <= targets


@pytest.mark.parametrize(
    ("name", "code"),
    [("+news.added.md", 0), ("news.md", 1), ("+news.improved.md", 1)],
    ids=["good", "no kind", "no such kind"],
)
def test_a_fragment_is_well_formed_or_refused(name: str, code: int, tmp_path: Path) -> None:
    for file in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / file, tmp_path)
    (tmp_path / "changes").mkdir()
    (tmp_path / "changes" / name).write_text("Something is new.\n")
    done = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "next"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ("Something is new." in done.stdout) is (code == 0)
