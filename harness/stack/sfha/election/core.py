"""Election: the lowest node id among the members that are alive, ready and not in standby, unless one is preferred
or can offer more addresses.

Corosync says who is a member; heartbeats only ever take candidates away: a daemon that hangs or
died on a node whose Corosync lives is no candidate. Whoever asks for this node's vote is heard many times a second, so
its silence tells within the length of a promise what Corosync's token tells later. Who was silent and is heard again
may be about to lose its ring all the same: while another one leads, it is passed over until Corosync must have said so.
Pure: time comes as an argument.
"""

from collections.abc import Set
from dataclasses import dataclass

from .preference import Preference, Wish

NO_WISH = Wish()


@dataclass(frozen=True, slots=True)
class Duty:
    """What a daemon says about what it runs.

    ``draining``: it holds the lease, is not to lead any longer, and is still stopping services; until it is done
    it leads. ``ailing``: something critical does not work there. ``revision``: which shared configuration it has.
    ``lacks``: how many addresses it could not offer. ``reluctant``: why else it would rather not lead, by name.
    """

    draining: bool = False
    ailing: bool = False
    revision: int = 0
    wish: Wish = NO_WISH
    lacks: int = 0
    reluctant: tuple[str, ...] = ()


NO_DUTY = Duty()


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a daemon tells the others about itself, on every change and at a steady rate."""

    incarnation: int
    sequence: int
    standby: bool
    ready: bool
    quorate: bool
    ring: int
    leader: int | None
    epoch: int = 0
    """The roster this node has: who is behind notices it here."""
    duty: Duty = NO_DUTY

    @property
    def says(self) -> tuple[object, ...]:
        """What is worth telling, and listening to, at once; the rest changes with every heartbeat."""
        duty = self.duty
        own = (self.incarnation, self.standby, self.ready, self.quorate, self.ring, self.leader, self.epoch)
        return (*own, duty.draining, duty.ailing, duty.revision, duty.wish.stamp, duty.lacks, duty.reluctant)


@dataclass(frozen=True, slots=True)
class View:
    """What Corosync says."""

    quorate: bool
    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class Heard:
    """The newest heartbeat of a peer and when it came (seconds of this node's clock)."""

    beat: Heartbeat
    at_s: float


@dataclass(frozen=True, slots=True)
class Self:
    """What this node knows of itself."""

    standby: bool
    ready: bool
    draining: bool = False
    ailing: bool = False
    lacks: int = 0
    reluctant: tuple[str, ...] = ()
    holds: bool = False


class ElectionCore:
    """Follows the view and the heartbeats; ``leader(now_s)`` is the answer at any time."""

    def __init__(
        self,
        node: int,
        suspect_after_s: float,
        *,
        lapse_after_s: float | None = None,
        doubt_for_s: float = 0.0,
        quorum_required: bool = True,
    ) -> None:
        """``lapse_after_s``: how long who has this node's promise may be silent (None: as long as anybody).

        ``doubt_for_s``: for how long who was silent is passed over, while another one leads.
        """
        self.node = node
        self.heard: dict[int, Heard] = {}
        self.preference = Preference(node)
        self._suspect_after_s = suspect_after_s
        self._lapse_after_s = suspect_after_s if lapse_after_s is None else min(lapse_after_s, suspect_after_s)
        self._doubt_for_s = doubt_for_s
        self._holder: int | None = None
        self._lapsed: set[int] = set()
        self._doubted_until_s: dict[int, float] = {}
        self._looked_s = float("inf")
        self._quorum_required = quorum_required
        self._view = View(False, frozenset())
        self._self = Self(standby=False, ready=False)

    def view_changed(self, view: View) -> None:
        """Corosync reported another view. Peers that left must be heard anew before they count as alive."""
        for peer in set(self.heard) - view.members:
            if peer in self._view.members:
                del self.heard[peer]
                self._lapsed.discard(peer)
        if view.members != self._view.members:  # Corosync has said what was waited for
            self._doubted_until_s = {
                peer: until_s
                for peer, until_s in self._doubted_until_s.items()
                if peer in view.members and peer != self.node
            }
        self._view = view

    @property
    def own(self) -> Self:
        """What this node said of itself last."""
        return self._self

    def self_changed(self, own: Self) -> None:
        """This node became ready, or went into or out of standby."""
        self._self = own

    def promised(self, to: int | None, now_s: float) -> None:
        """This node's vote is (or was last) promised to that node: once silent for too long, it leads no more.

        It lapses for good, until it is heard again: the promise is another one's by then.
        """
        self._look(now_s)
        self._holder = to
        if to in self.heard and now_s >= self.heard[to].at_s + self._lapse_after_s:
            self._lapsed.add(to)

    def hear(self, peer: int, beat: Heartbeat, now_s: float) -> bool:
        """Take a peer's heartbeat; True when the peer had been silent (a contact regained)."""
        known = self.heard.get(peer)
        if known and known.beat.incarnation == beat.incarnation and beat.sequence <= known.beat.sequence:
            return False
        regained = self._contact(peer, beat, now_s)
        self.preference.hear(beat.duty.wish, now_s)
        return regained

    def heard_from(self, peer: int, now_s: float) -> bool:
        """Any other message of a peer shows that its daemon lives; True when it had been suspect."""
        known = self.heard.get(peer)
        if known is None:
            return False
        return self._contact(peer, known.beat, now_s)

    def _contact(self, peer: int, beat: Heartbeat, now_s: float) -> bool:
        """The peer is heard; True when it had been silent. Who was away itself cannot tell whether the peer was."""
        self._look(now_s)
        regained = not self.lives(peer, now_s)
        if regained and peer in self.heard and not self._is_doubted(self.node, now_s):
            self._doubted_until_s[peer] = now_s + self._doubt_for_s
        self.heard[peer] = Heard(beat, now_s)
        self._lapsed.discard(peer)
        return regained

    def _look(self, now_s: float) -> None:
        """A daemon that runs looks more often than promises lapse: after a gap, it was this node that was silent."""
        if now_s >= self._looked_s + self._lapse_after_s:
            self._doubted_until_s[self.node] = now_s + self._doubt_for_s
        self._looked_s = now_s

    def lives(self, peer: int, now_s: float) -> bool:
        """Whether the peer was heard lately, for what it does."""
        known = self.heard.get(peer)
        return known is not None and now_s - known.at_s < self._suspect_after_s and peer not in self._lapsed

    def leader(self, now_s: float) -> int | None:
        """Who leads now, or None: without quorum nobody does. Who is handing over leads until that is done."""
        if self._quorum_required and not self._view.quorate:
            return None
        passed_over = self._passed_over(now_s)
        draining = [member for member in self._view.members - passed_over if self._is_draining(member, now_s)]
        return min(draining) if draining else self.successor(now_s)

    def successor(self, now_s: float) -> int | None:
        """Who should lead: of those who may, one that was not just silent, that is well, that lacks least, that is not
        reluctant, the preferred one, the lowest id.
        """
        if self._quorum_required and not self._view.quorate:
            return None
        target, passed_over = self.preference.target(now_s), self._passed_over(now_s)
        ranks = [
            (member in passed_over, *self._drawbacks(member), member != target, member)
            for member in self._view.members
            if self._is_candidate(member, now_s)
        ]
        return min(ranks)[-1] if ranks else None

    def forget(self, members: Set[int]) -> None:
        """The roster changed: what was heard of nodes that are no longer in it is worth nothing."""
        for peer in set(self.heard) - members:
            del self.heard[peer]
        self._lapsed &= members
        self._doubted_until_s = {one: until_s for one, until_s in self._doubted_until_s.items() if one in members}

    def wake_s(self, leader: int | None, now_s: float) -> float | None:
        """When the answer may change by time alone: the leader becomes suspect, or a member is doubted no longer."""
        times = [until_s for until_s in self._doubted_until_s.values() if until_s > now_s]
        if leader is not None and leader != self.node and leader in self.heard:
            patience_s = self._lapse_after_s if leader == self._holder else self._suspect_after_s
            times.append(self.heard[leader].at_s + patience_s)
        return min(times, default=None)

    def alive(self, now_s: float) -> Set[int]:
        """The peers whose daemons were heard lately; one that has lapsed may well be only slow."""
        return {peer for peer, heard in self.heard.items() if now_s - heard.at_s < self._suspect_after_s}

    def _is_doubted(self, member: int, now_s: float) -> bool:
        return now_s < self._doubted_until_s.get(member, now_s)

    def _passed_over(self, now_s: float) -> Set[int]:
        """Who was silent a moment ago, as long as another one leads: a cluster that nobody leads cannot wait."""
        doubted = {member for member in self._doubted_until_s if self._is_doubted(member, now_s)}
        led = doubted and any(self._leads(member, now_s) for member in self._view.members - doubted)
        return doubted if led else frozenset()

    def _leads(self, member: int, now_s: float) -> bool:
        """Whether it says that it leads. Who hears of a better one, and does not hold the lease, says so no more."""
        if member == self.node:
            return self._self.holds
        return self._is_candidate(member, now_s) and self.heard[member].beat.leader == member

    def _is_draining(self, member: int, now_s: float) -> bool:
        if member == self.node:
            return self._self.draining
        heard = self.heard.get(member)
        return heard is not None and self.lives(member, now_s) and heard.beat.duty.draining

    def _drawbacks(self, member: int) -> tuple[bool, int, bool]:
        """What speaks against it, the worst first."""
        said = self._self if member == self.node else self.heard[member].beat.duty
        return said.ailing, said.lacks, bool(said.reluctant)

    def _is_candidate(self, member: int, now_s: float) -> bool:
        if member == self.node:
            return self._self.ready and not self._self.standby
        heard = self.heard.get(member)
        if heard is None or not self.lives(member, now_s):
            return False
        return heard.beat.ready and not heard.beat.standby
