"""The election by name: who leads, who could and why not, and who has which configuration."""

from collections.abc import Mapping
from dataclasses import dataclass

from .election.core import ElectionCore
from .membership.core import Report


@dataclass(frozen=True, slots=True)
class Electorate:
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
            return "standby" if own.standby else "offline" if not own.ready else None
        assert heard is not None
        if heard.beat.standby:
            return "standby"
        if not heard.beat.ready:
            return "offline"
        return "ailing" if heard.beat.duty.ailing else None

    def next_after_leader(self, now_s: float) -> str | None:
        """Who would lead if the present leader did not."""
        others = [node for node in self.names if node != self.leader]
        fit = [node for node in others if self.why_not_lead(self.names[node], now_s) is None]
        return self.names[min(fit)] if fit else None

    @property
    def newest_revision(self) -> int:
        """The highest revision of the shared configuration that was heard of."""
        return max((heard.beat.duty.revision for heard in self.election.heard.values()), default=0)

    def who_has_newer(self, revision: int) -> str | None:
        """A peer with a newer shared configuration than ``revision``."""
        found = [
            (heard.beat.duty.revision, self.names[node])
            for node, heard in self.election.heard.items()
            if heard.beat.duty.revision > revision and node in self.names
        ]
        return max(found)[1] if found else None
