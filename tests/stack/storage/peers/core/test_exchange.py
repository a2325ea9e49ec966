"""What is told arrives, no younger than it is, and no longer than it may be."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.peers.core.exchange import told, understood
from harness.stack.storage.peers.core.merge import Heard
from harness.stack.storage.peers.core.report import BadReport, MappedVolume, Report, from_json, to_json
from tests.stack.storage.peers.core.told import NAMES, having, heard, reports

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(reports(), heard, st.floats(100, 200))
def test_all_of_it_arrives_as_old_as_it_is(own: Report, known: dict[str, Heard], now_s: float) -> None:
    wire = json.loads(json.dumps(told(own, known, now_s, 1 << 20)))
    found = understood(wire, NAMES, asked_s=500.0)
    assert {name: one.report for name, one in found.items()} == {
        **{name: one.report for name, one in known.items()},
        own.node: own,
    }
    for name, one in found.items():
        age_s = 0.0 if name == own.node else now_s - known[name].at_s
        assert one.at_s == pytest.approx(500.0 - age_s)


def test_of_strangers_nothing_is_kept() -> None:
    wire = told(having("n9", "shared:/a"), {}, 0.0, 1 << 20)
    assert understood(wire, NAMES, 0.0) == {}


def test_what_does_not_fit_is_counted() -> None:
    rows = tuple(MappedVolume(f"/{'x' * 4000}{number}", "", "", 0, "mapped") for number in range(1000))
    own = Report("n1", 1, 1, "i", volumes=rows)
    others = {f"n{number}": Heard(having(f"n{number}"), 0.0) for number in range(2, 60)}
    wire = told(own, others, 0.0, 100_000)
    assert len(json.dumps(wire)) < 110_000
    found = understood(wire, ["n1", "n2"], 0.0)
    assert len(found["n1"].report.volumes) + found["n1"].report.more == 1000
    assert found["n2"].report == others["n2"].report


@given(st.data())
def test_what_is_odd_is_refused_and_breaks_nothing(data: st.DataObject) -> None:
    document: Any = to_json(having("n1", "shared:/a"))
    name = data.draw(st.sampled_from(sorted(document)))
    document[name] = data.draw(anything)
    try:
        found = from_json(document)
    except BadReport:
        return
    assert to_json(found)[name] == document[name] or name == "migrations"


@given(anything)
def test_a_message_of_anything_is_refused(document: object) -> None:
    with pytest.raises(BadReport):
        understood(document, NAMES, 0.0)


def test_what_a_later_version_says_more_is_left() -> None:
    document = to_json(having("n1", "shared:/a")) | {"colour": "red"}
    assert from_json(document) == having("n1", "shared:/a")
    with pytest.raises(BadReport):
        from_json(document | {"format": 2})
