"""The claim: which node may be running the exclusive services, as a majority of voters has written it down.

Pure. The kernel lease says who may *answer*; it ends by itself. A service that writes somewhere does not end by
itself, so before a node starts one it writes its claim, with a ballot, to a majority, and that claim stays until the
node says that it runs nothing any more (released) or is known to be without power (fenced). In three steps:

1. *prepare*: a majority promises to take no claim with a lower ballot, and tells the newest claim it knows;
2. when that claim is another node's and neither released nor fenced, nothing starts: it is what we wait for;
3. *accept*: a majority writes down our claim; from then on the services may start.

Why no two nodes may run them: let X be permitted with ballot b, and L later with a higher one. The majority that
accepted X and the one that promised L share a voter, and that voter accepted X first (afterwards it would have
refused), so L was told of X's claim, or of a newer one, whose owner in turn was told of X's. Somebody thus waited until
X was released or fenced. Neither clocks nor the lease are part of this; the lease only keeps two nodes from outbidding
each other.
Every voter saves what it promised before it says so.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from .messages import NOBODYS, Ask, Ballot, Claim, Message, Over, Stored, Tell

ASK_AGAIN_S = 0.1
"""Datagrams may be lost."""
WAITING_ASKS_EVERY_S = 0.25
SAVE_AGAIN_S = 1.0


# --- signals and actions -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whether this node is to run the exclusive services: it holds the lease, that is."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class Received:
    """A message of another node."""

    sender: int
    message: Message


@dataclass(frozen=True, slots=True)
class Saved:
    """The last Save was done, or (``ok`` False) the disk refused."""

    ok: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """No exclusive service runs on this node (said at start, too, when that is certain)."""


@dataclass(frozen=True, slots=True)
class Fenced:
    """This node was seen without power, just now."""

    node: int


@dataclass(frozen=True, slots=True)
class Wake:
    """The time asked for by ``wake_s`` has come."""


Signal = Wanted | Received | Saved | Stopped | Fenced | Wake


@dataclass(frozen=True, slots=True)
class Save:
    """Write this to the disk for good, then signal Saved."""

    stored: Stored


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message to one node, or to all others (None)."""

    to: int | None
    message: Message


@dataclass(frozen=True, slots=True)
class Permitted:
    """Exclusive services may start here."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Exclusive services have to stop here; signal Stopped when none runs."""


@dataclass(frozen=True, slots=True)
class WaitsFor:
    """Another node may still run them (None: nobody any more): it has to release its claim or be fenced."""

    node: int | None


Action = Save | Send | Permitted | Withdrawn | WaitsFor


class Phase(Enum):
    """Where a node stands with its own claim."""

    IDLE = "idle"
    PREPARING = "preparing"
    WAITING = "waiting"
    ACCEPTING = "accepting"
    PERMITTED = "permitted"


@dataclass(slots=True)
class _Bid:
    """One attempt of ours: its ballot, who said yes in the present step, and the newest claim heard of."""

    ballot: Ballot
    newest: Claim
    yes: set[int] = field(default_factory=set)


