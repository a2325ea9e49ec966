"""Who leads, by name; who could, and why others could not; who has which configuration."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..election.core import NO_DUTY, ElectionCore
from ..membership.core import Report
from .status import NodeStatus, PeerStatus

MAKERS = 1000
"""Revisions of the shared configuration end in the number of the node that made them: a leader that was cut off just
then, and the next one, must not give theirs the same number, or none would ever fetch the other's."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """A view of a node's election, for as long as nothing happens."""

    own: int
    names: Mapping[int, str]
    election: ElectionCore
    report: Report
    leader: int | None

    @property
    def leader_name(self) -> str | None:
        """Who leads now."""
        return self.names.get(self.leader) if self.leader is not None else None

    def id_of(self, name: str) -> int | None:
        """The node id of a name."""
        return next((node for node, known in self.names.items() if known == name), None)

    def why_not_lead(self, name: str, now_s: float) -> str | None:
        """Why this node could not lead if it were preferred (a key of the catalogue), or None."""
        node = self.id_of(name)
        if node is None:
            return "unknown"
        heard = self.election.heard.get(node)
        if node not in self.report.members or (node != self.own and node not in self.election.alive(now_s)):
            return "offline"
        if node == self.own:
            own = self.election.own
            why_not = "standby" if own.standby else None if own.ready else "offline"
            return why_not or ("lacking" if own.lacks else "reluctant" if own.reluctant else None)
        assert heard is not None
        if heard.beat.standby:
            return "standby"
        if not heard.beat.ready:
            return "offline"
        if heard.beat.duty.ailing:
            return "ailing"
        if heard.beat.duty.lacks:
            return "lacking"
        return "reluctant" if heard.beat.duty.reluctant else None

    def next_after_leader(self, now_s: float) -> str | None:
        """Who would lead if the present leader did not."""
        others = [node for node in self.names if node != self.leader]
        fit = [node for node in others if self.why_not_lead(self.names[node], now_s) is None]
        return self.names[min(fit)] if fit else None

    @property
    def newest_revision(self) -> int:
        """The highest revision of the shared configuration that was heard of."""
        return max((heard.beat.duty.revision for heard in self.election.heard.values()), default=0)

    def next_revision(self, revision: int) -> int:
        """The number of a change that is made here, where this node has ``revision``."""
        return (max(revision, self.newest_revision) // MAKERS + 1) * MAKERS + self.own % MAKERS

    def who_has_newer(self, revision: int) -> str | None:
        """A peer with a newer shared configuration than ``revision``."""
        found = [
            (heard.beat.duty.revision, self.names[node])
            for node, heard in self.election.heard.items()
            if heard.beat.duty.revision > revision and node in self.names
        ]
        return max(found)[1] if found else None

    def node_statuses(self, now_s: float) -> tuple[NodeStatus, ...]:
        """Every node as this one sees it."""
        return tuple(self._node_status(node, now_s) for node in sorted(self.names))

    def peer_statuses(self, now_s: float) -> tuple[PeerStatus, ...]:
        """What is known of the other daemons."""
        return tuple(self._peer_status(peer, now_s) for peer in sorted(self.names) if peer != self.own)

    def _node_status(self, node: int, now_s: float) -> NodeStatus:
        heard = self.election.heard.get(node)
        said = self.election.own if node == self.own else heard.beat.duty if heard else NO_DUTY
        return NodeStatus(
            name=self.names[node],
            node_id=node,
            online=node in self.report.members,
            sfhaRunning=node == self.own or node in self.election.alive(now_s),
            standby=self.election.own.standby if node == self.own else bool(heard and heard.beat.standby),
            leader=node == self.leader,
            lacks=said.lacks,
            reluctant=said.reluctant,
        )

    def _peer_status(self, peer: int, now_s: float) -> PeerStatus:
        heard = self.election.heard.get(peer)
        return PeerStatus(
            name=self.names[peer],
            node_id=peer,
            heard_s_ago=round(now_s - heard.at_s, 3) if heard else None,
            alive=peer in self.election.alive(now_s),
            standby=heard.beat.standby if heard else False,
            ready=heard.beat.ready if heard else False,
            leader=heard.beat.leader if heard else None,
        )
