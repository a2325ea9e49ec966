"""Durations are kept from session to session and order scenarios; a broken file is as good as none."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.durations import dealt, longest_first, store_durations, stored_durations


@given(st.lists(st.text(max_size=3), unique=True), st.dictionaries(st.text(max_size=3), st.floats(0, 1e6)))
def test_the_longest_first_and_those_never_seen_before_them(names: list[str], durations_s: dict[str, float]) -> None:
    order = longest_first(names, durations_s)
    assert sorted(order) == list(range(len(names)))
    known = [durations_s.get(names[position], float("inf")) for position in order]
    assert known == sorted(known, reverse=True)
    assert all(a < b for a, b, left, right in zip(order, order[1:], known, known[1:], strict=False) if left == right)


@given(st.integers(0, 40), st.integers(1, 8))
def test_of_what_is_dealt_in_twos_the_longest_come_first_and_the_shorter_follow_the_longer(
    number: int, workers: int
) -> None:
    order = list(range(number))
    hands = dealt(order, workers)
    assert sorted(hands) == order
    if number >= 2 * workers:
        twos = [hands[at : at + 2] for at in range(0, 2 * workers, 2)]
        assert twos == [[at, 2 * workers - 1 - at] for at in range(workers)]
        assert hands[2 * workers :] == order[2 * workers :]
    else:
        assert hands == order


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


def test_sessions_that_end_at_the_same_time_do_not_disturb_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    code = "from harness.durations import store_durations\nfor _ in range(500): store_durations({'a': 1.0})"
    sessions = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [session.wait(60) for session in sessions] == [0] * 4
    assert stored_durations() == {"a": 1.0}
    assert [path.name for path in tmp_path.iterdir()] == ["durations.json"]
