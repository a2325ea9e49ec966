"""The list of promises, and what the table says of those that nothing shows."""

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.reporting.promises import load_promises, promise_html, promise_table

HEAD = '[[promise]]\nid = "P-1"\nkind = "behaviour"\ntext = "It holds"\n'


def listed(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "promises.toml"
    path.write_text(text)
    return path


def test_a_promise_that_cannot_be_shown_says_why(tmp_path: Path) -> None:
    promises = load_promises(listed(tmp_path, HEAD + 'not_shown = "needs <another> machine"\n'))
    shown = promise_html(promise_table(promises, []))
    assert "not shown here" in shown
    assert "(needs &lt;another&gt; machine)" in shown


@pytest.mark.parametrize("more", ["why = 'x'\n", "not_shown = 1\n"])
def test_whatever_else_is_in_it_is_a_mistake(tmp_path: Path, more: str) -> None:
    with pytest.raises(UsageError, match=r"promise P-1: needs id, kind and text, may have not_shown"):
        load_promises(listed(tmp_path, HEAD + more))


def test_a_reason_may_be_one_for_many(tmp_path: Path) -> None:
    other = HEAD.replace("P-1", "Q-1") + 'not_shown = "its own"\n' + HEAD.replace("P-1", "Q-2")
    promises = load_promises(listed(tmp_path, '[not_shown]\nQ- = "no such thing here"\n' + HEAD + other))
    assert [one.not_shown for one in promises] == ["", "its own", "no such thing here"]


@pytest.mark.parametrize("reason", ['R- = "nobody"', "P- = 1"])
def test_a_reason_for_nobody_is_a_mistake(tmp_path: Path, reason: str) -> None:
    with pytest.raises(UsageError, match=r"not_shown\.[PR]-: needs a reason, a string, and promises"):
        load_promises(listed(tmp_path, f"[not_shown]\n{reason}\n{HEAD}"))


def test_the_suites_own_lists_are_good() -> None:
    paths = sorted((Path(__file__).parents[2] / "fixtures").glob("*/promises.toml"))
    listed_in = {path.parent.name: load_promises(path) for path in paths}
    assert {name: {one.id[:2] for one in known} for name, known in listed_in.items()} == {
        "sfha": {"S1", "S2", "D-"},
        "multisite": {"S3"},
        "dataservices": {"S4"},
        "storage": {"S5"},
    }
    told = [one.id for known in listed_in.values() for one in known if one.not_shown]
    assert [one for one in told if one[:2] not in {"S3", "S4", "S5"}] == ["S1-25"]
