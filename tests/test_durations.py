"""Durations are kept from session to session and order scenarios; a broken file is as good as none."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.durations import longest_first, store_durations, stored_durations


@given(st.lists(st.text(max_size=3), unique=True), st.dictionaries(st.text(max_size=3), st.floats(0, 1e6)))
def test_the_longest_first_and_those_never_seen_before_them(names: list[str], durations_s: dict[str, float]) -> None:
    order = longest_first(names, durations_s)
    assert sorted(order) == list(range(len(names)))
    known = [durations_s.get(names[position], float("inf")) for position in order]
    assert known == sorted(known, reverse=True)
    assert all(a < b for a, b, left, right in zip(order, order[1:], known, known[1:], strict=False) if left == right)


def test_what_is_stored_is_found_again_and_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    assert stored_durations() == {}
    store_durations({"a": 1.5, "b": 2.0})
    store_durations({"b": 3.0})
    store_durations({})
    assert stored_durations() == {"a": 1.5, "b": 3.0}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": "long"}', "null"])
def test_a_broken_file_is_as_good_as_none(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    (tmp_path / "durations.json").write_text(content)
    assert stored_durations() == {}
