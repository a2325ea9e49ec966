"""Names of run directories: one path component, readable, and never the same for two tests of a session."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.stored import LONGEST_NAME, claim, directory_name, title_of

NAMES = st.text(min_size=1).map(lambda text: f"scenarios/a/test_b.py::test_c[{text}]")


@pytest.mark.parametrize("name", ["test_kill", "test_kill[local]", "test_kill[2-docker]", "TestIt.test_kill"])
def test_a_plain_name_is_kept(name: str) -> None:
    assert directory_name(f"scenarios/a/test_b.py::{name.replace('.', '::')}") == name


@given(NAMES)
def test_a_name_is_one_component_that_any_file_system_takes(test: str) -> None:
    name = directory_name(test)
    assert name.startswith("test_c[")
    assert name.isascii()
    assert name.isprintable()
    assert not set(name) & set("/\\ ")
    assert len(name) <= LONGEST_NAME + 20


@given(NAMES, NAMES)
def test_other_tests_have_other_names(first: str, second: str) -> None:
    assert (directory_name(first) == directory_name(second)) == (first == second)


@pytest.mark.parametrize("test", ["::..", "::.", "::/", "::../../x", "x", "a.py::\n"])
def test_odd_names_stay_below_the_session(test: str, tmp_path: Path) -> None:
    directory = claim(tmp_path / "session", test)
    assert directory.parent == tmp_path / "session"
    assert directory.resolve() == directory


def test_every_claim_is_a_new_directory(tmp_path: Path) -> None:
    claimed = [claim(tmp_path, test) for test in ("a.py::test_x", "b.py::test_x", "a.py::test_x")]
    assert [path.name for path in claimed] == ["test_x", "test_x-2", "test_x-3"]


def test_a_title_has_the_whole_name() -> None:
    assert title_of("scenarios/a/test_b.py::test_c[192.0.2.1/24]") == "test_b.py::test_c[192.0.2.1/24]"


def test_where_nothing_can_be_stored_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "session", Path("/proc/nowhere")):
        with pytest.raises(UsageError, match=f"runs cannot be stored in {place}: "):
            claim(place, "a.py::test_x")
