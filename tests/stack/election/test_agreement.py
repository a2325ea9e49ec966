"""Whatever happens in whatever order: no leader without quorum, and never two in one quorate view."""

from copy import deepcopy

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from harness.stack.election.core import Duty, ElectionCore, Heartbeat, Self, View

NODES = (1, 2, 3, 4, 5)
SUSPECT_AFTER_S = 1.0
NODE = st.sampled_from(NODES)


class Agreement(RuleBasedStateMachine):
    """Five nodes in at most one quorate view, with heartbeats that come late, or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s, self.sequence = 0.0, 0
        self.cores = {node: ElectionCore(node, SUSPECT_AFTER_S) for node in NODES}
        self.views = dict.fromkeys(NODES, View(False, frozenset()))
        self.partition(frozenset(NODES))

    def beat(self, of: int) -> Heartbeat:
        self.sequence += 1
        own = self.cores[of].own
        duty = Duty(draining=own.draining, ailing=own.ailing)
        return Heartbeat(1, self.sequence, own.standby, own.ready, self.views[of].quorate, 7, None, duty=duty)

    def told(self, cores: dict[int, ElectionCore]) -> None:
        """Everybody in a view hears everybody else in it."""
        for node in NODES:
            beat = self.beat(node)
            for other in self.views[node].members - {node}:
                cores[other].hear(node, beat, self.now_s)

    @rule(group=st.frozensets(NODE))
    def partition(self, group: frozenset[int]) -> None:
        """Corosync reports: these see each other, and so do all others."""
        for members in (group, frozenset(NODES) - group):
            for node in members:
                self.views[node] = View(2 * len(members) > len(NODES), members)
                self.cores[node].view_changed(self.views[node])

    @rule(node=NODE, standby=st.booleans(), ready=st.booleans(), draining=st.booleans(), ailing=st.booleans())
    def changes(self, node: int, standby: bool, ready: bool, draining: bool, ailing: bool) -> None:
        """A node goes into standby, becomes ready, hands over, or has something critical that does not work."""
        self.cores[node].self_changed(Self(standby=standby, ready=ready, draining=draining, ailing=ailing))

    @rule(sender=NODE, to=st.frozensets(NODE))
    def some_hear(self, sender: int, to: frozenset[int]) -> None:
        """One heartbeat reaches some of them."""
        beat = self.beat(sender)
        for other in (to & self.views[sender].members) - {sender}:
            self.cores[other].hear(sender, beat, self.now_s)

    @rule()
    def all_hear(self) -> None:
        """All heartbeats arrive."""
        self.told(self.cores)

    @rule(passed_s=st.sampled_from([0.1, 0.5, 1.0, 3.0]))
    def time_passes(self, passed_s: float) -> None:
        """Who is not heard becomes suspect."""
        self.now_s += passed_s

    @invariant()
    def a_leader_is_a_member_of_a_quorate_view(self) -> None:
        """Whoever asks, whatever it has heard."""
        for node, core in self.cores.items():
            leader = core.leader(self.now_s)
            assert leader is None or (self.views[node].quorate and leader in self.views[node].members)

    @invariant()
    def who_has_heard_everybody_agrees(self) -> None:
        """As soon as all heartbeats of a view are in, its nodes name one leader, or none."""
        cores = deepcopy(self.cores)
        self.told(cores)
        quorate = [node for node in NODES if self.views[node].quorate]
        assert len({cores[node].leader(self.now_s) for node in quorate}) <= 1


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
