"""From what is wanted and what runs to what is to be done."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.multisite.agent.core import Action, Container, decide, name_of
from harness.stack.multisite.inventory.reports import Assignment


def assignment(number: int = 1, phase: str = "run", **deploy: Any) -> Assignment:
    whole = {"image": "web:1", "port": 8080, **deploy}
    return Assignment.model_validate(
        {"replica": number, "service": "api", "phase": phase, "port": 20000, "deploy": whole}
    )


def container(number: int | None = 1, *, running: bool = True) -> Container:
    return Container(f"multisite-api-{number}", "api", running, number, 20000)


@pytest.mark.parametrize(
    ("wanted", "there", "do"),
    [
        (assignment(), None, "create"),
        (assignment(), container(running=False), "start"),
        (assignment(), container(), None),
        (assignment(phase="drain"), container(), None),
        (assignment(phase="drain"), None, None),
        (assignment(phase="stop"), container(), "stop"),
        (assignment(phase="stop"), container(running=False), "remove"),
        (assignment(phase="stop"), None, None),
    ],
)
def test_each_is_brought_nearer_to_what_is_wanted(wanted: Assignment, there: Container | None, do: str | None) -> None:
    found = decide([wanted], [there] if there else [], [], leased=True)
    assert found == ([Action(do, name_of(wanted), 1, wanted)] if do else [])  # type: ignore[arg-type]


def test_what_nobody_speaks_of_is_left_alone() -> None:
    assert decide([], [container(1), container(None)], [], leased=True) == []


def test_whose_place_was_given_to_another_goes() -> None:
    """It was being made when it was given up."""
    assert decide([assignment(2)], [container(1)], [2], leased=True) == [Action("stop", "multisite-api-1", 1)]
    assert decide([assignment(2)], [container(1, running=False)], [2], leased=True)[0].do == "remove"


def test_something_is_done_with_a_container_once_at_a_time() -> None:
    assert decide([assignment(1), assignment(2)], [], [1], leased=True) == [
        Action("create", "multisite-api-2", 2, assignment(2))
    ]


@pytest.mark.parametrize("there", [None, container(running=False)])
def test_what_is_exclusive_starts_with_a_lease_only(there: Container | None) -> None:
    wanted = assignment(exclusive=True)
    found = [there] if there else []
    assert decide([wanted], found, [], leased=False) == []
    assert len(decide([wanted], found, [], leased=True)) == 1
    # It is stopped and removed without one.
    assert decide([assignment(phase="stop", exclusive=True)], [container()], [], leased=False)[0].do == "stop"


@given(
    st.dictionaries(st.integers(1, 6), st.sampled_from(["run", "drain", "stop"])),
    st.dictionaries(st.integers(1, 6), st.booleans()),
)
def test_it_ends_whatever_it_began_with(wanted: dict[int, str], there: dict[int, bool]) -> None:
    """Everything to run runs, nothing to stop is left, and then there is nothing to do."""
    assignments = [assignment(number, phase) for number, phase in wanted.items()]
    for _ in range(4):
        containers = [container(number, running=running) for number, running in there.items()]
        for action in decide(assignments, containers, [], leased=True):
            number = action.replica
            if action.do == "remove":
                del there[number]
            else:
                there[number] = action.do != "stop"
    containers = [container(number, running=running) for number, running in there.items()]
    assert decide(assignments, containers, [], leased=True) == []
    assert all(there.get(number) for number, phase in wanted.items() if phase == "run")
    assert not [number for number, phase in wanted.items() if phase == "stop" and number in there]
