"""What the program is told: stories, then anything at any time, in which nobody is called fenced without proof."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from harness.stack.sfha.notices.core import AGAIN_AFTER_S, Call, Ended, NoticesCore, Seen, Wake, Word

OTHERS = frozenset({"n1", "n3"})
FENCED, RETURNED = Call("n1", Word.FENCED), Call("n1", Word.RETURNED)
HERE, AWAY = Seen(OTHERS, OTHERS, frozenset()), Seen(OTHERS, frozenset({"n3"}), frozenset())
OFF = Seen(OTHERS, frozenset({"n3"}), frozenset({"n1"}))


def settled() -> NoticesCore:
    """All are here, and were said to be."""
    core = NoticesCore()
    assert core.step(HERE, 0.0) == [RETURNED, Call("n3", Word.RETURNED)]
    for node in OTHERS:
        assert core.step(Ended(node), 0.1) == []
    return core


def test_a_node_that_is_merely_away_is_not_spoken_of() -> None:
    core = settled()
    assert core.step(AWAY, 1.0) == []
    assert core.step(HERE, 2.0) == []


def test_a_node_that_is_off_is_said_to_be_fenced_once_and_to_have_returned_once() -> None:
    core = settled()
    assert core.step(OFF, 1.0) == [FENCED]
    assert core.step(Ended("n1"), 1.1) == []
    assert core.step(AWAY, 1.2) == []
    assert core.step(OFF, 1.3) == []
    assert core.step(HERE, 9.0) == [RETURNED]
    assert core.step(Ended("n1"), 9.1) == []
    assert core.step(OFF, 10.0) == [FENCED]


def test_a_node_that_is_back_while_the_program_runs_is_said_to_be_when_that_has_ended() -> None:
    core = settled()
    core.step(OFF, 1.0)
    assert core.step(HERE, 1.5) == []
    assert core.step(Ended("n1", "killed"), 2.0) == [RETURNED]


def test_a_node_that_dies_again_while_its_return_is_said() -> None:
    core = settled()
    core.step(OFF, 1.0)
    core.step(Ended("n1"), 1.1)
    assert core.step(HERE, 2.0) == [RETURNED]
    assert core.step(OFF, 2.1) == []
    assert core.step(Ended("n1"), 2.2) == [FENCED]


def test_what_failed_is_said_again_ever_more_rarely() -> None:
    core, now_s = settled(), 1.0
    assert core.step(OFF, now_s) == [FENCED]
    for pause_s in (*AGAIN_AFTER_S, AGAIN_AFTER_S[-1]):
        assert core.step(Ended("n1", "no"), now_s) == []
        assert core.wake_s == now_s + pause_s
        assert core.step(Wake(), now_s + pause_s - 0.01) == []
        now_s += pause_s
        assert core.step(Wake(), now_s) == [FENCED]
    core.step(Ended("n1"), now_s)
    assert core.wake_s is None
    assert core.notices["n1"].tries == 6


def test_what_failed_is_not_said_again_without_proof() -> None:
    core = settled()
    core.step(OFF, 1.0)
    core.step(Ended("n1", "no"), 1.1)
    assert core.step(AWAY, 1.2) == []
    assert core.wake_s is None
    assert core.step(Wake(), 100.0) == []
    assert core.step(OFF, 101.0) == [FENCED]


def test_a_removed_node_is_said_to_have_returned_and_forgotten() -> None:
    core = settled()
    core.step(OFF, 1.0)
    core.step(Ended("n1"), 1.1)
    alone = Seen(frozenset({"n3"}), frozenset({"n3"}), frozenset())
    assert core.step(alone, 2.0) == [RETURNED]
    assert core.step(Ended("n1", "no"), 2.1) == []
    assert core.step(Wake(), 3.0) == [RETURNED]
    assert core.step(Ended("n1"), 3.1) == []
    assert "n1" not in core.notices
    assert core.step(alone, 4.0) == []


def test_an_end_of_an_earlier_core_changes_nothing() -> None:
    assert NoticesCore().step(Ended("n1"), 1.0) == []


class Anything(RuleBasedStateMachine):
    """Nodes come, go and lose their power as they like; the program ends as it likes, and the daemon begins anew."""

    names = st.sampled_from(["n1", "n3"])

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.core = NoticesCore()
        self.known, self.members, self.off = set(OTHERS), set[str](), set[str]()
        self.running: dict[str, Word] = {}
        self.holds: dict[str, Word] = {}
        """What is so on this node, by the last call that was begun: *fenced* until *returned* has ended well."""

    def obey(self, calls: list[Call]) -> None:
        for call in calls:
            assert call.node not in self.running
            if call.word is Word.FENCED:
                assert call.node in self.off
                assert call.node not in self.members
                self.holds[call.node] = Word.FENCED
            else:
                assert call.node in self.members or call.node not in self.known
            self.running[call.node] = call.word

    def see(self) -> None:
        seen = Seen(frozenset(self.known), frozenset(self.members & self.known), frozenset(self.off & self.known))
        self.obey(self.core.step(seen, self.now_s))

    @rule(name=names)
    def joins(self, name: str) -> None:
        """It is a member: then it is not off."""
        self.known.add(name)
        self.members.add(name)
        self.off.discard(name)
        self.see()

    @rule(name=names)
    def leaves(self, name: str) -> None:
        """Nobody knows why."""
        self.members.discard(name)
        self.see()

    @rule(name=names)
    def is_proven_off(self, name: str) -> None:
        """By its switch."""
        self.members.discard(name)
        self.off.add(name)
        self.see()

    @rule(name=names)
    def is_removed(self, name: str) -> None:
        """From the cluster."""
        for group in (self.known, self.members, self.off):
            group.discard(name)
        self.see()

    @rule(name=names, error=st.sampled_from(["", "", "no"]))
    def ends(self, name: str, error: str) -> None:
        """A call."""
        if (word := self.running.pop(name, None)) is not None:
            if not error and word is Word.RETURNED:
                self.holds.pop(name, None)
            self.obey(self.core.step(Ended(name, error), self.now_s))

    @rule(passed_s=st.sampled_from([0.1, 0.6, 3.0, 61.0]))
    def time_passes(self, passed_s: float) -> None:
        """Until the core is woken."""
        self.now_s += passed_s
        if self.core.wake_s is not None and self.now_s >= self.core.wake_s:
            self.obey(self.core.step(Wake(), self.now_s))

    @rule()
    def the_daemon_begins_anew(self) -> None:
        """What was under way has been killed; proofs are looked for anew."""
        self.core, self.running = NoticesCore(), {}
        self.off.clear()
        self.see()

    @invariant()
    def what_has_to_be_said_is_said(self) -> None:
        """Or is being said, or will be said again."""
        for name in self.known:
            word = Word.RETURNED if name in self.members else Word.FENCED if name in self.off else None
            if word is None or name in self.running:
                continue
            said = self.core.notices[name]
            assert said.word is word
            assert said.done or (self.core.wake_s is not None and self.core.wake_s <= (said.again_s or 0.0))

    @invariant()
    def nobody_is_left_fenced_who_is_here(self) -> None:
        """Once its return was said."""
        for name in self.members:
            if name in self.core.notices and self.core.notices[name].done:
                assert name not in self.holds


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
