"""Random lives of a lease world: each has a pace and a mix of troubles of its own."""

from collections.abc import Callable
from random import Random

from tests.stack.sfha.lease.world import World

MOST_UNDER_WAY = 40


def agree_on(world: World, leader: int | None) -> None:
    """Every node comes to believe in the same leader."""
    for node in world.machines:
        world.elect(node, leader)


def wander(world: World, random: Random, steps: int) -> None:
    """Let anything happen, until two gates were open or the steps are used up."""
    chaos = Chaos(world, random)
    world.advance(world.terms.promise_s)
    agree_on(world, 1)
    happenings, chances = zip(*chaos.mix(), strict=True)
    for happening in random.choices(happenings, chances, k=steps):
        happening()
        while len(world.network) > MOST_UNDER_WAY:
            chaos.lose()
        if world.both_open:
            return


class Chaos:
    """What can happen to a world, one method each."""

    def __init__(self, world: World, random: Random) -> None:
        self.world, self.random = world, random
        self.nodes = list(world.machines)
        self.frozen: set[int] = set()

    def mix(self) -> list[tuple[Callable[[], object], float]]:
        """The happenings of this world and how likely each is."""
        chance = self.random.choice
        rare = chance((0.05, 0.2, 0.5))
        return [
            (self.one_works, 50),
            (self.arrive, 20),
            (self.a_moment, 8),
            (self.freeze, chance((0.5, 2))),
            (self.frozen.clear, chance((0.5, 2))),
            (self.about_a_lease, rare),
            (self.about_a_promise, rare),
            (self.all_agree, chance((0.2, 1))),
            (self.one_errs, chance((0.0, 0.2, 1))),
            (self.one_sees_no_leader, chance((0.0, 0.2))),
            (self.lose, chance((0.0, 0.5))),
            (self.crash, chance((0.0, 0.2))),
            (self.one_comes_back, 1),
        ]

    def one_works(self) -> None:
        """A daemon that is not frozen takes a step; where nobody has work, time passes."""
        awake = [node for node in self.nodes if node not in self.frozen]
        busy = any(self.world.step(node) for node in self.random.sample(awake, len(awake)))
        if not busy and not self.world.network:
            self.world.advance(self.random.uniform(0.001, 0.020))

    def freeze(self) -> None:
        """One stops wherever it is; mostly the others notice and agree on another leader, early or late."""
        self.frozen.clear()
        self.frozen.add(self.random.choice(self.nodes))
        awake = [node for node in self.nodes if node not in self.frozen]
        leader = self.random.choice(awake)
        for node in awake:
            if self.random.random() < 0.9:
                self.world.elect(node, leader)

    def arrive(self) -> None:
        """A message arrives, not always the oldest; sometimes it will arrive again."""
        if self.world.network:
            place = self.random.randrange(min(len(self.world.network), 4))
            self.world.deliver(place, keep=self.random.random() < 0.1)

    def lose(self) -> None:
        """A message is lost."""
        if self.world.network:
            self.world.lose(self.random.randrange(len(self.world.network)))

    def a_moment(self) -> None:
        """A millisecond or so passes."""
        self.world.advance(self.random.expovariate(1 / 0.001))

    def about_a_lease(self) -> None:
        """Everybody is late by up to a lease."""
        self.world.advance(self.random.uniform(0, 1.2) * self.world.terms.lease_s)

    def about_a_promise(self) -> None:
        """Everybody is late by about a promise."""
        self.world.advance(self.random.uniform(0.7, 1.1) * self.world.terms.promise_s)

    def all_agree(self) -> None:
        """A new leader for all."""
        agree_on(self.world, self.random.choice(self.nodes))

    def one_errs(self) -> None:
        """One node believes in another leader than the rest."""
        self.world.elect(self.random.choice(self.nodes), self.random.choice(self.nodes))

    def one_sees_no_leader(self) -> None:
        """One node loses quorum."""
        self.world.elect(self.random.choice(self.nodes), None)

    def crash(self) -> None:
        """A daemon is killed, or a node loses power."""
        self.world.crash(self.random.choice(self.nodes), power=self.random.random() < 0.5)

    def one_comes_back(self) -> None:
        """A daemon starts where none runs."""
        node = self.random.choice(self.nodes)
        if self.world.machines[node].daemon is None:
            self.world.boot(node)
            self.world.elect(node, self.random.choice(self.nodes))
