"""What peers say, handed to the part that it concerns; and when each of them was last heard."""

from ..claim.permission import Permission
from ..datagrams.core import encoding
from ..election.core import ElectionCore, Heartbeat
from ..lease import core as lease
from ..vips import core as vip
from ..vips.leased_addresses import LeasedAddresses
from .ports import Ports


class Hearing:
    """The ears of one node."""

    def __init__(self, ports: Ports, election: ElectionCore, leased: LeasedAddresses, permission: Permission) -> None:
        self.is_behind = False
        """A peer was heard to have a newer shared configuration."""
        self.newer_roster_at: int | None = None
        """A peer that was heard to have a newer roster than this node."""
        self._ports, self._election, self._leased, self._permission = ports, election, leased, permission
        self._at_s: dict[int, float] = {}

    def take(self, sender: int, datagram: bytes, *, epoch: int, revision: int) -> bool:
        """Take a datagram of a known peer. ``epoch`` and ``revision`` are the node's. False: nothing comes of it."""
        now_s = self._at_s[sender] = self._ports.clock()
        try:
            message = encoding.decode(datagram)
        except ValueError as error:
            self._leased.hands.complain("datagram", f"from node {sender}: {error}")
            return False
        if isinstance(message, Heartbeat):
            if message.epoch > epoch:
                self.newer_roster_at = sender
            self.is_behind = self.is_behind or message.duty.revision > revision
            return self._heartbeat(sender, message, now_s)
        if isinstance(message, lease.Message):
            lived, held = self._election.lives(sender, now_s), self._leased.held
            self._election.heard_from(sender, now_s)
            self._leased.lease_step(lease.Received(sender, message))
            return not lived or held != self._leased.held  # most datagrams, many a second, change nothing
        if self._permission.arbiter is not None:
            self._election.heard_from(sender, now_s)
            self._permission.arbiter.received(sender, message)
        return True

    def _heartbeat(self, sender: int, beat: Heartbeat, now_s: float) -> bool:
        arbiter = self._permission.arbiter
        known = self._election.heard.get(sender)
        if arbiter is not None:
            arbiter.heard(sender, ready=beat.ready, was_ready=known is not None and known.beat.ready)
        told = known is not None and known.beat.says == beat.says and self._election.lives(sender, now_s)
        if self._election.hear(sender, beat, now_s):
            self._leased.address_step(vip.ContactRegained())
        # False: it is known already, and without an end of its own.
        return not (told and arbiter is None and beat.duty.wish.target is None)

    def s_ago(self, peer: int) -> float | None:
        """How long ago anything of the peer came through the tunnel, in seconds; None when nothing ever did."""
        # This outlives the peer's leaving the election: keys that worked before a partition work after it.
        at_s = self._at_s.get(peer)
        return None if at_s is None else self._ports.clock() - at_s
