"""Three whole nodes through partitions, freezes and standby in any order: one holder at most, and none without quorum.

The lease alone is driven into far darker corners in lease/test_core.py; here it is wired as in the daemon.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from harness.stack.sfha.config.timing import FAST
from tests.stack.sfha.node.world import NAMES, VIP, Cluster

NODE = st.sampled_from(sorted(NAMES))
SETTLED_S = 3.0


class Holding(RuleBasedStateMachine):
    """Corosync reports what it likes, at once and to everybody who runs; a frozen node learns of it when it thaws."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster = Cluster()
        self.ring = 8
        self.members = {node: set(NAMES) for node in NAMES}
        self.without_quorum_since_s: dict[int, float] = {}
        self.standby: set[int] = set()

    @initialize()
    def boot(self) -> None:
        """All three come up together."""
        self.cluster.pass_time(0.4)
        self.report()
        self.cluster.pass_time(1.0)

    def report(self) -> None:
        self.ring += 4
        for node, members in self.members.items():
            if node in self.cluster.dead:
                continue
            self.cluster.view(members, ring=self.ring, of={node})
            if len(members) > 1:
                self.without_quorum_since_s.pop(node, None)
            else:
                self.without_quorum_since_s.setdefault(node, self.cluster.now_s)

    @rule(alone=NODE)
    def one_is_cut_off(self, alone: int) -> None:
        """One against two."""
        others = set(NAMES) - {alone}
        self.members = {node: {alone} if node == alone else others for node in NAMES}
        self.report()

    @rule()
    def all_are_alone(self) -> None:
        """Three sites lose each other."""
        self.members = {node: {node} for node in NAMES}
        self.report()

    @rule()
    def healed(self) -> None:
        """All see all."""
        self.members = {node: set(NAMES) for node in NAMES}
        self.report()

    @rule(node=NODE)
    def frozen(self, node: int) -> None:
        """Its daemon stops; its kernel, its gate and its clock go on."""
        self.cluster.dead.add(node)

    @rule(node=NODE)
    def thawed(self, node: int) -> None:
        """It goes on where it was, and hears of what happened."""
        if node in self.cluster.dead:
            self.cluster.dead.discard(node)
            self.report()

    @rule(node=NODE, busy=st.booleans())
    def others_have_the_kernel(self, node: int, busy: bool) -> None:
        """Addresses come and go late: what has begun ends when the kernel has time again."""
        self.cluster.toys[node].busy = busy

    @rule(node=NODE, standby=st.booleans())
    def stands_by(self, node: int, standby: bool) -> None:
        """An administrator says so."""
        if node not in self.cluster.dead:
            self.cluster.nodes[node].set_standby(standby)
            (self.standby.add if standby else self.standby.discard)(node)

    @rule(duration_s=st.sampled_from([0.01, 0.1, 0.5]))
    def time_passes(self, duration_s: float) -> None:
        """In steps of a millisecond, each of which must hold."""
        for _ in range(round(duration_s / 0.01)):
            self.cluster.pass_time(0.01)
            self.one_holder_at_most()
            self.nobody_holds_without_quorum()

    @rule()
    def peace(self) -> None:
        """Everything is well again for a while: somebody holds the address, unless nobody may."""
        self.cluster.dead.clear()
        for toys in self.cluster.toys.values():
            toys.busy = False
        self.healed()
        self.cluster.pass_time(SETTLED_S)
        fit = set(NAMES) - self.standby
        assert self.cluster.holders() == sorted(fit)[:1]

    @invariant()
    def one_holder_at_most(self) -> None:
        """Gate open and address present."""
        assert len(self.cluster.holders()) <= 1

    @invariant()
    def nobody_holds_without_quorum(self) -> None:
        """At once where the daemon runs; where it does not, when the lease is over."""
        for node, since_s in self.without_quorum_since_s.items():
            if self.cluster.now_s - since_s > FAST.lease_s:
                assert node not in self.cluster.holders()

    @invariant()
    def what_is_not_held_is_not_kept(self) -> None:
        """A daemon that runs and has no lease has no address, either (a frozen one's has a life of a second)."""
        for node, toys in self.cluster.toys.items():
            closed = toys.kernel.open_until_s + FAST.lease_s < self.cluster.now_s
            ordered = toys.begun is not None or toys.orders
            if closed and not ordered and node not in self.cluster.dead and node in self.without_quorum_since_s:
                assert (VIP.address, VIP.prefix) not in toys.present


TestHolding = Holding.TestCase
TestHolding.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
