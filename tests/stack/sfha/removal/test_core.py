"""A removal, step by step and interrupted at every one of them."""

import json
from dataclasses import replace

import pytest

from harness.stack.kit.messages import Message, message
from harness.stack.sfha.removal.core import (
    ORDER,
    Removal,
    RemovalRefused,
    Situation,
    Step,
    removal_from_json,
    removal_to_json,
    validate,
)

FINE = Situation(
    own_name="n1",
    quorate=True,
    known=frozenset({"n1", "n2", "n3"}),
    target_online=False,
    target_standby=False,
    quorum_afterwards=None,
)
REMOVAL = Removal("n3", "10.90.0.3", "KEY3", ("n2", "n4"))


def do(removal: Removal, did: list[str]) -> Removal:
    """Carry out one step, as the daemon would."""
    did.append(removal.step.value)
    match removal.step:
        case Step.TELL_TARGET:
            return removal.target_answered(None)
        case Step.TELL_PEERS:
            return removal.peers_answered(dict.fromkeys(removal.outstanding))
    return removal.advanced()


def test_the_order_is_that_of_the_specification() -> None:
    did: list[str] = []
    removal = REMOVAL
    while removal.step is not Step.DONE:
        removal = do(removal, did)
    assert did == ["decide", "tell-target", "tell-peers", "await-peers", "remove-tunnel", "remove-member"]
    assert removal.propagated() == "2/2"
    assert not removal.partial


@pytest.mark.parametrize("until", range(len(ORDER) - 1))
@pytest.mark.parametrize("step_was_done", [False, True])
def test_interrupted_anywhere_it_goes_on_where_it_was(until: int, step_was_done: bool) -> None:
    did: list[str] = []
    removal = REMOVAL
    for _ in range(until):
        removal = do(removal, did)
    journal = json.dumps(removal_to_json(removal))
    if step_was_done:
        do(removal, did)  # done, and the power went before it was written down
    removal = removal_from_json(json.loads(journal))
    while removal.step is not Step.DONE:
        removal = do(removal, did)
    firsts = list(dict.fromkeys(did))
    assert firsts == [step.value for step in ORDER[:-1]]
    assert removal.propagated() == "2/2"


def test_partial_failure_is_a_warning_with_numbers() -> None:
    removal = replace(REMOVAL, step=Step.TELL_TARGET).target_answered("no answer within 10 s")
    removal = removal.peers_answered({"n2": None, "n4": "no answer within 10 s"})
    assert removal.step is Step.AWAIT_PEERS
    assert removal.propagated() == "1/2"
    assert removal.partial
    assert [str(one) for one in removal.warnings] == [
        "n3 was not told: no answer within 10 s",
        "n4: no answer within 10 s",
    ]
    again = removal_from_json(json.loads(json.dumps(removal_to_json(removal))))
    assert again == removal
    assert isinstance(again.warnings[0], Message)
    assert again.warnings[0].said("fr").startswith("n3 n'a pas été prévenu")
    assert removal.outstanding == ("n4",)


@pytest.mark.parametrize(
    ("situation", "target", "force", "why"),
    [
        (FINE, "n1", False, "sfha leave"),
        (FINE, "n9", True, "n1, n2, n3"),
        (replace(FINE, quorate=False), "n3", True, "no quorum"),
        (replace(FINE, quorum_afterwards=message("removal.no-quorum")), "n3", True, "no quorum"),
        (replace(FINE, target_online=True), "n3", False, "--force"),
    ],
)
def test_what_is_refused(situation: Situation, target: str, force: bool, why: str) -> None:
    with pytest.raises(RemovalRefused, match=why):
        validate(target, situation, force=force)


@pytest.mark.parametrize(
    ("situation", "force"),
    [
        (FINE, False),
        (replace(FINE, target_online=True, target_standby=True), False),
        (replace(FINE, target_online=True), True),
    ],
)
def test_what_is_allowed(situation: Situation, force: bool) -> None:
    validate("n3", situation, force=force)


def test_the_plan_says_all_five_steps() -> None:
    assert [str(line)[:2] for line in REMOVAL.plan()] == ["1.", "2.", "3.", "4.", "5."]


@pytest.mark.parametrize("noise", [None, [], {}, {"target": "n3"}])
def test_noise_is_no_journal(noise: object) -> None:
    with pytest.raises(ValueError, match="not a removal"):
        removal_from_json(noise)