class ClaimCore:
    """One node's part: candidate for the claim, and voter for others."""

    def __init__(self, node: int, votes: Mapping[int, int], stored: Stored) -> None:
        self.node = node
        self.phase = Phase.IDLE
        self.waits_for: int | None = None
        self.wake_s: float | None = None
        self.stored = stored
        self._groups: tuple[Mapping[int, int], ...] = (dict(votes),)
        self._wanted = False
        self._runs_nothing = False
        self._bid = _Bid(NOBODYS, Claim())
        self._highest_round = stored.promised.round
        self._version = self._saved_version = 0
        self._saving: int | None = None
        self._save_again_s: float | None = None
        self._unsaid: deque[tuple[int, int, Tell]] = deque()
        self._actions: list[Action] = []
        self._now_s = 0.0

    @property
    def permitted(self) -> bool:
        """Whether exclusive services may run here."""
        return self.phase is Phase.PERMITTED

    def voters_changed(self, groups: Sequence[Mapping[int, int]]) -> None:
        """From now on a majority in each of the groups (votes by node) is needed."""
        self._groups = tuple(groups)

    def step(self, signal: Signal, now_s: float) -> list[Action]:
        """Take one signal and say what to do, in order."""
        self._now_s = now_s
        match signal:
            case Wanted(wanted):
                self._want(wanted, now_s)
            case Received(sender, message):
                self._receive(sender, message, now_s)
            case Saved(ok):
                self._saved(ok, now_s)
            case Stopped():
                self._runs_nothing = not self.permitted
                self._release_own()
            case Fenced(node):
                self._fenced(node, now_s)
            case Wake():
                self._woken(now_s)
        self._save_if_changed()
        actions, self._actions = self._actions, []
        return actions

    # --- the candidate's side ---

    def _want(self, wanted: bool, now_s: float) -> None:
        if wanted == self._wanted:
            return
        self._wanted = wanted
        if wanted:
            self._prepare(now_s)
            return
        permitted = self.permitted
        self.phase, self.wake_s = Phase.IDLE, self._save_again_s
        self._wait_for(None)
        if permitted:
            self._actions.append(Withdrawn())
        self._release_own()

    def _prepare(self, now_s: float) -> None:
        self._highest_round = max(self._highest_round, self.stored.promised.round) + 1
        self._bid = _Bid(Ballot(self._highest_round, self.node), Claim())
        self.phase = Phase.PREPARING
        self._ask(now_s)

    def _ask(self, now_s: float) -> None:
        accept = self.phase is Phase.ACCEPTING
        waits_for = self._bid.newest.ballot if self.phase is Phase.WAITING else NOBODYS
        ask = Ask(self._bid.ballot, accept, waits_for)
        self._actions.append(Send(None, ask))
        self._vote(self.node, ask)
        self.wake_s = now_s + (WAITING_ASKS_EVERY_S if self.phase is Phase.WAITING else ASK_AGAIN_S)

    def _take(self, sender: int, tell: Tell, now_s: float) -> None:
        self._highest_round = max(self._highest_round, tell.stored.promised.round)
        bid = self._bid
        expected = {Phase.PREPARING: False, Phase.WAITING: False, Phase.ACCEPTING: True}.get(self.phase)
        if tell.ballot != bid.ballot or tell.accept is not expected:
            return
        if not tell.ok:
            if tell.stored.promised > bid.ballot:
                self._prepare(now_s)
            return
        bid.yes.add(sender)
        if self.phase is Phase.ACCEPTING:
            if self._enough():
                self._permit()
            return
        self._learn(tell.stored.claim)
        if self._enough():
            self._decide(now_s)

    def _learn(self, claim: Claim) -> None:
        newest = self._bid.newest
        if claim.ballot > newest.ballot or (claim.ballot == newest.ballot and claim.over):
            self._bid.newest = claim

    def _enough(self) -> bool:
        # Our own yes is needed: after a restart we must know of a claim that is ours to release.
        yes = self._bid.yes
        return self.node in yes and all(
            2 * sum(votes.get(node, 0) for node in yes) > sum(votes.values()) for votes in self._groups
        )

    def _decide(self, now_s: float) -> None:
        newest = self._bid.newest
        if newest.over or newest.ballot.node == self.node:
            self._wait_for(None)
            self.phase = Phase.ACCEPTING
            self._bid.yes.clear()
            self._ask(now_s)
        elif self.phase is not Phase.WAITING:
            self.phase = Phase.WAITING
            self._wait_for(newest.ballot.node)
            self._ask(now_s)
        else:
            self._wait_for(newest.ballot.node)

    def _permit(self) -> None:
        self.phase, self.wake_s = Phase.PERMITTED, self._save_again_s
        self._runs_nothing = False
        self._actions.append(Permitted())

    def _wait_for(self, node: int | None) -> None:
        if node != self.waits_for:
            self.waits_for = node
            self._actions.append(WaitsFor(node))

    def _release_own(self) -> None:
        """Whatever claims are ours are over once nothing runs here and nothing is going to."""
        claim = self.stored.claim
        idle = self.phase is not Phase.PERMITTED and self.phase is not Phase.ACCEPTING
        if self._runs_nothing and idle and claim.ballot.node == self.node and not claim.over:
            self._end(claim.ballot)

    def _end(self, ballot: Ballot) -> None:
        self._actions.append(Send(None, Over(ballot)))
        self._note_end(ballot)

    def _note_end(self, ballot: Ballot) -> None:
        if self.stored.claim.ballot == ballot and not self.stored.claim.over:
            self._store(replace(self.stored, claim=Claim(ballot, over=True)))
        if self._bid.newest.ballot == ballot:
            self._bid.newest = Claim(ballot, over=True)

    def _fenced(self, node: int, now_s: float) -> None:
        """A node without power runs nothing, and what it claimed before it lost its power is over for good."""
        for claim in {self.stored.claim, self._bid.newest}:
            if claim.ballot.node == node and node != self.node and not claim.over:
                self._end(claim.ballot)
        self._go_on(now_s)

    def _go_on(self, now_s: float) -> None:
        if self.phase is Phase.WAITING and self._bid.newest.over and self._enough():
            self._decide(now_s)

    def _woken(self, now_s: float) -> None:
        if self._save_again_s is not None and now_s >= self._save_again_s:
            self._save_again_s = None
        if self.wake_s is None or now_s < self.wake_s:
            return
        self.wake_s = self._save_again_s
        if self.phase not in (Phase.IDLE, Phase.PERMITTED):
            self._ask(now_s)

    # --- the voter's side ---

    def _receive(self, sender: int, message: Message, now_s: float) -> None:
        match message:
            case Ask():
                self._highest_round = max(self._highest_round, message.ballot.round)
                self._answer_for_own(sender, message.waits_for)
                self._vote(sender, message)
            case Tell():
                self._take(sender, message, now_s)
            case Over(ballot):
                self._note_end(ballot)
                self._stand_down(ballot, now_s)
                self._go_on(now_s)

    def _stand_down(self, ballot: Ballot, now_s: float) -> None:
        """Somebody certifies that we have no power. We know better, but others may rely on it: begin anew."""
        if ballot != self._bid.ballot or self.phase not in (Phase.PERMITTED, Phase.ACCEPTING):
            return
        if self.permitted:
            self._actions.append(Withdrawn())
        self._prepare(now_s)

    def _answer_for_own(self, sender: int, waits_for: Ballot) -> None:
        """Somebody waits for a claim of ours; we may have lost our disk, or our word may have been lost."""
        wanted = self.phase is Phase.ACCEPTING and waits_for == self._bid.ballot
        if waits_for.node == self.node and self._runs_nothing and not wanted:
            self._actions.append(Send(sender, Over(waits_for)))
            self._note_end(waits_for)

    def _vote(self, sender: int, ask: Ask) -> None:
        ok = ask.ballot >= self.stored.promised
        if ok:
            claim = Claim(ask.ballot, over=False) if ask.accept else self.stored.claim
            if ask.accept and self.stored.claim.ballot == ask.ballot:
                claim = self.stored.claim  # asked again; it may be over already
            self._store(Stored(ask.ballot, claim))
        self._unsaid.append((self._version, sender, Tell(ask.ballot, ask.accept, ok, self.stored)))

    # --- nothing is said before it is on the disk ---

    def _store(self, stored: Stored) -> None:
        if stored != self.stored:
            self.stored = stored
            self._version += 1

    def _save_if_changed(self) -> None:
        self._say_what_is_saved()  # first: our own answers may lead to something new to save
        if self._saving is None and self._save_again_s is None and self._saved_version < self._version:
            self._saving = self._version
            self._actions.append(Save(self.stored))

    def _say_what_is_saved(self) -> None:
        while self._unsaid and self._unsaid[0][0] <= self._saved_version:
            _, to, tell = self._unsaid.popleft()
            if to == self.node:
                self._take(to, tell, self._now_s)
            else:
                self._actions.append(Send(to, tell))

    def _saved(self, ok: bool, now_s: float) -> None:
        if ok and self._saving is not None:
            self._saved_version = self._saving
        elif not ok:
            self._save_again_s = now_s + SAVE_AGAIN_S
            self.wake_s = min(self.wake_s or self._save_again_s, self._save_again_s)
        self._saving = None
