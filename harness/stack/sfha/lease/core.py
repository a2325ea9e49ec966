"""The lease: when this node may answer for the virtual addresses, and what it promises to others.

Pure: no clock, no socket. ``step(signal, now_s)`` returns actions; the kernel gate executes the
arming, opening and renewing as compare-and-set transactions. Which phase follows which stands in
phases.py. The proof that two gates are never open at once is in docs/lease.md; the rules it rests
on are marked (R1) to (R7) here.

(R1) A request is sent only after the kernel has executed the arming, or the newest opening or
     renewal, that precedes it. It may be repeated under its number until one of those happens again.
(R2) Opening or renewing voids the request it was based on: its votes are never used a second time.
(R3) The kernel opens only while the arming lives, renews only while the lease lives; each lives B.
(R4) A voter promises for 2 (B + tick), stretched by the clock error, and votes for nobody else meanwhile.
(R5) A voter that may have forgotten a promise (it just started) stays silent for that long.
(R6) A release is sent only after the kernel has executed the closing.
(R7) A request names the view of the roster it is made in. It needs a majority in every group of voters of that
     view, a change of view voids it, and nobody votes for a view below its floor (see roster/core.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from .messages import FIRST_VIEW, Message, Release, Request, View, Vote
from .phases import Phase, Turn, after

__all__ = ["FIRST_VIEW", "Message", "Phase", "Release", "Request", "View", "Vote"]


@dataclass(frozen=True, slots=True)
class Terms:
    """The durations of a lease, and which of its guarantees were switched off on purpose."""

    lease_s: float
    promise_s: float
    renew_every_s: float
    needs_votes: bool = True
    released_on_loss: bool = True

    @property
    def again_s(self) -> float:
        """When what was not answered, or not done, is tried again: sooner than a next one would be due."""
        return self.renew_every_s / 2


# --- signals and actions -------------------------------------------------------------------------


class GateCall(Enum):
    """The transactions of the kernel gate."""

    ARM = "arm"
    OPEN = "open"
    RENEW = "renew"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Leadership:
    """What this node currently concludes: who leads (None: nobody), and who is a member. Quorate or not."""

    leader: int | None
    quorate: bool
    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class GateDone:
    """The kernel executed a transaction, or refused it (``ok`` False)."""

    call: GateCall
    ok: bool


@dataclass(frozen=True, slots=True)
class Received:
    """A message arrived from another node."""

    sender: int
    message: Message


@dataclass(frozen=True, slots=True)
class Wake:
    """The time asked for by ``wake_s`` has come."""


Signal = Leadership | GateDone | Received | Wake


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message to one node, or to all others (None)."""

    to: int | None
    message: Message


@dataclass(frozen=True, slots=True)
class Held:
    """The gate is open: the addresses may be added and announced."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The gate is closed or about to be: the addresses must go."""

    reason: str


Action = GateCall | Send | Held | Lost


_EXECUTED = {GateCall.ARM: Turn.ARMED, GateCall.OPEN: Turn.OPENED, GateCall.RENEW: Turn.RENEWED}


@dataclass(slots=True)
class _Promise:
    """What was promised to one node: per incarnation of it, the newest request and when the promise ends.

    Incarnations are kept apart because a late release of an earlier one must not undo a promise to the present one.
    """

    to: int
    grants: dict[int, tuple[int, float]]

    def until_s(self) -> float:
        return max(end_s for _, end_s in self.grants.values())

    def grant(self, incarnation: int, number: int, until_s: float, now_s: float) -> None:
        newest, _ = self.grants.get(incarnation, (number, until_s))
        self.grants[incarnation] = (max(newest, number), until_s)
        if len(self.grants) > 1:
            self.grants = {one: grant for one, grant in self.grants.items() if grant[1] > now_s}

    def released(self, incarnation: int, number: int) -> bool:
        """Forget what a release undoes; True when nothing is left."""
        if self.grants.get(incarnation, (number + 1, 0.0))[0] <= number:
            del self.grants[incarnation]
        return not self.grants


