"""A cluster of three in which plans come to pass, as the programs of its nodes would see that: no clock, no node."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from harness.plans.plan import AtMoment, Step
from harness.subjects.sfha.planted.watch import Beacon, Look, Story, Watch

NODES = ("n1", "n2", "n3")
LOOKS_EVERY_S = 0.05
SETTLED_S = 4.0
"""So long the cluster runs before the plan begins."""
AFTERWARDS_S = 5.0
_BOOTS_IN_S = 0.4
_STARVED_S = 0.9
_QUEUED = 250
"""What a socket keeps for whoever does not read."""
CUTS = ("isolate", "cut-site", "mute", "delay", "corrupt")
NETWORK = ("wan-down", "ring", "halves", "bridge", "partition")


@dataclass
class _Node:
    """What is true of one, whether it sees that or not."""

    watch: Watch
    boots: int = 1
    number: int = 0
    looked_s: float = -SETTLED_S
    back_s: float = -SETTLED_S
    powered: bool = True
    carrier_changes: int = 0
    carrier: bool = True
    holds: bool = False
    queue: list[Beacon] = field(default_factory=list)
    story: list[Story] = field(default_factory=list)


class World:
    """Steps are aimed at nodes by name. While a fault lasts, anybody may come to hold the address, by chance."""

    def __init__(self, steps: Sequence[Step], seed: int = 0, *, elections: bool = True) -> None:
        self._steps, self._random, self._elections = steps, Random(seed), elections
        self._nodes = {name: _Node(_watch(name)) for name in NODES}
        self._holder = NODES[0]

    def stories(self) -> Mapping[str, Story]:
        """What each node has noted when all is over, whatever it was without power."""
        last_s = max((one.over_s for one in self._steps), default=0.0) + AFTERWARDS_S
        looks = round((SETTLED_S + last_s) / LOOKS_EVERY_S)
        for look in range(looks):
            self._pass(look * LOOKS_EVERY_S - SETTLED_S)
        return {name: tuple(noted for part in one.story for noted in part) for name, one in self._nodes.items()}

    def _pass(self, now_s: float) -> None:
        for name, node in self._nodes.items():
            self._feed(name, node, now_s)
        self._elect(now_s)
        for name, node in self._nodes.items():
            if node.powered and now_s >= node.back_s and not self._hit(name, now_s, "freeze"):
                self._live(name, node, now_s)

    def _feed(self, name: str, node: _Node, now_s: float) -> None:
        dead = self._hit(name, now_s, "kill")
        if node.powered and dead:
            node.powered = False
        elif not node.powered and not dead:
            node.powered, node.back_s, node.boots = True, now_s + _BOOTS_IN_S, node.boots + 1
            node.watch, node.number, node.looked_s = _watch(name, returned=True), 0, node.back_s
            node.queue, node.carrier_changes = [], 0
        carrier = not self._hit(name, now_s, "unplug")
        if carrier != node.carrier:
            node.carrier, node.carrier_changes = carrier, node.carrier_changes + 1

    def _elect(self, now_s: float) -> None:
        well = [name for name, node in self._nodes.items() if node.powered and now_s >= node.back_s and node.carrier]
        under_way = any(self._lasts(step, now_s) for step in self._steps)
        if not under_way:
            self._holder = min(well, default="")
        elif self._elections:
            if self._random.random() < 0.1:
                self._holder = self._random.choice(("", *well))
        else:
            free = [name for name in well if not self._hit(name, now_s, "freeze", *CUTS)]
            self._holder = min(free, default="")

    def _live(self, name: str, node: _Node, now_s: float) -> None:
        starved = self._hit(name, now_s, "slow")
        if starved and now_s - node.looked_s < _STARVED_S:
            return
        node.number += 1
        for other, its in self._nodes.items():
            if other != name and its.powered and now_s >= its.back_s and self._passes(name, other, now_s):
                its.queue = [*its.queue, Beacon(name, node.boots, node.number)][:_QUEUED]
        still_s = now_s - node.looked_s
        node.looked_s = now_s
        beacons, node.queue = tuple(node.queue), []
        node.story.append(
            node.watch.look(
                Look(
                    at_s=now_s,
                    still_s=still_s,
                    carrier=node.carrier,
                    carrier_changes=node.carrier_changes,
                    named=not self._hit(name, now_s, "resolver-dead", "resolver-lies"),
                    roomy=not self._hit(name, now_s, "disk-full"),
                    member=not self._hit(name, now_s, "operate"),
                    ahead_s=1000.0 - 3600.0 * self._hit(name, now_s, "clock-back"),
                    holds=self._holder == name,
                    beacons=beacons,
                )
            )
        )

    def _passes(self, source: str, target: str, now_s: float) -> bool:
        if not (self._nodes[source].carrier and self._nodes[target].carrier):
            return False
        return not any(self._stops(step, source, target, now_s) for step in self._steps if self._lasts(step, now_s))

    def _stops(self, step: Step, source: str, target: str, now_s: float) -> bool:
        aims, ends = _aims(step), {source, target}
        amount = float(step.parameters.get("percent", step.parameters.get("period_s", 1.0)))
        match step.fault:
            case "loss":
                return bool(aims & ends) and self._random.random() < amount / 100
            case "flap" | "brown-out":
                return bool(aims & ends) and (now_s - step.earliest_s) % amount < amount / 2
            case "drop":
                return source in aims
            case "wan-down":
                return True
            case "ring" | "halves" | "bridge" | "partition":
                return len(aims & ends) == 1
            case other:
                return other in CUTS and bool(aims & ends)

    def _hit(self, name: str, now_s: float, *faults: str) -> bool:
        return any(step.fault in faults and name in _aims(step) and self._lasts(step, now_s) for step in self._steps)

    def _lasts(self, step: Step, now_s: float) -> bool:
        assert isinstance(step.start, AtMoment)
        return step.start.at_s <= now_s < step.over_s


def fault(name: str, nodes: Iterable[str], at_s: float, for_s: float, **parameters: float) -> Step:
    """One on some nodes."""
    return Step(name, name, (",".join(nodes),), AtMoment(at_s), for_s, dict(parameters))


def _aims(step: Step) -> set[str]:
    return {word for aim in step.aims for word in aim.split(",")}


def _watch(name: str, *, returned: bool = False) -> Watch:
    return Watch([other for other in NODES if other != name], returned=returned)
