"""The checks and brute force agree on small histories: right ones, ones with a planted anomaly, and random ones."""

import os
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.checks.consistency.by_model import MODELS as MODELS_BY_NAME
from harness.checks.consistency.by_model import Question
from harness.checks.consistency.explain import explain
from harness.checks.consistency.isolation import isolated
from harness.checks.consistency.kinds import KINDS as JUDGED
from harness.checks.consistency.linearizability import STUCK, Answer, judge
from harness.checks.consistency.models import MODELS
from harness.checks.consistency.operations import operations_from
from harness.checks.consistency.register import repeated_values
from harness.checks.consistency.search import Limits, search, timed
from harness.checks.consistency.sequential import search_sequential
from harness.checks.consistency.sessions import GUARANTEES, conflicts_of_sessions
from harness.checks.consistency.shrink import related
from harness.checks.consistency.verdicts import Case
from harness.checks.verdict import Outcome
from harness.operations import Operation
from tests.checks.consistency import oracle
from tests.checks.consistency.histories import KINDS, history
from tests.checks.consistency.transacted import sessions, transactions

LIMITS = Limits()
SEEDS = st.integers(min_value=0, max_value=2**40)
SOME = settings(max_examples=int(os.environ.get("HARNESS_EXAMPLES", "200")), deadline=None, derandomize=True)
MANY = 50_000


def never() -> float:
    return 0.0


def check_linearizable(kind: str, seed: int, *, explained: bool = False) -> None:
    rows = history(kind, seed)
    model = KINDS[kind].model
    truth = oracle.linearizable(model, rows)
    operations = operations_from(rows)
    judgement = judge(JUDGED[model], operations, LIMITS, never)
    assert not judgement.of(Answer.UNDECIDED)
    assert (not judgement.of(Answer.WRONG)) == truth, f"{kind} {seed}: brute force says {truth}"
    if not explained:
        return
    for answer in judgement.of(Answer.WRONG):
        told = explain(JUDGED[model], operations, answer, never, str)
        assert told.operations
        assert told.any_start or not oracle.linearizable(model, told.operations), f"{kind} {seed}: {told}"
        if not told.any_start:
            for one in filter(only_looks, told.operations):
                without = [other for other in told.operations if other is not one]
                assert oracle.linearizable(model, without), f"{kind} {seed}: {one} is not needed in {told}"


def only_looks(one: Operation) -> bool:
    """Whether an operation is an answer that changes nothing, so that leaving it out makes nothing wrong."""
    empty = one.function == "dequeue" and one.result is None
    return one.outcome == "ok" and (one.function in ("read", "get") or empty)


def check_search(kind: str, seed: int) -> None:
    rows = history(kind, seed)
    model = KINDS[kind].model
    found = search(MODELS[model], timed(operations_from(rows)), LIMITS, never)
    assert found.linearizable == oracle.linearizable(model, rows), f"{kind} {seed}"


def check_transactions(seed: int, *, lists: bool, level: str) -> None:
    rows = transactions(seed, lists=lists)
    truth = oracle.serializable(rows, strict=level.startswith("strict"))
    verdict = isolated(Case("c", operations_from(rows), str), lists=lists, level=level, limits=LIMITS)
    if not any(one.outcome == "ok" for one in rows):
        assert verdict.outcome is Outcome.UNKNOWN
    else:
        assert verdict.outcome is (Outcome.HOLDS if truth else Outcome.VIOLATED), f"{seed}: {verdict}"


def check_snapshots(seed: int, *, lists: bool, few: bool = False) -> None:
    rows = transactions(seed, lists=lists, torn=True, few=few, most=5)
    verdict = isolated(Case("c", operations_from(rows), str), lists=lists, level="snapshot-isolation", limits=LIMITS)
    if not any(one.outcome == "ok" for one in rows):
        assert verdict.outcome is Outcome.UNKNOWN
    else:
        truth = oracle.snapshot_isolated(rows, lists=lists)
        assert verdict.outcome is (Outcome.HOLDS if truth else Outcome.VIOLATED), f"{seed}: {verdict}"


