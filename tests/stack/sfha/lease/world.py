"""A small world for the lease: nodes with drifting clocks, kernels with gates, a network that loses,
delays, repeats and reorders, daemons that freeze between any two steps, crash and forget.

The nodes run the real core. Everything else is modelled as adversarially as docs/lease.md allows:
views of who leads are arbitrary, too, because the proof must not depend on them.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.stack.sfha.config.timing import CLOCK_RATE_ERROR, KERNEL_TICK_S, Profile
from harness.stack.sfha.lease.core import (
    GateCall,
    GateDone,
    Leadership,
    LeaseCore,
    Message,
    Received,
    Release,
    Request,
    Send,
    Signal,
    Terms,
    Vote,
    Wake,
)


def in_words(message: Message) -> str:
    """What a message says; the view of a request only where the cluster has a roster."""
    match message:
        case Request(_, number, view):
            return f"request {number}" + (f" in view {'.'.join(map(str, view))}" if any(view) else "")
        case Vote(_, number, granted, wait_s):
            waits = f", wait {wait_s * 1000:.0f} ms" if wait_s else ""
            return f"{'vote' if granted else 'no vote'} for request {number}{waits}"
        case Release(_, number):
            return f"release up to request {number}"


class Kernel:
    """A node's gate. It counts time with the node's own clock and may be a tick late in closing."""

    def __init__(self, lease_s: float, rate: float) -> None:
        self.lives_s = lease_s / rate + KERNEL_TICK_S
        self.armed_until_s = self.open_until_s = float("-inf")

    def execute(self, call: GateCall, t_s: float) -> bool:
        """One transaction at true time ``t_s``."""
        match call:
            case GateCall.ARM:
                self.armed_until_s = t_s + self.lives_s
            case GateCall.OPEN if self.armed_until_s > t_s:
                self.armed_until_s, self.open_until_s = float("-inf"), t_s + self.lives_s
            case GateCall.RENEW if self.open_until_s > t_s:
                self.open_until_s = t_s + self.lives_s
            case GateCall.CLOSE:
                self.armed_until_s = self.open_until_s = float("-inf")
            case _:
                return False
        return True


@dataclass(slots=True)
class Daemon:
    """A node's daemon: the core, and how far it has come in its single thread of work."""

    core: LeaseCore
    work: deque[object] = field(default_factory=deque)
    stage: tuple[Signal, float] | None = None  # a signal with the clock reading that goes with it
    done: GateDone | None = None  # the kernel has answered, the clock was not read yet


@dataclass(slots=True)
class Machine:
    """A node: its clock, its kernel, and its daemon while one runs."""

    rate: float
    kernel: Kernel
    daemon: Daemon | None = None
    inbox: list[tuple[int, Message]] = field(default_factory=list)
    standing: Leadership | None = None


CoreFactory = Callable[[int, dict[int, int], Terms, int, float], LeaseCore]
KernelFactory = Callable[[float, float], Kernel]


