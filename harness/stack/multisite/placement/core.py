"""What has to be done so that each service has its replicas: where to place, what to drain, stop and forget. Pure.

It is asked again and again, with all that is known, and answers with the next decisions; the same facts give the same
answer. Four rules: what is well is not moved; nothing is started beyond the wish and ``SURGE``; what leaves is drained
before it is stopped; and of an exclusive service a second one is placed only when the first one is known to be gone,
or its lease is over, since then its machine has ended it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

SURGE = 1
"""So many more than wanted may there be while one takes the place of another."""


class Phase(StrEnum):
    """What the platform wants of a replica."""

    run = "run"
    drain = "drain"
    stop = "stop"


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that registered. ``lease_over``: no exclusive container runs there on any leave of ours any more."""

    name: str
    site: str
    alive: bool = True
    lease_over: bool = False
    cpu_millis: int = 1000
    memory_mb: int = 1024


@dataclass(frozen=True, slots=True)
class Wish:
    """What a service is to have. ``sites``: only there (anywhere if empty). ``proven``: this revision was well once."""

    service: str
    replicas: int
    revision: str
    cpu_millis: int = 0
    memory_mb: int = 0
    sites: tuple[str, ...] = ()
    apart_from: tuple[str, ...] = ()
    max_per_machine: int = 1
    exclusive: bool = False
    proven: bool = False
    may_fall_back: bool = False

    @property
    def slots(self) -> int:
        """Places that the service has on a machine."""
        return self.max_per_machine + (0 if self.exclusive else SURGE)


@dataclass(frozen=True, slots=True)
class Replica:
    """One container of a service, there or to come. ``ailing_s``: for how long it has not been well (0: it is well).

    ``gone``: its machine says that there is no such container.
    """

    id: int
    service: str
    machine: str
    slot: int
    revision: str
    phase: Phase = Phase.run
    phase_age_s: float = 0.0
    ailing_s: float = 0.0
    gone: bool = False
    cpu_millis: int = 0
    memory_mb: int = 0

    @property
    def well(self) -> bool:
        """Whether it serves."""
        return self.ailing_s <= 0


@dataclass(frozen=True, slots=True)
class Rules:
    """How long what leaves is drained, and how long a replica may take to become well."""

    drain_s: float = 5.0
    patience_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Place:
    """Start a replica."""

    service: str
    machine: str
    slot: int
    revision: str


@dataclass(frozen=True, slots=True)
class Move:
    """A replica's next phase; with None it is forgotten."""

    id: int
    to: Phase | None


@dataclass(frozen=True, slots=True)
class Judge:
    """A revision was well everywhere (``proven``), or did not become well in time, and is taken back."""

    service: str
    revision: str
    proven: bool


Decision = Place | Move | Judge


def decide(
    wishes: Iterable[Wish], machines: Iterable[Machine], replicas: Iterable[Replica], rules: Rules
) -> list[Decision]:
    """The next decisions."""
    world = _World({one.name: one for one in machines}, list(replicas), rules)
    wanted = {one.service: one for one in wishes}
    for row in sorted(world.rows, key=lambda one: one.id):
        world.go_on(row, row.service in wanted)
    for name in sorted(wanted):
        if wanted[name].exclusive:
            _exclusive(world, wanted[name])
        else:
            _shared(world, wanted[name])
    return world.decisions


class _World:
    """The facts, with what was decided so far."""

    def __init__(self, machines: dict[str, Machine], rows: list[Replica], rules: Rules) -> None:
        self.machines, self.rows, self.rules = machines, rows, rules
        self.decisions: list[Decision] = []

    def alive(self, row: Replica) -> bool:
        """Whether its machine is."""
        found = self.machines.get(row.machine)
        return found is not None and found.alive

    def go_on(self, row: Replica, wanted: bool) -> None:
        """What follows without a choice: of what leaves, and of what nobody wants any more."""
        if row.machine not in self.machines or (row.phase is Phase.stop and row.gone and self.alive(row)):
            self.move(row, None)
        elif row.phase is Phase.drain and row.phase_age_s >= self.rules.drain_s:
            self.move(row, Phase.stop)
        elif row.phase is Phase.run and not wanted:
            self.move(row, Phase.drain)

    def move(self, row: Replica, to: Phase | None) -> None:
        """Decide it."""
        self.decisions.append(Move(row.id, to))
        self.rows = [one for one in self.rows if one.id != row.id]
        if to is not None:
            self.rows.append(replace(row, phase=to, phase_age_s=0.0))

    def of(self, wish: Wish) -> list[Replica]:
        """The replicas of a service."""
        return [one for one in self.rows if one.service == wish.service]

    def place(self, wish: Wish, shunned: frozenset[str] = frozenset()) -> bool:
        """One more, where there is most room; False where there is none."""
        fitting = [one for one in self.machines.values() if one.name not in shunned and self._fits(wish, one)]
        if not fitting:
            return False
        machine = min(fitting, key=lambda one: self._crowd(wish, one))
        slot = self._free_slot(wish, machine)
        assert slot is not None
        self.decisions.append(Place(wish.service, machine.name, slot, wish.revision))
        number = min([0, *(one.id for one in self.rows)]) - 1
        self.rows.append(
            Replica(
                number, wish.service, machine.name, slot, wish.revision,
                ailing_s=1e-9, cpu_millis=wish.cpu_millis, memory_mb=wish.memory_mb,
            )
        )  # fmt: skip
        return True

    def crowd_of(self, row: Replica) -> tuple[int, int]:
        """How many of its kind run on its site, on its machine."""
        running = [one for one in self.rows if one.service == row.service and one.phase is Phase.run]
        site = self.machines[row.machine].site
        on_site = [one for one in running if self.alive(one) and self.machines[one.machine].site == site]
        return len(on_site), sum(one.machine == row.machine for one in running)

    def _fits(self, wish: Wish, machine: Machine) -> bool:
        if not machine.alive or (wish.sites and machine.site not in wish.sites):
            return False
        there = [one for one in self.rows if one.machine == machine.name]
        if any(one.service in wish.apart_from for one in there):
            return False
        same = [one for one in there if one.service == wish.service and one.phase is Phase.run]
        if sum(one.revision == wish.revision for one in same) >= wish.max_per_machine:
            return False
        cpu = sum(one.cpu_millis for one in there) + wish.cpu_millis
        memory = sum(one.memory_mb for one in there) + wish.memory_mb
        return cpu <= machine.cpu_millis and memory <= machine.memory_mb and self._free_slot(wish, machine) is not None

    def _free_slot(self, wish: Wish, machine: Machine) -> int | None:
        taken = {one.slot for one in self.rows if one.machine == machine.name and one.service == wish.service}
        return min(set(range(wish.slots)) - taken, default=None)

    def _crowd(self, wish: Wish, machine: Machine) -> tuple[int, int, int, str]:
        running = [one for one in self.rows if one.phase is Phase.run and self.alive(one)]
        mine = [one for one in running if one.service == wish.service]
        # While an update goes on each old one counts less than a new one: it will leave.
        weights = Counter[str]()
        for one in mine:
            weights[one.machine] += 2 if one.revision == wish.revision else 1
        on_site = sum(count for name, count in weights.items() if self.machines[name].site == machine.site)
        whole = sum(one.machine == machine.name for one in running)
        return on_site, weights[machine.name], whole, machine.name