def check_few_values(seed: int, *, level: str) -> None:
    rows = transactions(seed, lists=False, torn=True, few=True)
    verdict = isolated(Case("c", operations_from(rows), str), lists=False, level=level, limits=LIMITS)
    if any(one.outcome == "ok" for one in rows):
        truth = oracle.serializable(rows, strict=level.startswith("strict"))
        assert verdict.outcome is (Outcome.HOLDS if truth else Outcome.VIOLATED), f"{seed}: {verdict}"


INITIAL = {"register": 1, "rewriting": 1, "kv": "<1>", "counter": 1, "adding": -1}


def check_initial(kind: str, seed: int) -> None:
    rows = history(kind, seed)
    model, initial = KINDS[kind].model, INITIAL[kind]
    truth = oracle.linearizable(model, rows, initial=initial)
    beginning = JUDGED[model].beginning_with(initial)
    operations = operations_from(rows)
    judgement = judge(beginning, operations, LIMITS, never)
    assert not judgement.of(Answer.UNDECIDED)
    assert (not judgement.of(Answer.WRONG)) == truth, f"{kind} {seed}: brute force says {truth}"
    for answer in judgement.of(Answer.WRONG):
        told = explain(beginning, operations, answer, never, str)
        assert told.any_start or not oracle.linearizable(model, told.operations, initial=initial), f"{kind} {seed}"


def check_registers(seed: int, *, initial: object = None) -> None:
    rows = transactions(seed, lists=False, torn=True, few=seed % 3 > 0)
    asked = Question(operations=operations_from(rows), at=str, limits=LIMITS, initial=initial)
    (verdict,) = MODELS_BY_NAME["multi-register"](asked)
    if any(one.outcome == "ok" for one in rows):
        truth = oracle.serializable(rows, strict=True, initial=initial)
        assert verdict.outcome is (Outcome.HOLDS if truth else Outcome.VIOLATED), f"{seed}: {verdict}"


def check_sessions(seed: int) -> None:
    rows = sessions(seed)
    random = Random(seed)
    chosen = frozenset(name for name in GUARANTEES if random.random() < 0.5) or frozenset(GUARANTEES)
    conflicts = conflicts_of_sessions(operations_from(rows), chosen)
    assert (not conflicts) == oracle.keeps_sessions(rows, chosen), f"{seed} {chosen}"


def check_sequential(kind: str, seed: int) -> None:
    random = Random(seed)
    rows = [replace(one, key=random.choice("xy")) for one in history(kind, seed)]
    operations = operations_from(rows)
    distinct = kind == "register" and not len(repeated_values(operations))
    found = search_sequential(MODELS[KINDS[kind].model], operations.rows(), LIMITS, never, distinct=distinct)
    assert found.linearizable == oracle.sequential(KINDS[kind].model, rows), f"{kind} {seed}"


@pytest.mark.parametrize("kind", KINDS)
@SOME
@given(seed=SEEDS)
def test_brute_force_agrees_on_what_is_linearizable(kind: str, seed: int) -> None:
    check_linearizable(kind, seed, explained=True)


@pytest.mark.parametrize("kind", KINDS)
@SOME
@given(seed=SEEDS)
def test_brute_force_agrees_with_the_search(kind: str, seed: int) -> None:
    check_search(kind, seed)


@pytest.mark.parametrize("level", ["serializable", "strict-serializable"])
@pytest.mark.parametrize("lists", [True, False])
@SOME
@given(seed=SEEDS)
def test_brute_force_agrees_on_what_is_serializable(lists: bool, level: str, seed: int) -> None:
    check_transactions(seed, lists=lists, level=level)


@pytest.mark.parametrize(("lists", "few"), [(True, False), (False, False), (False, True)])
@SOME
@given(seed=SEEDS)
def test_brute_force_agrees_on_what_is_snapshot_isolated(lists: bool, few: bool, seed: int) -> None:
    check_snapshots(seed, lists=lists, few=few)


@pytest.mark.parametrize("level", ["serializable", "strict-serializable"])
@SOME
@given(seed=SEEDS)
def test_brute_force_agrees_where_reads_do_not_tell_who_wrote_what_they_saw(level: str, seed: int) -> None:
    check_few_values(seed, level=level)


@pytest.mark.parametrize("kind", INITIAL)
@SOME
@given(seed=SEEDS)
def test_brute_force_agrees_on_objects_that_hold_something_at_first(kind: str, seed: int) -> None:
    check_initial(kind, seed)