class World:
    """Nodes 1 to n. Every method is one thing that may happen at any time; ``t_s`` is true time."""

    def __init__(
        self,
        rates: list[float],
        profile: Profile,
        *,
        promise_s: float | None = None,
        core: CoreFactory = LeaseCore,
        kernel: KernelFactory = Kernel,
        votes: dict[int, int] | None = None,
    ) -> None:
        assert all(1 - CLOCK_RATE_ERROR <= rate <= 1 + CLOCK_RATE_ERROR for rate in rates)
        self.t_s = 0.0
        self.terms = Terms(profile.lease_s, promise_s or profile.promise_s, profile.renew_every_s)
        self.votes = votes or dict.fromkeys(range(1, len(rates) + 1), 1)
        self.machines = {node: Machine(rate, kernel(profile.lease_s, rate)) for node, rate in enumerate(rates, start=1)}
        self.network: list[tuple[int, int, Message]] = []
        self.story: list[str] = []
        self.opened: list[int] = []
        self.renewed = 0
        self.both_open: str | None = None
        self._core = core
        self._incarnation = 0
        for node in self.machines:
            self.boot(node)

    def holders(self) -> list[int]:
        """The nodes whose gates are open now."""
        return [node for node, machine in self.machines.items() if machine.kernel.open_until_s > self.t_s]

    def tell(self, text: str) -> None:
        """Add to the transcript."""
        self.story.append(f"{self.t_s * 1000:9.2f} ms  {text}")

    def advance(self, by_s: float) -> None:
        """Time passes; whoever does not step meanwhile was frozen, or just slow."""
        self.t_s += by_s

    def elect(self, node: int, leader: int | None) -> None:
        """A node comes to believe in a leader, rightly or wrongly."""
        machine = self.machines[node]
        machine.standing = Leadership(leader, leader is not None, frozenset(self.machines))
        self.tell(f"n{node} " + (f"believes n{leader} leads" if leader else "sees neither leader nor quorum"))

    def crash(self, node: int, *, power: bool) -> None:
        """The daemon dies and forgets everything; with ``power`` its kernel, too."""
        machine = self.machines[node]
        machine.daemon = None
        if power:
            machine.inbox.clear()
            machine.kernel.execute(GateCall.CLOSE, self.t_s)
        self.tell(f"n{node} {'loses power' if power else 'daemon killed'}")

    def boot(self, node: int) -> None:
        """A daemon starts where none runs: it puts the gate up closed, then knows nothing."""
        machine = self.machines[node]
        if machine.daemon is None:
            machine.kernel.execute(GateCall.CLOSE, self.t_s)
            self._incarnation += 1
            core = self._core(node, self.votes, self.terms, self._incarnation, self.clock(node))
            machine.daemon = Daemon(core)
            machine.standing = None
            self.tell(f"n{node} starts")

    def clock(self, node: int) -> float:
        """What a node's own clock says."""
        return node * 1000.0 + self.machines[node].rate * self.t_s

    def deliver(self, index: int, *, keep: bool = False) -> None:
        """A message arrives; with ``keep`` a copy of it stays under way."""
        sender, to, message = self.network[index] if keep else self.network.pop(index)
        if self.machines[to].daemon:
            self.machines[to].inbox.append((sender, message))

    def lose(self, index: int) -> None:
        """A message never arrives."""
        self.network.pop(index)

    def step(self, node: int) -> bool:
        """The node's daemon takes one small step, as small as a freeze can cut; False when it has nothing to do."""
        machine = self.machines[node]
        daemon = machine.daemon
        if daemon is None:
            return False
        if daemon.stage:
            daemon.work.extend(daemon.core.step(*daemon.stage))
            daemon.stage = None
        elif daemon.done:
            daemon.stage, daemon.done = (daemon.done, self.clock(node)), None
        elif daemon.work:
            self._perform(node, daemon, daemon.work.popleft())
        else:
            signal = self._next_signal(node, machine, daemon)
            if signal is None:
                return False
            daemon.stage = (signal, self.clock(node))
        return True

    def settle(self, node: int) -> None:
        """The node does all it can do now."""
        while self.step(node):
            pass

    def _next_signal(self, node: int, machine: Machine, daemon: Daemon) -> Signal | None:
        if machine.inbox:
            return Received(*machine.inbox.pop(0))
        if machine.standing:
            standing, machine.standing = machine.standing, None
            return standing
        wake_s = daemon.core.wake_s
        return Wake() if wake_s is not None and wake_s <= self.clock(node) else None

    def _perform(self, node: int, daemon: Daemon, action: object) -> None:
        if isinstance(action, GateCall):
            ok = self.machines[node].kernel.execute(action, self.t_s)
            self.tell(f"n{node} kernel: {action.value} {'done' if ok else 'REFUSED'}")
            daemon.done = GateDone(action, ok)
            if ok and action in (GateCall.OPEN, GateCall.RENEW):
                self.opened += [node] if action is GateCall.OPEN else []
                self.renewed += action is GateCall.RENEW
                if len(self.holders()) > 1:
                    self.both_open = f"{self.t_s * 1000:.2f} ms: open at {self.holders()}"
        elif isinstance(action, Send):
            self.tell(f"n{node} to {f'n{action.to}' if action.to else 'all'}: {in_words(action.message)}")
            targets = [action.to] if action.to else [other for other in self.machines if other != node]
            self.network += [(node, to, action.message) for to in targets]
