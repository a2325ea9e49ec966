"""Every subject that ships passes the contract."""

from pathlib import Path

import pytest

from harness.subjects.found import kind_at, subject_called, subject_names
from harness.subjects.subject import Kind, Subject, reference_to
from tests.contracts.subject import SubjectContract

ROOT = Path(__file__).parents[2]
SHIPPED = subject_names(ROOT)


@pytest.mark.parametrize("name", SHIPPED)
class TestSubjects(SubjectContract):
    @pytest.fixture
    def make(self, name: str) -> Kind:
        return kind_at(reference_to(subject_called(name, project=ROOT)))


class Minimal(Subject):
    """As little as a subject can be."""

    name = "minimal"

    def files(self, *_: object) -> tuple[()]:
        return ()


class TestMinimal(SubjectContract):
    @pytest.fixture
    def make(self) -> Kind:
        return Minimal


def test_what_ships_is_a_folder_each() -> None:
    folders = {path.parent.name for path in (ROOT / "harness/subjects").glob("*/__init__.py")}
    named = {reference_to(subject_called(name, project=ROOT)).split(".")[2] for name in SHIPPED}
    assert not named - folders, "these folders of harness/subjects have no __init__.py"
    assert not folders - named, "these folders of harness/subjects have no entry point in pyproject.toml"
