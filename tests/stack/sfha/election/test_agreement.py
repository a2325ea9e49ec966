"""Whatever happens in whatever order: no leader without quorum, and never two in one quorate view."""

from copy import deepcopy
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from harness.stack.sfha.election.core import Duty, ElectionCore, Heartbeat, Self, View

NODES = (1, 2, 3, 4, 5)
SUSPECT_AFTER_S = 1.0
LAPSE_AFTER_S, DOUBT_FOR_S = 0.4, 0.8
NODE = st.sampled_from(NODES)


def core_of(node: int) -> ElectionCore:
    return ElectionCore(node, SUSPECT_AFTER_S, lapse_after_s=LAPSE_AFTER_S, doubt_for_s=DOUBT_FOR_S)


class Agreement(RuleBasedStateMachine):
    """Five nodes in at most one quorate view, with heartbeats that come late, or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s, self.sequence = 0.0, 0
        self.cores = {node: core_of(node) for node in NODES}
        self.views = dict.fromkeys(NODES, View(False, frozenset()))
        self.partition(frozenset(NODES))

    def beat(self, of: int) -> Heartbeat:
        self.sequence += 1
        own = self.cores[of].own
        duty = Duty(draining=own.draining, ailing=own.ailing)
        leader = self.cores[of].leader(self.now_s)
        return Heartbeat(1, self.sequence, own.standby, own.ready, self.views[of].quorate, 7, leader, duty=duty)

    def told(self, cores: dict[int, ElectionCore], now_s: float) -> None:
        """Everybody in a view hears everybody else in it."""
        for node in NODES:
            beat = replace(self.beat(node), leader=cores[node].leader(now_s))
            for other in self.views[node].members - {node}:
                cores[other].hear(node, beat, now_s)

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
        holds = self.cores[node].own.holds
        self.cores[node].self_changed(Self(standby, ready, draining=draining, ailing=ailing, holds=holds))

    @rule(holder=NODE | st.none())
    def the_lease_moves(self, holder: int | None) -> None:
        """At most one node holds it, whatever the others believe."""
        for node, core in self.cores.items():
            core.self_changed(replace(core.own, holds=node == holder))

    @rule(voter=NODE, to=NODE)
    def promises(self, voter: int, to: int) -> None:
        """A node's vote is promised: who has it lapses early."""
        self.cores[voter].promised(to, self.now_s)

    @rule(sender=NODE, to=st.frozensets(NODE))
    def some_hear(self, sender: int, to: frozenset[int]) -> None:
        """One heartbeat reaches some of them."""
        beat = self.beat(sender)
        for other in (to & self.views[sender].members) - {sender}:
            self.cores[other].hear(sender, beat, self.now_s)

    @rule()
    def all_hear(self) -> None:
        """All heartbeats arrive."""
        self.told(self.cores, self.now_s)

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

    def settled(self, cores: dict[int, ElectionCore], now_s: float) -> set[int | None]:
        """Whom the nodes of the quorate view name when everybody has heard everybody, and what followed from that."""
        for _ in range(3):
            self.told(cores, now_s)
        return {core.leader(now_s) for node, core in cores.items() if self.views[node].quorate}

    @invariant()
    def who_has_heard_everybody_agrees_where_nobody_holds_the_lease(self) -> None:
        """However differently they doubt each other: a cluster without a leader does not wait."""
        cores = deepcopy(self.cores)
        for core in cores.values():
            core.self_changed(replace(core.own, holds=False))
        assert len(self.settled(cores, self.now_s)) <= 1

    @invariant()
    def who_hears_everybody_agrees_when_the_doubts_are_over(self) -> None:
        """Whoever holds the lease meanwhile; and who is named is who would be named had nobody ever been silent."""
        cores, fresh = deepcopy(self.cores), {node: core_of(node) for node in NODES}
        for node, core in cores.items():
            fresh[node].self_changed(replace(core.own, holds=False))
            fresh[node].view_changed(self.views[node])
        self.settled(cores, self.now_s)
        for thirds in (1, 2, 3):
            named = self.settled(cores, self.now_s + thirds * DOUBT_FOR_S / 3)
        assert len(named) <= 1
        assert named == self.settled(fresh, self.now_s + DOUBT_FOR_S)


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
