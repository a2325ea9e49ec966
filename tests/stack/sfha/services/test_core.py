"""Services: started in order where they may run, stopped in reverse, restarted once, then given up."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from harness.stack.sfha.services.core import (
    Action,
    Conditions,
    Ended,
    Failure,
    GiveUp,
    Item,
    ServicesCore,
    Start,
    Started,
    State,
    Stop,
    Stopped,
    Unhealthy,
    Wake,
)

UP = frozenset({"vip"})
RUN = Conditions(run=True, vips_up=UP, exclusive_permitted=True)
OVER = Conditions(run=False, vips_up=UP, exclusive_permitted=True)
LOST = Conditions(run=False, abrupt=True)
CHAIN = (
    Item("base"),
    Item("app", after=frozenset({"base", "vip"}), along_with=frozenset({"base"})),
    Item("side", after=frozenset({"app"})),
)


def started(core: ServicesCore, now_s: float = 0.0) -> ServicesCore:
    """Everything that may run is up."""
    actions = core.step(RUN, now_s)
    while actions:
        names = [one.name for one in actions if isinstance(one, Start)]
        actions = [follow for name in names for follow in core.step(Started(name), now_s)]
    return core


def test_started_one_after_the_other_and_stopped_in_reverse() -> None:
    core = ServicesCore(CHAIN)
    assert core.step(RUN, 0) == [Start("base")]
    assert core.step(Started("base"), 1) == [Start("app")]
    assert core.step(Started("app"), 2) == [Start("side")]
    assert core.step(Started("side"), 3) == []
    assert core.step(OVER, 4) == [Stop("side")]
    assert core.step(Stopped("side"), 5) == [Stop("app")]
    assert core.step(Stopped("app"), 6) == [Stop("base")]
    assert core.busy
    assert core.step(Stopped("base"), 7) == []
    assert not core.busy


def test_what_needs_an_address_waits_for_it_and_leaves_with_it() -> None:
    core = ServicesCore((Item("app", along_with=UP),))
    assert core.step(Conditions(run=True), 0) == []
    assert core.step(RUN, 1) == [Start("app")]
    core.step(Started("app"), 1)
    assert core.step(Conditions(run=True), 2) == [Stop("app")]


def test_the_second_failure_of_a_critical_service_gives_it_up() -> None:
    core = started(ServicesCore((Item("app", critical=True),)))
    assert core.step(Unhealthy("app", "sick"), 10) == [Failure("app", "sick", restarting=True), Stop("app")]
    assert core.step(Stopped("app"), 11) == [Start("app")]
    core.step(Started("app"), 11)
    assert core.step(Ended("app", "gone"), 20) == [
        Failure("app", "gone", restarting=True),
        GiveUp("app", "gone"),
        Stop("app", kill=True),
    ]
    assert core.step(Stopped("app"), 20) == []
    assert core.wake_s == 22  # where nobody else can lead, it is tried again
    assert core.step(Wake(), 22) == [Start("app")]


def test_a_failure_long_ago_does_not_count() -> None:
    core = started(ServicesCore((Item("app", critical=True),)))
    core.step(Ended("app", "gone"), 10)
    core.step(Stopped("app"), 10)
    core.step(Started("app"), 10)
    assert GiveUp("app", "gone") not in core.step(Ended("app", "gone"), 1000)


def test_what_must_not_be_restarted_is_given_up_at_once() -> None:
    core = started(ServicesCore((Item("app", critical=True, restarts=False),)))
    assert GiveUp("app", "gone") in core.step(Ended("app", "gone"), 1)
    core.step(Stopped("app"), 2)
    assert core.wake_s is None
    assert core.state("app") is State.FAILED


def test_an_exclusive_service_waits_for_permission_and_is_killed_when_leadership_is_lost() -> None:
    core = ServicesCore((Item("db", exclusive=True), Item("web")))
    assert core.step(Conditions(run=True), 0) == [Start("web")]
    assert bool(core.exclusive_stopped)
    assert core.step(RUN, 1) == [Start("db")]
    core.step(Started("db"), 2)
    core.step(Started("web"), 2)
    assert core.step(LOST, 3) == [Stop("web"), Stop("db", kill=True)]
    assert not bool(core.exclusive_stopped)
    core.step(Stopped("db"), 4)
    assert bool(core.exclusive_stopped)


def test_a_stop_that_fails_is_said_and_tried_again_harder() -> None:
    core = started(ServicesCore((Item("db", exclusive=True),)))
    assert core.step(OVER, 1) == [Stop("db")]
    assert core.step(Stopped("db", "still there"), 2) == []
    assert core.error("db") == "still there"
    assert not core.exclusive_stopped
    assert core.wake_s == 3
    assert core.step(Wake(), 3) == [Stop("db", kill=True)]


def test_other_services_at_run_time() -> None:
    core = started(ServicesCore(CHAIN))
    assert core.configure([*CHAIN[:1], Item("new")], 1) == [Stop("side"), Start("new")]
    assert core.step(Stopped("side"), 2) == [Stop("app")]
    assert core.state("base") is State.RUNNING
    core.step(Stopped("app"), 3)
    assert core.running() == {"base"}


class Machine(RuleBasedStateMachine):
    """A world that does what it is asked to, sooner or later, or fails to."""

    def __init__(self) -> None:
        super().__init__()
        self.items = {item.name: item for item in (*CHAIN, Item("db", exclusive=True, along_with=UP))}
        self.core = ServicesCore(tuple(self.items.values()))
        self.now_s = 0.0
        self.conditions = Conditions(run=False)
        self.starting: list[str] = []
        self.stopping: list[str] = []
        self.alive: set[str] = set()

    def do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Start(name):
                    assert self.conditions.run
                    assert name not in self.alive, "started twice"
                    item = self.items[name]
                    assert item.after | item.along_with <= self.conditions.vips_up | self.core.running()
                    assert self.conditions.exclusive_permitted or not item.exclusive
                    self.alive.add(name)
                    self.starting.append(name)
                case Stop(name):
                    self.stopping.append(name)

    @rule(run=st.booleans(), vip=st.booleans(), permitted=st.booleans(), abrupt=st.booleans())
    def other_conditions(self, run: bool, vip: bool, permitted: bool, abrupt: bool) -> None:
        self.conditions = Conditions(run, UP if vip else frozenset(), permitted, abrupt and not run)
        self.do(self.core.step(self.conditions, self.now_s))

    @precondition(lambda self: bool(self.starting))
    @rule(ok=st.booleans())
    def a_start_ends(self, ok: bool) -> None:
        name = self.starting.pop(0)
        if not ok:
            self.alive.discard(name)
        self.do(self.core.step(Started(name, None if ok else "refused"), self.now_s))

    @precondition(lambda self: any(name not in self.starting for name in self.stopping))
    @rule(ok=st.sampled_from([True, True, True, False]))
    def a_stop_ends(self, ok: bool) -> None:
        name = next(name for name in self.stopping if name not in self.starting)
        self.stopping.remove(name)
        if ok:
            self.alive.discard(name)
        self.do(self.core.step(Stopped(name, None if ok else "still there"), self.now_s))

    @precondition(lambda self: bool(self.core.running()))
    @rule(data=st.data(), dies=st.booleans())
    def something_fails(self, data: st.DataObject, dies: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.core.running())))
        self.do(self.core.step(Ended(name, "gone") if dies else Unhealthy(name, "sick"), self.now_s))

    @rule(by_s=st.floats(0, 100))
    def time_passes(self, by_s: float) -> None:
        self.now_s += by_s
        self.do(self.core.step(Wake(), self.now_s))

    @invariant()
    def what_runs_is_known(self) -> None:
        assert self.core.busy >= bool(self.alive)
        if self.core.exclusive_stopped:
            assert "db" not in self.alive

    def teardown(self) -> None:
        """Whatever happened, after the end of a term everything can be stopped."""
        self.other_conditions(run=False, vip=True, permitted=True, abrupt=False)
        for _ in range(100):
            if self.starting:
                self.a_start_ends(ok=True)
            elif self.stopping:
                self.a_stop_ends(ok=True)
            else:
                self.time_passes(by_s=100)
        assert not self.alive
        assert not self.core.busy


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
