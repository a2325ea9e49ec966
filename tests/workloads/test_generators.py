"""Which operations a load has: always the same ones, all values different, by routes that take them."""

import dataclasses
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.workloads.generators import ACCOUNTS, LISTS_FOR, due_s, last_looks, request
from harness.workloads.load import WEIGHTS, Load, ModelName, Route, load_of

VIP = Route(address="10.0.0.100", port=2379)
MEMBER = Route(address="10.0.0.1", port=2379, node="n1")
MODELS = st.sampled_from(list(WEIGHTS))


def _load(model: ModelName, **fields: Any) -> Load:
    settings: dict[str, Any] = {"key": "x", "store": "etcd", "routes": (VIP, MEMBER), "rate_per_s": 10.0}
    return Load(model=model, timeout_s=0.5, **settings | fields)


def _steps(value: Any) -> list[Any]:
    return list(value)


@given(MODELS, st.integers(0, 2**32), st.integers(1, 4))
def test_a_load_is_the_same_for_the_same_seed_and_its_values_are_distinct(
    model: ModelName, seed: int, keys: int
) -> None:
    load = _load(model, seed=seed, keys=keys)
    requests = [request(load, number) for number in range(1, 60)]
    assert requests == [request(load, number) for number in range(1, 60)]
    assert {one.function for one in requests} <= set(WEIGHTS[model])
    assert {one.key for one in requests} <= set(load.object_keys)
    written = [one.value for one in requests if isinstance(one.value, int)]
    assert len(set(written)) == len(written)
    for one in requests:
        if isinstance(one.value, dict):
            assert one.value["from"] != one.value["to"]
            assert {one.value["from"], one.value["to"]} <= set(range(ACCOUNTS))


@given(st.integers(0, 2**32), st.integers(1, 4))
def test_transactions_append_what_nobody_else_does_to_few_lists_of_the_time(seed: int, keys: int) -> None:
    load = _load("transactions", seed=seed, keys=keys)
    by_number = {number: request(load, number) for number in range(1, 2 * LISTS_FOR)}
    steps: list[Any] = [(number, step) for number, one in by_number.items() for step in _steps(one.value)]
    appended = [value for _, (function, _, value) in steps if function == "append"]
    assert len(set(appended)) == len(appended) > 0
    for number, (_, key, _) in steps:
        assert key // keys == number // LISTS_FOR


def test_another_seed_or_key_is_another_load() -> None:
    loads = (_load("register"), _load("register", seed=1), _load("register", key="y"))
    told = {tuple(request(load, number).function for number in range(1, 40)) for load in loads}
    assert len(told) == 3


def test_functions_are_called_as_often_as_their_weights_say() -> None:
    load = _load("register", weights={"read": 3.0, "write": 1.0, "cas": 0.0})
    found = Counter(request(load, number).function for number in range(1, 4001))
    assert set(found) == {"read", "write"}
    assert found["read"] / 4000 == pytest.approx(0.75, abs=0.03)


def test_operations_go_only_where_they_may() -> None:
    routes = (Route(address="a", port=1, functions=("write", "cas")), Route(address="b", port=1, functions=("read",)))
    load = _load("register", routes=routes)
    went = {(one.function, one.route) for one in (request(load, number) for number in range(1, 200))}
    assert went == {("write", 0), ("cas", 0), ("read", 1)}
    assert {one.route for one in last_looks(load)} == {1}


@given(st.floats(0.0, 1e6), st.integers(0, 10**6), st.floats(0.1, 1e4))
def test_due_times_depend_on_nothing_but_the_rate(begun_s: float, place: int, rate_per_s: float) -> None:
    assert due_s(begun_s, place, rate_per_s) - begun_s == pytest.approx(place / rate_per_s, rel=1e-6, abs=1e-6)


def test_in_the_end_each_object_is_read_by_each_route_and_a_queue_is_drained_by_one() -> None:
    looks = last_looks(_load("register", keys=2))
    assert [(one.function, one.key, one.route) for one in looks] == [
        ("read", "x/0", 0),
        ("read", "x/1", 0),
        ("read", "x/0", 1),
        ("read", "x/1", 1),
    ]
    assert [one.route for one in last_looks(_load("list"), without=("n1",))] == [0]
    assert [(one.function, one.route) for one in last_looks(_load("queue"))] == [("dequeue", 0)]


@given(MODELS, st.integers(1, 3), st.booleans())
def test_a_load_travels_as_json(model: ModelName, keys: int, serializable: bool) -> None:
    route = Route(address="a", port=1, node="n1", functions=tuple(WEIGHTS[model]), serializable=serializable)
    load = _load(model, keys=keys, routes=(route,), weights=dict(WEIGHTS[model]))
    assert load_of(json.loads(json.dumps(dataclasses.asdict(load)))) == load


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"weights": {"drop": 1.0}}, "a register has no drop: there are read, write, cas"),
        ({"weights": {"read": 0.0}}, "the load x calls no function"),
        ({"routes": (Route(address="a", port=1, functions=("read",)),)}, "the load x has no route for write"),
        ({"rate_per_s": 0.0}, "the load x needs a rate"),
        ({"keys": 0}, "the load x needs a rate"),
    ],
)
def test_a_load_that_cannot_be_run_says_why(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        _load("register", **fields)
