"""Daemons on three nodes, a switch and a program, while nodes lose their power, freeze and come back as they like.

What is called is judged by what is so: the power of the node that is spoken of.
"""

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.stack.sfha.claim.test_arbiter_notices import Cluster
from tests.stack.sfha.claim.world import Power
from tests.stack.sfha.node.world import NAMES

BOOTS_S = 31.0
"""A node that has lost its power is not back before a look at its switch is of the past."""
NODES = st.sampled_from(sorted(NAMES))


class Noted(Power):
    """The port of one node, with what its program does there as well."""

    said_fenced: set[str]
    """Those that this node treats as dead: fenced, and not returned since."""

    def tell(self, node: str, word: str) -> None:
        number = next(number for number, name in NAMES.items() if name == node)
        if word == "fenced":
            assert number not in self.cluster.powered, f"n{self.node} calls {node} fenced, which has power"
            self.said_fenced.add(node)
        if word == "returned" and self.cluster.program_works:
            self.said_fenced.discard(node)
        super().tell(node, word)


class Anytime(RuleBasedStateMachine):
    """Corosync sees at once who is there: quorum is two of three."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster, self.ring = Cluster(), 8
        for number, power in self.cluster.power.items():
            noted = Noted(power.cluster, number)
            noted.said_fenced = set()
            self.cluster.power[number] = noted
        for number in NAMES:
            self.cluster.restart(number)
        self.cluster.live(0.4)
        self.corosync()

    def corosync(self) -> None:
        self.ring += 4
        self.cluster.view(set(NAMES) - self.cluster.dead, ring=self.ring) if self.up else None
        self.cluster.live(0.3)

    @property
    def up(self) -> set[int]:
        return set(NAMES) - self.cluster.dead

    def change(self, what: Callable[[int], None], node: int) -> None:
        what(node)
        self.corosync()

    @rule(node=NODES)
    def loses_its_power(self, node: int) -> None:
        """Frozen or not."""
        self.change(self.cluster.off, node)

    @precondition(lambda self: self.cluster.dead)
    @rule(data=st.data())
    def boots(self, data: st.DataObject) -> None:
        """With nothing of what its program has done."""
        node = data.draw(st.sampled_from(sorted(self.cluster.dead)))
        self.cluster.live(BOOTS_S)
        self.cluster.later = [(number, report) for number, report in self.cluster.later if number != node]
        self.cluster.on(node)
        noted = self.cluster.power[node]
        assert isinstance(noted, Noted)
        noted.said_fenced.clear()
        self.corosync()

    @rule(node=NODES)
    def freezes(self, node: int) -> None:
        """It has power all the time."""
        self.change(self.cluster.dead.add, node)

    @rule(node=NODES)
    def daemon_begins_anew(self, node: int) -> None:
        """What its program has done stays."""
        if node in self.up:
            self.cluster.later = [(number, report) for number, report in self.cluster.later if number != node]
            self.cluster.restart(node)
            self.cluster.live(0.4)
            self.corosync()

    @rule(works=st.booleans())
    def switch(self, works: bool) -> None:
        """It answers, or not."""
        self.cluster.switch_works = works

    @rule(works=st.booleans())
    def program(self, works: bool) -> None:
        """It does what it is told, or not."""
        self.cluster.program_works = works

    @rule(node=NODES, whom=NODES)
    def person(self, node: int, whom: int) -> None:
        """Somebody types `stonith fence --force`."""
        if node in self.up and len(self.up) > 1:
            self.cluster.arbiter(node).fence(NAMES[whom], force=True)
            self.cluster.live(0.1)
            self.corosync()

    @rule(passed_s=st.sampled_from([0.5, 3.0, 11.0]))
    def time_passes(self, passed_s: float) -> None:
        """Switches are looked at, and what failed is said again."""
        self.cluster.live(passed_s)

    @invariant()
    def who_is_here_is_not_treated_as_dead(self) -> None:
        """Where the program works, and once it was called."""
        if self.cluster.program_works and len(self.up) > 1:
            for number in self.up:
                for name in self.treated_as_dead(number):
                    waiting = self.cluster.arbiter(number).status()
                    told = next(one.told for one in waiting.nodes if one.name == name)
                    here = next(other for other, known in NAMES.items() if known == name) in self.up
                    assert not here or (told is not None and told.word == "returned" and not told.done)

    def treated_as_dead(self, number: int) -> set[str]:
        noted = self.cluster.power[number]
        assert isinstance(noted, Noted)
        return noted.said_fenced

    def teardown(self) -> None:
        """In the end all works, and everybody knows who is dead, and who is here."""
        self.cluster.switch_works = self.cluster.program_works = True
        if len(self.up) > 1:
            self.cluster.live(62.0)
            off = {NAMES[number] for number in NAMES if number not in self.cluster.powered}
            for number in self.up:
                assert self.treated_as_dead(number) == off


TestAnytime = Anytime.TestCase
TestAnytime.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