def _shared(world: _World, wish: Wish) -> None:
    """A service of which there may be several."""
    _judge(world, wish)
    _let_go(world, wish)
    here = [one for one in world.of(wish) if world.alive(one)]
    good, bad = _sorted_out(here, wish, world.rules)
    shunned = frozenset(one.machine for one in bad if one.revision == wish.revision)
    missing = min(wish.replicas - len(good), wish.replicas + SURGE - len(here))
    while missing > 0 and world.place(wish, shunned):
        missing -= 1
    if missing > 0:
        _make_room(world, wish, here)


def _make_room(world: _World, wish: Wish, here: Sequence[Replica]) -> None:
    """Nothing fits beside the old ones: one of them leaves first, as long as somebody serves without it."""
    running = [one for one in here if one.phase is Phase.run]
    old = [one for one in running if one.revision != wish.revision]
    if old and len(running) == len(here):
        first = min(old, key=lambda one: (one.well, -one.id))
        if not first.well or sum(one.well for one in running) > 1:
            world.move(first, Phase.drain)


def _let_go(world: _World, wish: Wish) -> None:
    """Of those beyond the wish, the ones that are to leave, as long as enough are well without them."""
    while True:
        here = [one for one in world.of(wish) if world.alive(one) and one.phase is Phase.run]
        _, bad = _sorted_out(here, wish, world.rules)
        if len(here) <= wish.replicas:
            return
        # What is to be replaced goes first; else what serves least, is where most are, and came last.
        choice = sorted(bad or here, key=lambda one: (one.well, *(-count for count in world.crowd_of(one)), -one.id))
        well = sum(one.well for one in here)
        leaves = next((one for one in choice if not one.well or well > wish.replicas), None)
        if leaves is None:
            return
        world.move(leaves, Phase.drain)


def _sorted_out(here: Sequence[Replica], wish: Wish, rules: Rules) -> tuple[list[Replica], list[Replica]]:
    """Who is to stay, and who is to be replaced: of another revision, or ailing for too long where others are well."""
    running = [one for one in here if one.phase is Phase.run]
    anyone_well = any(one.well for one in running)
    bad = [
        one
        for one in running
        if one.revision != wish.revision or (anyone_well and wish.proven and one.ailing_s >= rules.patience_s)
    ]
    return [one for one in running if one not in bad], bad


def _judge(world: _World, wish: Wish) -> None:
    """Whether the revision has proven itself, or is to be taken back."""
    if wish.proven:
        return
    own = [
        one for one in world.of(wish) if one.revision == wish.revision and world.alive(one) and one.phase is Phase.run
    ]
    if wish.may_fall_back and any(one.ailing_s >= world.rules.patience_s for one in own):
        world.decisions.append(Judge(wish.service, wish.revision, proven=False))
    elif own and sum(one.well for one in own) >= wish.replicas:
        world.decisions.append(Judge(wish.service, wish.revision, proven=True))


def _exclusive(world: _World, wish: Wish) -> None:
    """A service that never runs twice: whatever leaves is gone before the next one comes."""
    _judge(world, wish)
    rows = world.of(wish)
    ended = [one for one in rows if not world.alive(one) and world.machines[one.machine].lease_over]
    if len(ended) < len(rows) or not wish.replicas:
        for one in rows:
            surplus = not wish.replicas or one.revision != wish.revision
            if one.phase is Phase.run and surplus and world.alive(one):
                world.move(one, Phase.drain)
        return
    if world.place(wish):
        for one in ended:
            if one.phase is not Phase.stop:
                world.move(one, Phase.stop)
