"""Whether to map what somebody else has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.peers.core.advice import advised, twice
from harness.stack.storage.peers.core.merge import Heard
from harness.stack.storage.peers.core.report import Migration
from tests.stack.storage.peers.core.told import having, heard

A, B = "shared:/a", "shared:/b"
AFTER_S = 5.0
THERE = {"n2": Heard(having("n2", A), 100.0), "n1": Heard(having("n1"), 100.0)}


def verdict(identity: str, known: dict[str, Heard], *declared: Migration, now_s: float = 101.0) -> str:
    return advised(identity, "n1", known, declared=declared, now_s=now_s, after_s=AFTER_S).verdict


@pytest.mark.parametrize(
    ("identity", "declared", "now_s", "expected"),
    [
        (A, (), 101.0, "refused"),
        (A, (), 105.0, "refused"),
        (A, (), 105.1, "warned"),
        (B, (), 101.0, "clear"),
        ("", (), 101.0, "clear"),
        (A, (Migration(A, "n2", "n1", 60.0),), 101.0, "clear"),
        (A, (Migration(A, "n2", "n1", 0.0),), 101.0, "refused"),
        (A, (Migration(A, "n1", "n2", 60.0),), 101.0, "refused"),
        (A, (Migration(A, "n3", "n1", 60.0),), 101.0, "refused"),
        (A, (Migration(B, "n2", "n1", 60.0),), 101.0, "refused"),
    ],
)
def test_the_table(identity: str, declared: tuple[Migration, ...], now_s: float, expected: str) -> None:
    assert verdict(identity, THERE, *declared, now_s=now_s) == expected


def test_what_the_source_declared_counts_here_until_it_runs_out() -> None:
    known = {"n2": Heard(having("n2", A, migrations=(Migration(A, "n2", "n1", 3.0),)), 100.0)}
    assert verdict(A, known, now_s=102.9) == "clear"
    assert verdict(A, known, now_s=103.0) == "refused"


def test_one_declared_way_does_not_excuse_another_host() -> None:
    known = THERE | {"n3": Heard(having("n3", A), 100.0)}
    said = advised(A, "n1", known, declared=[Migration(A, "n2", "n1", 60.0)], now_s=101.0, after_s=AFTER_S)
    assert said.verdict == "refused"
    assert [reason.split()[0] for reason in said.reasons] == ["n3"]


@given(heard, st.sampled_from([A, B]), st.floats(100, 300))
def test_a_fresh_report_of_another_host_is_never_passed_over(
    known: dict[str, Heard], identity: str, now_s: float
) -> None:
    theirs = {
        name: now_s - one.at_s
        for name, one in known.items()
        if name != "n1" and any(volume.identity == identity for volume in one.report.volumes)
    }
    without = {name: Heard(having(name, identity), one.at_s) for name, one in known.items() if name in theirs}
    expected = "clear" if not theirs else "refused" if min(theirs.values()) <= AFTER_S else "warned"
    assert verdict(identity, without, now_s=now_s) == expected
    if verdict(identity, known, now_s=now_s) == "clear" and theirs:
        assert all(known[name].report.migrations for name in theirs), "only a declared migration excuses"


@pytest.mark.parametrize("now_s", [101.0, 300.0])
def test_whoever_has_it_elsewhere_is_not_forgotten_for_a_migration(now_s: float) -> None:
    declared = [Migration(A, "n2", "n1", 60.0)]
    said = {
        one: advised(one, "n1", THERE, declared=declared, now_s=now_s, after_s=AFTER_S).elsewhere for one in (A, B, "")
    }
    assert said == {A: True, B: False, "": False}


def test_two_that_have_it_are_told_unless_it_is_on_its_way() -> None:
    known = {"n1": Heard(having("n1", A, B), 101.0), "n2": Heard(having("n2", A), 100.0)}
    assert twice("n1", known, (), 101.0, AFTER_S) == {"/a": "n2"}
    assert twice("n1", known, (), 106.0, AFTER_S) == {}, "of who is silent nobody knows"
    for way in (("n1", "n2"), ("n2", "n1")):
        assert twice("n1", known, [Migration(A, *way, 60.0)], 101.0, AFTER_S) == {}
