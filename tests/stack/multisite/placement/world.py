"""A small world for the placement core: machines that die and come back, agents that obey, leases that run out."""

import random
from dataclasses import dataclass, field, replace

from harness.stack.multisite.placement.core import (
    Judge,
    Machine,
    Move,
    Phase,
    Place,
    Replica,
    Rules,
    Wish,
    decide,
)

STEP_S, SILENT_S, LEASE_S, MARGIN_S, STARTS_IN_S = 0.5, 2.0, 3.0, 1.0, 1.0
RULES = Rules(drain_s=1.0, patience_s=10.0)


@dataclass
class There:
    """A machine as it is: its containers with their ages, until when they may run, what it last heard."""

    name: str
    site: str
    up: bool = True
    reachable: bool = True
    heard_s: float = 0.0
    granted_s: float = 0.0
    lease_until_s: float = 0.0
    running: dict[int, float] = field(default_factory=dict)


class World:
    """Everything, in steps of half a second."""

    def __init__(self, wishes: list[Wish], sites: dict[str, int], *, leased: bool = True) -> None:
        self.wishes = {one.service: one for one in wishes}
        self.machines = {
            f"{site}{number}": There(f"{site}{number}", site) for site, many in sites.items() for number in range(many)
        }
        self.rows: dict[int, Replica] = {}
        self.known_gone: set[int] = set()
        self.now_s, self.numbers, self.leased = 0.0, 0, leased
        self.broken: set[str] = set()
        self.refused: dict[str, str] = {}
        self.good: dict[str, Wish] = {}

    def wish(self, service: str) -> Wish:
        asked = self.wishes[service]
        good = self.good.get(service)
        if good and self.refused.get(service) == asked.revision:
            return replace(good, replicas=asked.replicas, proven=True, may_fall_back=False)
        proven = good is not None and good.revision == asked.revision
        return replace(asked, proven=proven, may_fall_back=good is not None and not proven)

    def seen(self) -> tuple[list[Wish], list[Machine], list[Replica]]:
        machines = [
            Machine(
                one.name, one.site, alive=self.now_s - one.heard_s < SILENT_S,
                lease_over=self.now_s - one.granted_s > LEASE_S + MARGIN_S,
            )
            for one in self.machines.values()
        ]  # fmt: skip
        rows = []
        for row in self.rows.values():
            place = self.machines[row.machine]
            well = place.up and place.reachable and place.running.get(row.id, -1) >= STARTS_IN_S
            well = well and row.revision not in self.broken
            rows.append(replace(row, ailing_s=0.0 if well else row.ailing_s + STEP_S, gone=row.id in self.known_gone))
        self.rows = {one.id: one for one in rows}
        return [self.wish(name) for name in self.wishes], machines, rows

    def step(self) -> int:
        """Time passes, agents report and obey, the platform decides; how many decisions that were."""
        self.now_s += STEP_S
        for there in self.machines.values():
            self._machine(there)
        decisions = decide(*self.seen(), RULES)
        for one in decisions:
            if isinstance(one, Place):
                self.numbers += 1
                wish = self.wish(one.service)
                self.rows[self.numbers] = Replica(
                    self.numbers, one.service, one.machine, one.slot, one.revision, ailing_s=STEP_S,
                    cpu_millis=wish.cpu_millis, memory_mb=wish.memory_mb,
                )  # fmt: skip
            elif isinstance(one, Move) and one.to is None:
                del self.rows[one.id]
            elif isinstance(one, Move) and one.to is not None:
                self.rows[one.id] = replace(self.rows[one.id], phase=one.to, phase_age_s=0.0)
            elif isinstance(one, Judge) and one.proven:
                self.good[one.service] = self.wishes[one.service]
            elif isinstance(one, Judge):
                self.refused[one.service] = one.revision
        self.rows = {key: replace(one, phase_age_s=one.phase_age_s + STEP_S) for key, one in self.rows.items()}
        return len(decisions)

    def _machine(self, one: There) -> None:
        if not one.up:
            one.running.clear()
            return
        for key in one.running:
            one.running[key] += STEP_S
        if one.reachable:
            self._heard(one)
        elif self.leased and self.now_s > one.lease_until_s:
            exclusive = [key for key in one.running if self.service_of(key).exclusive]
            for key in exclusive:
                del one.running[key]

    def _heard(self, one: There) -> None:
        one.heard_s = self.now_s
        mine = [row for row in self.rows.values() if row.machine == one.name]
        if any(self.wishes[row.service].exclusive and row.phase is not Phase.stop for row in mine):
            one.granted_s, one.lease_until_s = self.now_s, self.now_s + LEASE_S
        for row in mine:
            if row.phase is Phase.run:
                one.running.setdefault(row.id, 0.0)
                self.known_gone.discard(row.id)
            elif row.phase is Phase.stop:
                one.running.pop(row.id, None)
                self.known_gone.add(row.id)

    def service_of(self, number: int) -> Wish:
        return self.wishes[self.services[number]]

    @property
    def services(self) -> dict[int, str]:
        found = getattr(self, "_services", {})
        found.update({row.id: row.service for row in self.rows.values()})
        self._services = found
        return found

    def count(self, service: str, *, heard: bool = False) -> int:
        """Containers of a service that run; of those, on machines that the platform hears."""
        return sum(
            self.services.get(key) == service
            for one in self.machines.values()
            if not heard or (one.up and one.reachable and self.now_s - one.heard_s < SILENT_S)
            for key in one.running
        )

    def disturb(self, chance: random.Random) -> None:
        """Something happens to a machine or a site."""
        one = chance.choice(list(self.machines.values()))
        match chance.randrange(5):
            case 0:
                one.up = False
            case 1:
                one.reachable = False
            case 2:
                for other in self.machines.values():
                    if other.site == one.site:
                        other.reachable = False
            case _:
                one.up = one.reachable = True
