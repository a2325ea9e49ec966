"""The claim: a transcript to read, and a storm of everything that can go wrong, in which no two nodes ever run."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from harness.stack.sfha.claim.core import (
    Action,
    ClaimCore,
    Fenced,
    Permitted,
    Phase,
    Received,
    Save,
    Saved,
    Send,
    Signal,
    Stopped,
    WaitsFor,
    Wake,
    Wanted,
    Withdrawn,
)
from harness.stack.sfha.claim.messages import Ask, Message, Stored

NODES = (1, 2, 3)
VOTES = dict.fromkeys(NODES, 1)


@dataclass
class Machine:
    """One node: its core, its disk, whether it has power, and whether an exclusive service runs on it."""

    core: ClaimCore
    disk: Stored = field(default_factory=Stored)
    powered: bool = True
    runs: bool = False
    unsaved: list[Stored] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


class World:
    """Three nodes and the datagrams between them; disks and network are as slow as the test wants."""

    def __init__(self, *, prompt: bool, core: type[ClaimCore] = ClaimCore) -> None:
        self.prompt = prompt
        self.now_s = 0.0
        self.wire: list[tuple[int, int, Message]] = []
        self.core = core
        self.machines = {node: Machine(core(node, VOTES, Stored())) for node in NODES}
        for node in NODES:
            self.tell(node, Stopped())

    def tell(self, node: int, signal: Signal) -> None:
        """Give a node a signal and do what it wants done."""
        machine = self.machines[node]
        for action in machine.core.step(signal, self.now_s):
            self.did(node, action)
            match action:
                case Save(stored):
                    machine.unsaved.append(stored)
                case Send(to, message):
                    self.wire += [(node, other, message) for other in NODES if other != node and to in (None, other)]
                case Permitted():
                    machine.runs = True
                    machine.said.append("runs")
                case Withdrawn():
                    machine.said.append("must stop")
                case WaitsFor(other):
                    machine.said.append(f"waits for {other}")
        if self.prompt:
            self.save(node)

    def did(self, node: int, action: Action) -> None:
        """Called with everything that a node does."""

    def save(self, node: int) -> None:
        """The disk gets to it."""
        machine = self.machines[node]
        if machine.unsaved:
            machine.disk = machine.unsaved.pop(0)
            self.tell(node, Saved(ok=True))

    def deliver(self, index: int) -> None:
        """A datagram arrives, in any order."""
        sender, to, message = self.wire.pop(index)
        if self.machines[to].powered:
            self.tell(to, Received(sender, message))

    def settle(self) -> None:
        """Everything under way arrives."""
        while self.wire:
            self.deliver(0)

    def stop_service(self, node: int) -> None:
        """The services have ended."""
        self.machines[node].runs = False
        self.tell(node, Stopped())

    def power_off(self, node: int) -> None:
        """Everything on the node is gone but its disk."""
        machine = self.machines[node]
        machine.powered = machine.runs = False
        machine.unsaved.clear()

    def boot(self, node: int) -> None:
        """From the disk, and nothing else."""
        machine = self.machines[node]
        machine.powered = True
        machine.core = self.core(node, VOTES, machine.disk)
        self.tell(node, Stopped())

    def running(self) -> list[int]:
        return [node for node, machine in self.machines.items() if machine.runs]


def test_the_first_to_want_it_gets_it() -> None:
    world = World(prompt=True)
    world.tell(1, Wanted(True))
    world.settle()
    assert world.running() == [1]


def test_a_clean_hand_over_waits_until_the_service_has_stopped() -> None:
    world = World(prompt=True)
    world.tell(1, Wanted(True))
    world.settle()
    world.tell(1, Wanted(False))
    world.tell(2, Wanted(True))
    world.settle()
    assert world.machines[1].said == ["runs", "must stop"]
    assert world.machines[2].said == ["waits for 1"]
    world.stop_service(1)
    world.settle()
    assert world.machines[2].said == ["waits for 1", "waits for None", "runs"]
    assert world.running() == [2]


def test_a_silent_owner_has_to_be_fenced_first() -> None:
    world = World(prompt=True)
    world.tell(1, Wanted(True))
    world.settle()
    world.wire.clear()
    world.machines[1].powered = False  # it hears nothing, but its service runs
    world.tell(2, Wanted(True))
    for _ in range(20):
        world.settle()
        world.now_s += 0.1
        world.tell(2, Wake())
    assert world.running() == [1]
    world.power_off(1)
    world.tell(2, Fenced(1))
    world.settle()
    assert world.running() == [2]


def test_without_a_majority_nothing_starts() -> None:
    world = World(prompt=True)
    world.machines[2].powered = world.machines[3].powered = False
    world.tell(1, Wanted(True))
    world.settle()
    assert world.running() == []


def test_an_owner_that_came_back_releases_what_it_had_claimed() -> None:
    world = World(prompt=True)
    world.tell(1, Wanted(True))
    world.settle()
    world.power_off(1)
    world.tell(2, Wanted(True))
    world.settle()
    assert world.machines[2].core.phase is Phase.WAITING
    world.boot(1)
    world.settle()
    assert world.running() == [2]


def test_a_lost_word_of_release_is_asked_for_again() -> None:
    world = World(prompt=True)
    world.tell(1, Wanted(True))
    world.settle()
    world.tell(1, Wanted(False))
    world.stop_service(1)
    world.wire.clear()
    world.machines[1].core.stored = Stored()  # a new disk, too: it no longer knows that it ever claimed anything
    world.tell(2, Wanted(True))
    world.settle()
    assert world.running() == [2]


def test_a_late_acceptance_is_refused_by_who_promised_somebody_else() -> None:
    world = World(prompt=True)
    late = _accepts_on_the_way(world)
    world.machines[1].powered = False  # frozen: nothing reaches it for now
    world.tell(2, Wanted(True))
    world.settle()
    assert world.running() == [2]
    world.machines[1].powered = True
    world.wire = late
    world.settle()
    assert world.running() == [2]


def test_who_still_tries_does_not_say_that_it_is_over() -> None:
    world = World(prompt=True)
    late = _accepts_on_the_way(world)
    world.tell(2, Wanted(True))
    while between := [index for index, (sender, to, _) in enumerate(world.wire) if 3 not in (sender, to)]:
        world.deliver(between[0])  # nodes 1 and 2 are a majority
    world.wire = late
    world.settle()
    assert world.running() == [1]


def test_a_node_that_is_taken_for_dead_stands_down_and_begins_anew() -> None:
    world = World(prompt=True)
    world.tell(1, Wanted(True))
    world.settle()
    world.tell(2, Fenced(1))
    world.settle()
    assert world.machines[1].said[:2] == ["runs", "must stop"]


def _accepts_on_the_way(world: World) -> list[tuple[int, int, Message]]:
    """Node 1 was promised what it wanted; what it asks next is held back."""
    world.tell(1, Wanted(True))
    late: list[tuple[int, int, Message]] = []
    while world.wire:
        if isinstance(message := world.wire[0][2], Ask) and message.accept:
            late.append(world.wire.pop(0))
        else:
            world.deliver(0)
    assert late
    return late


def test_a_disk_that_refuses_is_tried_again() -> None:
    world = World(prompt=False)
    world.tell(1, Wanted(True))
    machine = world.machines[1]
    machine.unsaved.clear()
    world.tell(1, Saved(ok=False))
    world.settle()
    assert machine.core.wake_s is not None
    while not machine.runs and world.now_s < 5.0:
        world.now_s += 0.05
        for node in NODES:
            world.tell(node, Wake())
            world.save(node)
        world.settle()
    assert machine.runs


class Storm(RuleBasedStateMachine):
    """Anybody may want it at any time; datagrams and disks do what they like; nodes die, are fenced and come back."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(prompt=False)

    @rule(node=st.sampled_from(NODES), wanted=st.booleans())
    def want(self, node: int, wanted: bool) -> None:
        """The lease comes or goes; here, even two nodes may think that they hold it."""
        if self.world.machines[node].powered:
            self.world.tell(node, Wanted(wanted))

    @rule(data=st.data(), count=st.integers(1, 6))
    def arrive(self, data: st.DataObject, count: int) -> None:
        """Datagrams arrive in any order."""
        for _ in range(count):
            if self.world.wire:
                self.world.deliver(data.draw(st.integers(0, len(self.world.wire) - 1)))

    @rule(data=st.data())
    def lose_or_repeat(self, data: st.DataObject) -> None:
        """A datagram is lost, or comes twice."""
        if self.world.wire:
            index = data.draw(st.integers(0, len(self.world.wire) - 1))
            if data.draw(st.booleans()):
                self.world.wire.append(self.world.wire[index])
            else:
                del self.world.wire[index]

    @rule()
    def quiet(self) -> None:
        """Everything gets to where it should."""
        for _ in range(4):
            for node in NODES:
                if self.world.machines[node].powered:
                    self.world.save(node)
            for _ in range(min(60, len(self.world.wire))):
                self.world.deliver(0)

    @rule(node=st.sampled_from(NODES), ok=st.booleans())
    def disk(self, node: int, ok: bool) -> None:
        """A disk gets to it, or refuses."""
        machine = self.world.machines[node]
        if machine.powered and machine.unsaved:
            if ok:
                self.world.save(node)
            else:
                machine.unsaved.pop(0)
                self.world.tell(node, Saved(ok=False))

    @rule(node=st.sampled_from(NODES), passed_s=st.sampled_from([0.0, 0.1, 0.3, 1.0]))
    def time_passes(self, node: int, passed_s: float) -> None:
        """One node notices."""
        self.world.now_s += passed_s
        if self.world.machines[node].powered:
            self.world.tell(node, Wake())

    @rule(node=st.sampled_from(NODES))
    def services_end(self, node: int) -> None:
        """Where they have to stop, they do, some time."""
        machine = self.world.machines[node]
        if machine.powered and machine.runs and not machine.core.permitted:
            self.world.stop_service(node)

    @rule(node=st.sampled_from(NODES), by=st.sampled_from(NODES))
    def fence(self, node: int, by: int) -> None:
        """A node loses its power, and another one sees that; the first may boot at once."""
        if node != by and self.world.machines[by].powered:
            self.world.power_off(node)
            self.world.tell(by, Fenced(node))

    @rule(node=st.sampled_from(NODES))
    def boot(self, node: int) -> None:
        """A node gets power again."""
        if not self.world.machines[node].powered:
            self.world.boot(node)

    @invariant()
    def never_twice(self) -> None:
        """The point of it all."""
        assert len(self.world.running()) <= 1

    @invariant()
    def permitted_only_with_an_own_claim_on_disk(self) -> None:
        """So that a node knows after a restart what it has to release."""
        for machine in self.world.machines.values():
            if machine.powered and machine.core.permitted:
                assert machine.disk.claim.ballot.node == machine.core.node or machine.disk.promised > (
                    machine.core._bid.ballot
                )


TestStorm = Storm.TestCase
TestStorm.settings = settings(max_examples=200, stateful_step_count=80, deadline=None)
