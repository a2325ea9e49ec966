"""Agreeing on the next roster, and what a change of the roster means for the lease. Pure.

The rosters form a chain: each has an epoch, and the members of epoch e decide, by a majority of their
votes, which single roster epoch e+1 is (Paxos, once per epoch). So two people who change the cluster
at the same time on two nodes cannot both win, an interrupted change is finished by whoever changes
something next, and no change needs a majority it does not have. docs/lease.md tells why the lease
stays with one node while the roster changes; the rules it rests on are marked (C1) to (C5) here.

(C1) A member accepts only for the epoch that follows its own, and never below a ballot it has promised.
(C2) What was promised and accepted is on the disk before it is answered.
(C3) From the moment of accepting, a member asks for leases in both rosters, and votes for no view below its own.
     Who knows the decision votes for views from the deciding ballot on: they ask in the decided roster as well.
(C4) A decided roster is used alone only a whole promise after a majority of the old one accepted it.
(C5) A node id is never given to another node.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ...kit.messages import Message, message

Ballot = tuple[int, int]
"""Round, and the node that opened it: no two nodes ever open the same ballot."""
NEVER: Ballot = (0, 0)
LEAVE = "leave "


class RosterError(Exception):
    """A change is not possible; the message says why and what to do."""

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Member:
    """A node of the cluster: ``address`` is that in the mesh, ``endpoint`` where its tunnel is reached ("ip:port").

    A newcomer is no ``voter`` until its daemon is up and ready: one that dies on its way in costs nobody a majority.
    """

    node_id: int
    name: str
    address: str
    votes: int
    public_key: str
    endpoint: str
    voter: bool = True


@dataclass(frozen=True, slots=True)
class Roster:
    """The members at an epoch. ``highest_id`` is the highest node id ever given; ``cause`` says what it came of."""

    epoch: int
    members: tuple[Member, ...]
    highest_id: int
    cause: str = ""

    def named(self, name: str) -> Member | None:
        """The member of that name."""
        return next((member for member in self.members if member.name == name), None)

    def votes(self) -> dict[int, int]:
        """Votes by node id."""
        return {member.node_id: member.votes if member.voter else 0 for member in self.members}

    def newcomers(self) -> tuple[Member, ...]:
        """The members that do not vote yet."""
        return tuple(member for member in self.members if not member.voter)

    def is_majority(self, node_ids: Iterable[int]) -> bool:
        """Whether these members have more than half of the votes."""
        votes = self.votes()
        return 2 * sum(votes.get(node, 0) for node in set(node_ids)) > sum(votes.values())

    def with_member(self, member: Member) -> "Roster":
        """The next roster, with one more member, which does not vote yet.

        Raises RosterError for a name, id or address that is taken.
        """
        for known in self.members:
            if known.name == member.name:
                raise RosterError(message("roster.name-taken", name=member.name))
            if known.address == member.address:
                raise RosterError(message("roster.address-taken", address=member.address, name=known.name))
            if known.public_key == member.public_key:
                raise RosterError(message("roster.key-taken", name=member.name, other=known.name))
        if member.node_id <= self.highest_id:  # (C5)
            raise RosterError(message("roster.id-taken", node_id=member.node_id))
        newcomer = replace(member, voter=False)
        members = tuple(sorted((*self.members, newcomer), key=lambda one: one.node_id))
        return Roster(self.epoch + 1, members, member.node_id, f"join {member.name}")

    def with_voter(self, name: str) -> "Roster":
        """The next roster, in which a newcomer votes."""
        members = tuple(replace(one, voter=True) if one.name == name else one for one in self.members)
        return Roster(self.epoch + 1, members, self.highest_id, f"vote {name}")

    def with_endpoints(self, endpoints: Mapping[str, str]) -> "Roster":
        """The next roster, in which these members are reached elsewhere; this one where that changes nothing."""
        members = tuple(replace(one, endpoint=endpoints.get(one.name, one.endpoint)) for one in self.members)
        if members == self.members:
            return self
        moved = [one.name for one, before in zip(members, self.members, strict=True) if one != before]
        return Roster(self.epoch + 1, members, self.highest_id, f"endpoint {' '.join(moved)}")

    @property
    def leaver(self) -> str | None:
        """Who left by itself, where that is what this roster came of: it may still say goodbye."""
        return self.cause.removeprefix(LEAVE) if self.cause.startswith(LEAVE) else None

    def without(self, name: str, *, by_itself: bool = False) -> "Roster":
        """The next roster, with one member less. Raises RosterError for an unknown or the only one."""
        if self.named(name) is None:
            known = ", ".join(member.name for member in self.members)
            raise RosterError(message("removal.unknown", name=name, known=known))
        members = tuple(member for member in self.members if member.name != name)
        if not members:
            raise RosterError(message("roster.only-node", name=name))
        return Roster(self.epoch + 1, members, self.highest_id, f"{LEAVE if by_itself else 'remove '}{name}")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A roster accepted in a ballot."""

    ballot: Ballot
    roster: Roster


