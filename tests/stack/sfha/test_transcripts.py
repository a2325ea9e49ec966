"""The runner of the stories: it tells what happens, and fails where a file says something else."""

from pathlib import Path

import pytest

from tests.stack.sfha import transcripts

TOLD = """\
# A story

add 1 2
    3
add 1
    1

silence
"""


def tell(command: str, words: list[str]) -> list[str]:
    if command == "silence":
        return []
    if command != "add":
        raise ValueError("there are add, silence")
    return [str(sum(map(int, words)))]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "story.txt"
    path.write_text(text)
    return path


@pytest.fixture(autouse=True)
def nothing_is_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_REWRITE", raising=False)


def test_a_story_that_is_true_stays_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, TOLD)
    transcripts.check(path, tell)
    assert transcripts.as_it_happens(path, tell) == TOLD


@pytest.mark.parametrize(
    ("line", "instead"),
    [("    3\n", "    4\n"), ("    3\n", ""), ("silence\n", "silence\n    something\n"), ("    1\n", "    1\n    1\n")],
)
def test_what_does_not_happen_fails_until_it_is_rewritten(
    line: str, instead: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, TOLD.replace(line, instead))
    with pytest.raises(AssertionError, match=r"story\.txt tells another story"):
        transcripts.check(path, tell)
    monkeypatch.setenv("HARNESS_REWRITE", "1")
    transcripts.check(path, tell)
    assert path.read_text() == TOLD


@pytest.mark.parametrize(("line", "why"), [("sing", "there are add, silence"), ("add x", "invalid literal")])
def test_what_is_no_command_is_named_by_its_line(line: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(transcripts.CannotRead, match=rf"story\.txt:2: {line}: .*{why}"):
        transcripts.check(written(tmp_path, f"# A story\n{line}\n"), tell)


def test_a_folder_without_stories_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no stories"):
        transcripts.stories(tmp_path)
