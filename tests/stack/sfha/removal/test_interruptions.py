"""A removal that is interrupted again and again, by peers that do not answer and by a daemon that dies."""

import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from harness.stack.sfha.removal.core import Removal, Step, removal_from_json, removal_to_json

PEERS = ("n2", "n4", "n5")
SILENT = "no answer within 10 s"


class Interrupted(RuleBasedStateMachine):
    """n1 removes n3. What it did is in ``did``; what it knows after a crash is the journal, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.removal = Removal("n3", "10.90.0.3", "KEY3", PEERS)
        self.journal = json.dumps(removal_to_json(self.removal))
        self.did: list[str] = []
        self.has_removed: set[str] = set()

    def do(self, silent: frozenset[str]) -> Removal:
        removal = self.removal
        self.did.append(removal.step.value)
        match removal.step:
            case Step.TELL_TARGET:
                return removal.target_answered(SILENT if "n3" in silent else None)
            case Step.TELL_PEERS:
                answers = {name: SILENT if name in silent else None for name in removal.outstanding}
                self.has_removed |= {name for name, error in answers.items() if error is None}
                return removal.peers_answered(answers)
        return removal.advanced()

    @precondition(lambda self: self.removal.step is not Step.DONE)
    @rule(silent=st.frozensets(st.sampled_from(["n3", *PEERS])))
    def a_step(self, silent: frozenset[str]) -> None:
        """Done, and written down."""
        self.removal = self.do(silent)
        self.journal = json.dumps(removal_to_json(self.removal))

    @precondition(lambda self: self.removal.step is not Step.DONE)
    @rule(silent=st.frozensets(st.sampled_from(["n3", *PEERS])))
    def a_step_and_a_crash(self, silent: frozenset[str]) -> None:
        """Done, and not written down any more."""
        self.do(silent)
        self.crash()

    @rule()
    def crash(self) -> None:
        """The next daemon has the journal."""
        self.removal = removal_from_json(json.loads(self.journal))

    @invariant()
    def nothing_comes_before_what_must_precede_it(self) -> None:
        """The decision first, then the target, the peers, the own tunnel, the own membership; steps may come twice."""
        order = [step.value for step in Step][:-1]
        firsts = list(dict.fromkeys(self.did))
        assert firsts == order[: len(firsts)]

    @invariant()
    def who_is_counted_has_done_it(self) -> None:
        """n/total never claims more than was confirmed, and says who is left."""
        assert set(self.removal.confirmed) <= self.has_removed
        assert set(self.removal.outstanding) == set(PEERS) - set(self.removal.confirmed)
        assert self.removal.propagated() == f"{len(self.removal.confirmed)}/{len(PEERS)}"
        if self.removal.step is Step.DONE:
            warned = " ".join(str(one) for one in self.removal.warnings)
            assert all(name in warned for name in self.removal.outstanding)


TestInterrupted = Interrupted.TestCase
TestInterrupted.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