@pytest.mark.parametrize("initial", [None, 0])
@SOME
@given(seed=SEEDS)
def test_brute_force_agrees_on_several_registers_together(initial: object, seed: int) -> None:
    check_registers(seed, initial=initial)


@SOME
@given(seed=SEEDS)
def test_brute_force_agrees_on_session_guarantees(seed: int) -> None:
    check_sessions(seed)


@pytest.mark.parametrize("kind", ["register", "rewriting", "queue"])
@SOME
@given(seed=SEEDS)
def test_brute_force_agrees_on_what_is_sequentially_consistent(kind: str, seed: int) -> None:
    check_sequential(kind, seed)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mutex"])
def test_what_a_conflict_names_and_what_belongs_to_that_is_wrong_by_itself(kind: str) -> None:
    """Mostly: the whole history is what remains to be shrunk where it is not. It has to be a part in most cases."""
    model = KINDS[kind].model
    enough = part = conflicts = 0
    for seed in range(120):
        rows = operations_from(history(kind, seed)).rows()
        operations = operations_from(rows)
        for answer in judge(JUDGED[model], operations, LIMITS, never).of(Answer.WRONG):
            assert answer.conflict is not None
            if answer.conflict.rule == STUCK:
                continue
            core = [rows[row] for row in answer.conflict.rows if row >= 0]
            found = related(model, rows, core, [operations.values.decode(value) for value in answer.conflict.values])
            conflicts += 1
            enough += not oracle.linearizable(model, found)
            part += len(found) < len(rows)
    assert conflicts > 5
    assert enough >= 0.9 * conflicts
    assert part >= 0.5 * conflicts


@SOME
@given(seed=SEEDS)
def test_keys_are_judged_independently(seed: int) -> None:
    """Three histories under three keys: wrong are those keys whose history is wrong by itself."""
    for kind in ("register", "queue"):
        alone = {key: history(kind, seed + number) for number, key in enumerate("xyz")}
        rows = [replace(one, key=key) for key, those in alone.items() for one in those]
        rows.sort(key=lambda one: one.invoked_s)
        judgement = judge(JUDGED[kind], operations_from(rows), LIMITS, never)
        wrong = {key for key, those in alone.items() if not oracle.linearizable(kind, those)}
        assert {answer.key for answer in judgement.of(Answer.WRONG)} == wrong
        for answer in judgement.answers:
            assert answer.conflict is not None
            keys = {rows_of(rows)[row].key for row in answer.conflict.rows if row >= 0}
            assert keys == {answer.key}


def rows_of(rows: list[Operation]) -> list[Operation]:
    return operations_from(rows).rows()


def seeds() -> Iterator[int]:
    return iter(range(10**6, 10**6 + MANY))


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
def test_thoroughly_linearizable(kind: str) -> None:
    for seed in seeds():
        check_linearizable(kind, seed)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
def test_thoroughly_searched(kind: str) -> None:
    for seed in seeds():
        check_search(kind, seed)


@pytest.mark.thorough
@pytest.mark.parametrize("level", ["serializable", "strict-serializable"])
@pytest.mark.parametrize("lists", [True, False])
def test_thoroughly_serializable(lists: bool, level: str) -> None:
    for seed in seeds():
        check_transactions(seed, lists=lists, level=level)


@pytest.mark.thorough
@pytest.mark.parametrize(("lists", "few"), [(True, False), (False, False), (False, True)])
def test_thoroughly_snapshot_isolated(lists: bool, few: bool) -> None:
    for seed in seeds():
        check_snapshots(seed, lists=lists, few=few)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", INITIAL)
def test_thoroughly_with_something_at_first(kind: str) -> None:
    for seed in seeds():
        check_initial(kind, seed)


@pytest.mark.thorough
@pytest.mark.parametrize("initial", [None, 0])
def test_thoroughly_several_registers(initial: object) -> None:
    for seed in seeds():
        check_registers(seed, initial=initial)


@pytest.mark.thorough
def test_thoroughly_in_sessions() -> None:
    for seed in seeds():
        check_sessions(seed)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["register", "rewriting", "queue"])
def test_thoroughly_sequential(kind: str) -> None:
    for seed in seeds():
        check_sequential(kind, seed)
