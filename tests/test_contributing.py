"""What the page for contributors names is there, and a fragment of the changelog that is none is refused."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SFHA = ROOT / "harness/stack/sfha"
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TO_BE_MADE = re.compile(r"NAME|FAMILY|\+")


def test_every_page_and_path_that_it_names_exists() -> None:
    links = re.findall(r"\]\(([^):]+)\)", PAGE)
    paths = [one for one in re.findall(r"`([\w./+-]+/[\w./+-]+)`", PAGE) if not TO_BE_MADE.search(one)]
    assert len(links) > 8
    assert len(paths) > 8
    assert [one for one in (*links, *paths) if not (ROOT / one).exists()] == []


def test_the_table_of_where_a_feature_goes_has_six_rows_and_names_what_is_there() -> None:
    """Paths below sfha with an ending, rooms without."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = re.search(r"^\| of a feature .*?\n\n", page, flags=re.MULTILINE | re.DOTALL)
    assert table is not None
    rows = [line.split("|")[1:-1] for line in table[0].strip().splitlines()[2:]]
    assert len(rows) <= 6
    paths = [path for row in rows for path in re.findall(r"`([\w/]+\.py)`", row[1]) if not TO_BE_MADE.search(path)]
    assert len(paths) > 5
    found = {str(path.relative_to(SFHA)) for path in SFHA.rglob("*.py")}
    assert [one for one in paths if not any(f"/{path}".endswith(f"/{one}") for path in found)] == []


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
