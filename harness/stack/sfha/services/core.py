"""Services: when each is started and stopped, restarted and given up. Pure.

A service runs while this node leads and what the service needs is up. It is started after what it needs and stopped
before it. One that fails is restarted once; when it fails again it is given up where it is critical, so that another
node can lead, and otherwise tried again at growing intervals.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

FAILURES_COUNT_FOR_S = 300.0
RESTARTS_BEFORE_GIVING_UP = 1
FIRST_RETRY_S, LAST_RETRY_S = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class Item:
    """A service: what must be up before it starts (``after``) and while it runs (``along_with``)."""

    name: str
    after: frozenset[str] = frozenset()
    along_with: frozenset[str] = frozenset()
    critical: bool = False
    restarts: bool = True
    exclusive: bool = False


class State(Enum):
    """Where a service stands on this node."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FAILED = "failed"


# --- signals -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Conditions:
    """Whether services are to run here at all, and which addresses are up.

    ``abrupt`` says that leadership was lost and not handed over: exclusive services are killed then, since another
    node may be waiting to start them.
    """

    run: bool
    vips_up: frozenset[str] = frozenset()
    exclusive_permitted: bool = False
    abrupt: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """A start was completed, or refused with ``error``."""

    name: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A running service ended by itself."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """A stop was completed (nothing of the service is left), or failed with ``error``."""

    name: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Unhealthy:
    """Its health check says that it does not work."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Wake:
    """The time asked for by ``wake_s`` has come."""


Signal = Conditions | Started | Ended | Stopped | Unhealthy | Wake

# --- actions -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """Start it; ``Started`` is to follow."""

    name: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop it, with ``kill`` without asking it; ``Stopped`` is to follow."""

    name: str
    kill: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """It failed; ``restarting`` says what is done about it here."""

    name: str
    why: str
    restarting: bool


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A critical service does not work here: another node should lead."""

    name: str
    why: str


Action = Start | Stop | Failure | GiveUp


@dataclass(slots=True)
class _Service:
    item: Item
    state: State = State.STOPPED
    failed_s: list[float] = field(default_factory=list)
    retry_s: float | None = 0.0
    error: str | None = None
    restarting: bool = False
    killed: bool = False


