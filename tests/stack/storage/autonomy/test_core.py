"""What each level allows: the whole table, and what holds for every row of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.autonomy.core import RULES, Act, Level, decide
from harness.stack.storage.preflight.core import Risk

ALLOWED = {
    Level.READ_ONLY: {Act.LOOK, Act.PREFLIGHT},
    Level.SAFE: {Act.ALERT, Act.TIDY, Act.SNAPSHOT},
    Level.STORAGE: {Act.MAP, Act.UNMAP, Act.MEND, Act.RESUME},
    Level.ADVANCED: {Act.MOVE, Act.TIER, Act.END_PROGRAM},
    Level.FAILOVER: {Act.PROMOTE},
}
"""What comes with each level, by itself and without a person."""


@pytest.mark.promise("S5-04", "S5-71")
@pytest.mark.parametrize("level", Level)
def test_each_level_allows_what_those_below_it_allow_and_no_more(level: Level) -> None:
    alone = {act for act in Act if decide(level, act).verdict == "allowed"}
    assert alone == set().union(*(acts for lower, acts in ALLOWED.items() if lower <= level))


@pytest.mark.promise("S5-04", "S5-71")
@given(act=st.sampled_from(Act), risk=st.sampled_from(Risk), approved=st.booleans())
def test_nothing_is_changed_on_the_first_level_whoever_approves(act: Act, risk: Risk, approved: bool) -> None:
    verdict = decide(Level.READ_ONLY, act, risk, approved=approved).verdict
    assert verdict == ("allowed" if act in (Act.LOOK, Act.PREFLIGHT) else "blocked")


@pytest.mark.promise("S5-43")
@given(level=st.sampled_from(Level), act=st.sampled_from(Act), approved=st.booleans())
def test_critical_is_blocked_with_its_reasons(level: Level, act: Act, approved: bool) -> None:
    found = decide(level, act, Risk.CRITICAL, ["the disk is full (make room)"], approved=approved)
    if not RULES[act].changes:
        return
    assert found.verdict == "blocked"
    assert level < RULES[act].needs or "the disk is full (make room)" in found.reasons


@pytest.mark.promise("S5-20", "S5-44", "S5-73")
@given(level=st.sampled_from(Level), act=st.sampled_from(Act))
def test_high_needs_a_person_and_one_is_enough(level: Level, act: Act) -> None:
    rule = RULES[act]
    if level < rule.needs or not rule.changes:
        return
    assert decide(level, act, Risk.HIGH, ["two names"]).verdict == "needs approval"
    assert decide(level, act, Risk.HIGH, ["two names"], approved=True).verdict == "allowed"


@given(act=st.sampled_from(Act), risk=st.sampled_from(Risk), approved=st.booleans())
def test_a_higher_level_never_allows_less(act: Act, risk: Risk, approved: bool) -> None:
    order = ["blocked", "needs approval", "allowed"]
    found = [order.index(decide(level, act, risk, approved=approved).verdict) for level in Level]
    assert found == sorted(found)