@dataclass(frozen=True, slots=True)
class Voting:
    """How a node counts and gives lease votes: a majority in every group, and no vote for a view below ``floor``."""

    view: tuple[int, int, int]
    groups: tuple[Mapping[int, int], ...]
    floor: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Promise:
    """ "I take part in this ballot, and in none below it", with what was accepted before."""

    accepted: Accepted | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not: a higher ballot was promised, or the epoch is another one here."""

    promised: Ballot
    epoch: int


class Acceptor:
    """One member's part in deciding the next roster. After each change of ``state`` store it, then answer (C2)."""

    def __init__(self, current: Roster, promised: Ballot = NEVER, accepted: Accepted | None = None) -> None:
        self.current, self.promised, self.accepted = current, promised, accepted
        self._floor = (current.epoch, *NEVER)

    def prepare(self, epoch: int, ballot: Ballot) -> Promise | Refusal:
        """Somebody opens a ballot on the roster of ``epoch``."""
        if epoch != self.current.epoch + 1 or ballot < self.promised:
            return Refusal(self.promised, self.current.epoch)
        self.promised = ballot
        return Promise(self.accepted)

    def accept(self, epoch: int, ballot: Ballot, roster: Roster) -> Refusal | None:
        """Somebody asks to accept a roster; None when it was accepted (C1)."""
        if epoch != self.current.epoch + 1 or roster.epoch != epoch or ballot < self.promised:
            return Refusal(self.promised, self.current.epoch)
        self.promised = ballot
        self.accepted = Accepted(ballot, roster)
        return None

    def learn(self, roster: Roster, decided_in: Ballot | None = None) -> bool:
        """A decided roster, possibly one of several missed; True when it is news.

        ``decided_in`` is the ballot that decided it, where that is known.
        """
        if roster.epoch <= self.current.epoch:
            return False
        self._floor = (roster.epoch, *NEVER) if decided_in is None else (roster.epoch - 1, *decided_in)
        self.current, self.promised, self.accepted = roster, NEVER, None
        return True

    def voting(self) -> Voting:
        """How this node votes on leases now (C3)."""
        if self.accepted is None:
            return Voting((self.current.epoch, *NEVER), (self.current.votes(),), self._floor)
        view = (self.current.epoch, *self.accepted.ballot)
        return Voting(view, (self.current.votes(), self.accepted.roster.votes()), view)


def unfinished(promises: Iterable[Promise]) -> Roster | None:
    """The roster that has to be proposed, because it may be decided already: that of the highest ballot, if any."""
    accepted = [promise.accepted for promise in promises if promise.accepted is not None]
    return max(accepted, key=lambda one: one.ballot).roster if accepted else None


def next_ballot(node_id: int, *seen: Ballot) -> Ballot:
    """A ballot of this node above all those seen."""
    return (max((round_ for round_, _ in seen), default=0) + 1, node_id)


def quorum_guard(roster: Roster, target: str, online: Iterable[int]) -> Message | None:
    """Why removing ``target`` would leave the others without quorum, or None when it would not.

    What counts is who is left and online against the votes that are left: the target's own vote is gone on both sides.
    """
    left = replace(roster, members=tuple(member for member in roster.members if member.name != target))
    up = {node for node in online if node in left.votes()}
    if left.is_majority(up):
        return None
    have, of = sum(left.votes()[node] for node in up), sum(left.votes().values())
    return message("removal.no-quorum-afterwards", name=target, have=have, of=of)


# --- as JSON -------------------------------------------------------------------------------------


def roster_to_json(roster: Roster) -> dict[str, object]:
    """For the wire and the disk. It holds no secret."""
    members = [
        [one.node_id, one.name, one.address, one.votes, one.public_key, one.endpoint, one.voter]
        for one in roster.members
    ]
    return {"epoch": roster.epoch, "members": members, "highest_id": roster.highest_id, "cause": roster.cause}


def roster_from_json(value: object) -> Roster:
    """The inverse of ``roster_to_json``. Raises ValueError."""
    match value:
        case {"epoch": int(epoch), "members": list(rows), "highest_id": int(highest), "cause": str(cause)}:
            return Roster(epoch, tuple(map(_member, rows)), highest, cause)
    raise ValueError("not a roster")


def _member(row: object) -> Member:
    match row:
        case [int(node_id), str(name), str(address), int(votes), str(public_key), str(endpoint), bool(voter)]:
            return Member(node_id, name, address, votes, public_key, endpoint, voter)
    raise ValueError("not a member")


def ballot_from_json(value: object) -> Ballot:
    """A ballot as JSON has it. Raises ValueError."""
    match value:
        case [int(round_), int(node)]:
            return (round_, node)
    raise ValueError("not a ballot")