class ServicesCore:
    """The services of one node, given in starting order."""

    def __init__(self, items: Sequence[Item] = ()) -> None:
        self.wake_s: float | None = None
        self._services = {item.name: _Service(item) for item in items}
        self._leaving: dict[str, _Service] = {}
        self._now = Conditions(run=False)

    def configure(self, items: Sequence[Item], now_s: float) -> list[Action]:
        """Other services from now on; what stays under its name goes on running, what is gone is stopped."""
        before = self._services
        self._services = {}
        for item in items:
            kept = before.pop(item.name, None) or self._leaving.pop(item.name, None) or _Service(item)
            kept.item = item
            self._services[item.name] = kept
        self._leaving |= {name: one for name, one in before.items() if _alive(one)}
        return self._settle(now_s)

    def restart(self, name: str, now_s: float) -> list[Action]:
        """Stop it if it runs; it starts again where it is still wanted. No failure is counted."""
        one = self._services.get(name)
        if one is None or one.state not in (State.RUNNING, State.STARTING):
            return []
        one.state, one.restarting, one.retry_s = State.STOPPING, True, now_s
        return [Stop(name)]

    def state(self, name: str) -> State:
        """Where it stands."""
        return self._every()[name].state

    def error(self, name: str) -> str | None:
        """Why it failed last, until it runs again."""
        return self._every()[name].error

    @property
    def busy(self) -> bool:
        """Whether anything runs, or is on its way up or down."""
        return any(map(_alive, self._every().values()))

    @property
    def exclusive_stopped(self) -> bool:
        """Whether it is certain that no exclusive service runs here."""
        return not any(one.item.exclusive and _alive(one) for one in self._every().values())

    def running(self) -> frozenset[str]:
        """The services that are up."""
        return frozenset(name for name, one in self._services.items() if one.state is State.RUNNING)

    def step(self, signal: Signal, now_s: float) -> list[Action]:
        """Take one signal at ``now_s`` and say what to do."""
        actions: list[Action] = []
        match signal:
            case Conditions():
                self._follow(signal)
            case Started(name, error):
                actions = self._started(name, error, now_s)
            case Ended(name, why):
                actions = self._ended(name, why, now_s)
            case Stopped(name, error):
                self._stopped(name, error, now_s)
            case Unhealthy(name, why):
                actions = self._unhealthy(name, why, now_s)
            case Wake():
                pass
        return actions + self._settle(now_s)

    # --- what happened ---

    def _every(self) -> dict[str, _Service]:
        return self._leaving | self._services

    def _follow(self, conditions: Conditions) -> None:
        if conditions.run and not self._now.run:
            for one in self._services.values():  # a new term: what failed in an earlier one is forgotten
                one.failed_s, one.retry_s = [], 0.0
                one.state = State.STOPPED if one.state is State.FAILED else one.state
        self._now = conditions

    def _started(self, name: str, error: str | None, now_s: float) -> list[Action]:
        one = self._every().get(name)
        if one is None or one.state is not State.STARTING:
            return []
        if error is None:
            one.state, one.error = State.RUNNING, None
            return []
        one.state = State.FAILED
        return self._failed(one, error, now_s)

    def _ended(self, name: str, why: str, now_s: float) -> list[Action]:
        one = self._every().get(name)
        if one is None or one.state is not State.RUNNING:
            return []  # a stop is under way, and says so itself
        # What it leaves behind (children, a pid file) goes before it is started again.
        one.state, one.restarting = State.STOPPING, True
        return [*self._failed(one, why, now_s), Stop(name, kill=True)]

    def _stopped(self, name: str, error: str | None, now_s: float) -> None:
        one = self._every().get(name)
        if one is None or one.state is not State.STOPPING:
            return
        one.killed = False
        if error is not None:  # it may still run: asked again, harder
            one.error, one.state, one.retry_s = error, State.RUNNING, now_s + FIRST_RETRY_S
            one.killed = True
            return
        one.state = State.FAILED if one.restarting else State.STOPPED
        one.restarting = False
        self._leaving.pop(name, None)

    def _unhealthy(self, name: str, why: str, now_s: float) -> list[Action]:
        one = self._services.get(name)
        if one is None or one.state is not State.RUNNING:
            return []
        if not one.item.restarts and not one.item.critical:
            one.error = why
            return [Failure(name, why, restarting=False)]
        actions = self._failed(one, why, now_s)
        if one.retry_s is not None:
            one.state, one.restarting = State.STOPPING, True
            actions.append(Stop(name))
        return actions

    def _failed(self, one: _Service, why: str, now_s: float) -> list[Action]:
        """Count it, and decide when to try again (``retry_s``; None: never in this term)."""
        name, item = one.item.name, one.item
        one.error = why
        one.failed_s = [at_s for at_s in one.failed_s if at_s > now_s - FAILURES_COUNT_FOR_S] + [now_s]
        earlier = len(one.failed_s) - 1
        if item.restarts and earlier < RESTARTS_BEFORE_GIVING_UP:
            one.retry_s = now_s
            return [Failure(name, why, restarting=True)]
        retry_in_s = min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** min(earlier, 10))
        one.retry_s = now_s + retry_in_s if item.restarts else None
        actions: list[Action] = [Failure(name, why, restarting=item.restarts)]
        return [*actions, GiveUp(name, why)] if item.critical else actions

    # --- what follows ---

    def _settle(self, now_s: float) -> list[Action]:
        """Start and stop whatever is due, until nothing more follows from the present state."""
        actions: list[Action] = []
        for one in reversed(self._every().values()):
            actions += self._stop_if_due(one, now_s)
        for one in self._services.values():
            if one.state in (State.STOPPED, State.FAILED) and self._may_start(one) and self._retry_due(one, now_s):
                one.state = State.STARTING
                actions.append(Start(one.item.name))
        waiting = [
            one.retry_s
            for one in self._services.values()
            if one.retry_s is not None
            and one.retry_s > now_s
            and ((one.state is State.FAILED and self._now.run) or (one.killed and one.state is State.RUNNING))
        ]
        self.wake_s = min(waiting, default=None)
        return actions

    @staticmethod
    def _retry_due(one: _Service, now_s: float) -> bool:
        return one.state is State.STOPPED or (one.retry_s is not None and one.retry_s <= now_s)

    def _stop_if_due(self, one: _Service, now_s: float) -> list[Action]:
        item = one.item
        kill = one.killed or (self._now.abrupt and item.exclusive)
        if one.state is State.STOPPING and kill and not one.killed:
            one.killed = True
            return [Stop(item.name, kill=True)]
        if one.state not in (State.RUNNING, State.STARTING) or self._may_stay(one):
            return []
        if one.killed and one.retry_s is not None and now_s < one.retry_s:
            return []
        if not kill and (one.state is State.STARTING or self._is_needed(item.name)):
            return []  # stopped when it is up; after what needs it
        one.state, one.killed = State.STOPPING, kill
        return [Stop(item.name, kill=kill)]

    def _may_stay(self, one: _Service) -> bool:
        item = one.item
        if item.name in self._leaving or not self._now.run or one.killed:
            return False
        return self._stays(item.along_with) and (self._now.exclusive_permitted or not item.exclusive)

    def _may_start(self, one: _Service) -> bool:
        return self._may_stay(one) and self._up(one.item.after)

    def _stays(self, needed: frozenset[str]) -> bool:
        """Whether all of these are up, and will not be stopped either. Colocations have no circles."""
        return all(
            name in self._now.vips_up or (name in self.running() and self._may_stay(self._services[name]))
            for name in needed
        )

    def _up(self, needed: frozenset[str]) -> bool:
        return needed <= self._now.vips_up | self.running()

    def _is_needed(self, name: str) -> bool:
        """Whether something that stands on it is to be stopped as well, and first, and has not been yet."""
        return any(
            name in one.item.after | one.item.along_with and _alive(one) and not self._may_stay(one)
            for one in self._every().values()
        )


def _alive(one: _Service) -> bool:
    return one.state in (State.STARTING, State.RUNNING, State.STOPPING)