class LeaseCore:
    """One node's part in the lease: candidate and holder, and voter for others."""

    def __init__(self, node: int, votes: Mapping[int, int], terms: Terms, incarnation: int, now_s: float) -> None:
        self.node = node
        self.phase = Phase.OUT
        self.number = 0
        self.wake_s: float | None = None
        self.silent_until_s = now_s + terms.promise_s  # (R5)
        self._view = self._floor = FIRST_VIEW
        self._groups: tuple[Mapping[int, int], ...] = (dict(votes),)
        self._terms = terms
        self._incarnation = incarnation
        self._standing = Leadership(None, False, frozenset())
        self._promise: _Promise | None = None
        self._pending: dict[int, tuple[Request, float]] = {}
        self._granted_by: set[int] = set()
        self._asked = False
        self._calling = False
        self._closing = False
        self._anchor_s = now_s  # when the newest arming, opening or renewal was executed, at the latest

    @property
    def promised_to(self) -> int | None:
        """The node this one last promised its vote to (the promise may have run out)."""
        return self._promise.to if self._promise else None

    def asks_for_this_vote(self, since_s: float) -> int | None:
        """The node whose requests this one grants, if the newest promise to it lasted beyond ``since_s``."""
        return self._promise.to if self._promise and self._promise.until_s() > since_s else None

    def ready(self, now_s: float) -> bool:
        """Whether this node may vote, and so may lead."""
        return now_s >= self.silent_until_s

    def voters_changed(self, view: View, groups: Sequence[Mapping[int, int]], floor: View, now_s: float) -> None:
        """The roster changed: from now on a request needs a majority in each of the groups (votes by node) (R7).

        Views below ``floor`` get no vote of this node.
        """
        self._floor = floor
        if view == self._view:
            return
        self._view, self._groups = view, tuple(groups)
        self._void()
        if self.phase in (Phase.ASKING, Phase.HOLDING) and not self._calling:
            self.wake_s = now_s

    def step(self, signal: Signal, now_s: float) -> list[Action]:
        """Take one signal at ``now_s`` (seconds of this node's own clock) and say what to do.

        Until a GateCall is answered by GateDone, nothing but a loss may be told. Raises OutOfTurn for what cannot be.
        """
        match signal:
            case Leadership():
                self._standing = signal
                actions = self._vote_on_pending(now_s) + self._follow_standing(now_s)
            case GateDone(call, ok):
                self._calling = False
                actions = self._gate_done(call, ok, now_s)
            case Received(sender, message):
                actions = self._receive(sender, message, now_s)
            case Wake():
                actions = self._wake(now_s)
        self._plan_wake(now_s)
        return actions

    # --- the holder's side ---

    def _entitled(self) -> bool:
        return self._standing.leader == self.node and (self._standing.quorate or not self._terms.needs_votes)

    def _keeps_regardless(self) -> bool:
        return not self._terms.released_on_loss and self.phase is Phase.HOLDING

    def _follow_standing(self, now_s: float) -> list[Action]:
        if self._entitled():
            can_arm = self.phase is Phase.OUT and not self._closing and self.ready(now_s)
            return self._arm(Turn.ENTITLED) if can_arm else []
        if self.phase is Phase.OUT or self._keeps_regardless():
            return []
        return self._leave("no longer leader" if self._standing.quorate else "no quorum")

    def give_up(self, reason: str, now_s: float) -> list[Action]:
        """Close the gate now, whatever the standing says (shut-down)."""
        self._standing = Leadership(None, False, self._standing.members)
        actions = self._leave(reason)
        self._plan_wake(now_s)
        return actions

    def _leave(self, reason: str) -> list[Action]:
        was_holding = self.phase is Phase.HOLDING
        self._turn(Turn.LEFT)
        self._void()
        self._closing = True
        actions: list[Action] = self._call(GateCall.CLOSE)
        return [*actions, Lost(reason)] if was_holding else actions

    def _call(self, call: GateCall) -> list[Action]:
        self._calling = True
        return [call]

    def _void(self) -> None:
        self._asked = False
        self._granted_by.clear()

    def _turn(self, turn: Turn) -> None:
        self.phase = after(self.phase, turn)

    def _arm(self, why: Turn) -> list[Action]:
        self._turn(why)
        self._void()  # a new arming needs a new number: older votes are too old for it
        return self._call(GateCall.ARM)

    def _gate_done(self, call: GateCall, ok: bool, now_s: float) -> list[Action]:
        if call is GateCall.CLOSE:
            return self._closed(ok, now_s)
        if self.phase is Phase.OUT:  # given up while the kernel was at work; a closing follows
            return []
        if not ok:
            return self._refused(call)
        self._anchor_s = now_s
        self._turn(_EXECUTED[call])
        if call is GateCall.ARM:
            return self._ask(now_s) if self._needs_votes() else self._call(GateCall.OPEN)
        return [Held()] if call is GateCall.OPEN else []

    def _needs_votes(self) -> bool:
        return self._terms.needs_votes and not self._keeps_regardless()

    def _closed(self, ok: bool, now_s: float) -> list[Action]:
        if not ok:
            return []  # tried again on the next wake; no release before it worked (R6)
        self._closing = False
        released: list[Action] = [Send(None, Release(self._incarnation, self.number))] if self.number else []
        if self._promise and self._promise.to == self.node:
            self._promise = None
        return released + self._vote_on_pending(now_s) + self._follow_standing(now_s)

    def _refused(self, call: GateCall) -> list[Action]:
        """The kernel said no: an arming or a lease that has run out, or a broken gate. Start again, later."""
        lost = self.phase is Phase.HOLDING
        self._turn(Turn.REFUSED)
        self._void()
        return [Lost(f"{call.value} refused by the kernel")] if lost else []

    def _ask(self, now_s: float) -> list[Action]:
        """Send a new request, or the outstanding one again (R1)."""
        if not self._asked:
            if not self._promise_to(self.node, self._incarnation, self.number + 1, now_s):
                return []
            self.number += 1
            self._asked = True
            self._granted_by = {self.node}
            if self._enough():  # a cluster of one, or a node with more than half of the votes
                return self._use_votes()
        return [Send(None, Request(self._incarnation, self.number, self._view))]

    def _enough(self) -> bool:
        for votes in self._groups:
            granted = 0
            for node in self._granted_by:
                granted += votes.get(node, 0)
            if 2 * granted <= sum(votes.values()):
                return False
        return True

    def _use_votes(self) -> list[Action]:
        self._void()  # (R2)
        return self._call(GateCall.RENEW if self.phase is Phase.HOLDING else GateCall.OPEN)

    def _count(self, sender: int, vote: Vote) -> list[Action]:
        current = self._asked and vote.incarnation == self._incarnation and vote.number == self.number
        if not current or not vote.granted or not self._entitled() or self._calling:
            return []
        self._granted_by.add(sender)
        return self._use_votes() if self._enough() else []

    def _wake(self, now_s: float) -> list[Action]:
        if self._calling or self.wake_s is None or now_s < self.wake_s:
            return []
        if self._closing:
            return self._call(GateCall.CLOSE)
        if self.phase is Phase.OUT:
            return self._follow_standing(now_s)
        if self.phase is Phase.HOLDING and not self._needs_votes():
            return self._call(GateCall.RENEW)
        if now_s < self._anchor_s + self._terms.lease_s:
            return self._ask(now_s)
        if self.phase is Phase.HOLDING:
            return self._leave("no majority answered in time")
        return self._arm(Turn.TOO_LATE)

    def _plan_wake(self, now_s: float) -> None:
        """When to look again. Nothing is planned while the kernel is at work or there is nothing to hold."""
        terms = self._terms
        if self._calling:
            self.wake_s = None
        elif self._closing:
            self.wake_s = now_s + terms.again_s
        elif self.phase is Phase.OUT:
            self.wake_s = max(now_s + terms.again_s, self.silent_until_s) if self._entitled() else None
        elif self.wake_s is None or self.wake_s <= now_s:
            every_s = terms.again_s if self._asked else terms.renew_every_s
            self.wake_s = min(now_s + every_s, max(now_s, self._anchor_s + self._terms.lease_s))
            if self.phase is Phase.ASKING and not self._asked and self._promise:
                self.wake_s = min(self.wake_s, max(now_s, self._promise.until_s()))

    # --- the voter's side ---

    def _receive(self, sender: int, message: Message, now_s: float) -> list[Action]:
        match message:
            case Request():
                return self._vote(sender, message, now_s)
            case Vote():
                if message.wait_s > 0 and self.phase is Phase.ASKING and self.wake_s is not None:
                    self.wake_s = min(self.wake_s, now_s + message.wait_s)
                return self._count(sender, message)
            case Release():
                kept = self._promise
                if kept and kept.to == sender and kept.released(message.incarnation, message.number):
                    self._promise = None
                asked = self._ask(now_s) if self.phase is Phase.ASKING and not self._asked else []
                return asked + self._vote_on_pending(now_s)

    def _vote(self, sender: int, request: Request, now_s: float) -> list[Action]:
        willing = (
            self.ready(now_s)
            and self._standing.quorate
            and self._standing.leader == sender
            and sender in self._standing.members
            and request.view >= self._floor  # (R7)
        )
        if willing and self._promise_to(sender, request.incarnation, request.number, now_s):
            self._pending.pop(sender, None)
            return [Send(sender, Vote(request.incarnation, request.number, granted=True))]
        self._pending[sender] = (request, now_s)
        wait_s = self._promise.until_s() - now_s if willing and self._promise else 0.0
        return [Send(sender, Vote(request.incarnation, request.number, granted=False, wait_s=max(0.0, wait_s)))]

    def _vote_on_pending(self, now_s: float) -> list[Action]:
        """A request that came before we knew its sender leads is answered as soon as we know."""
        leader = self._standing.leader
        if leader is None or leader not in self._pending:
            return []
        request, came_s = self._pending.pop(leader)
        return self._vote(leader, request, now_s) if now_s < came_s + self._terms.lease_s else []

    def _promise_to(self, node: int, incarnation: int, number: int, now_s: float) -> bool:
        kept = self._promise
        if not self.ready(now_s) or (kept and kept.to != node and now_s < kept.until_s()):
            return False
        if kept is None or kept.to != node:
            kept = self._promise = _Promise(node, {})
        kept.grant(incarnation, number, now_s + self._terms.promise_s, now_s)  # (R4)
        return True
