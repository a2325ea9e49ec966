"""Timing profiles: everything that has to fit together in time, in one place.

The relation that keeps a take-over from waiting is :meth:`Profile.promise_ends_before_new_quorum`:
a promise given to a holder that was cut off has run out before the others can be quorate without it.
"""

from dataclasses import dataclass
from typing import Literal

CLOCK_RATE_ERROR = 0.01
"""Upper bound, either way, for the rate of a node's clock against true time."""

KERNEL_TICK_S = 0.011
"""Upper bound for how late the kernel lets a set element expire: one jiffy, which at 100 Hz is 10 ms."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Corosync's totem timing and the lease that must be shorter than it (times in the unit of the name)."""

    name: str
    transport: Literal["knet", "udpu"]
    token_ms: int
    consensus_ms: int
    lease_s: float
    heartbeat_s: float
    suspect_after_s: float
    knet_ping_interval_ms: int = 0
    knet_ping_timeout_ms: int = 0
    knet_pong_count: int = 0
    """Zero leaves the three to Corosync's own defaults."""
    join_ms: int = 0
    """How often those who form a membership tell all others what they know of it; zero is Corosync's 50 ms."""

    @property
    def promise_s(self) -> float:
        """How long a voter keeps a promise, on its own clock: that may run fast, and the holder's kernel slow."""
        return 2 * (self.lease_s + KERNEL_TICK_S) * (1 + CLOCK_RATE_ERROR) / (1 - CLOCK_RATE_ERROR)

    @property
    def renew_every_s(self) -> float:
        """How often a holder asks for its lease again. A request without an answer is repeated twice as often, so that
        four are sent before the lease has run out; each of them wakes every node."""
        return self.lease_s / 3

    @property
    def token_hold_s(self) -> float:
        """How old a member's newest token may be when the token is lost (corosync.conf(5): hold, token_retransmit)."""
        retransmit_s = self.token_ms / 1000 / 4.2
        return retransmit_s * 0.8

    @property
    def earliest_new_quorum_s(self) -> float:
        """The shortest time in which others can form a quorum without a node that was cut off or died."""
        return (self.token_ms + self.consensus_ms) / 1000 - self.token_hold_s

    @property
    def ring_decided_within_s(self) -> float:
        """How long after a silence Corosync may yet take a ring from its node: it misses a token, comes to a consensus
        without the node, and forms the ring within the time of a token."""
        return (2 * self.token_ms + self.consensus_ms) / 1000

    def promise_ends_before_new_quorum(self) -> bool:
        """Whether a take-over ever has to wait for a promise (it must not)."""
        return self.promise_s < self.earliest_new_quorum_s


FAST = Profile(
    name="fast",
    transport="knet",
    token_ms=300,
    consensus_ms=360,
    lease_s=0.150,
    heartbeat_s=0.2,
    suspect_after_s=1.0,
    knet_ping_interval_ms=200,
    knet_ping_timeout_ms=250,
    knet_pong_count=1,
)
LAN = Profile(
    name="lan",
    transport="udpu",
    token_ms=150,
    consensus_ms=180,
    lease_s=0.130,
    heartbeat_s=0.1,
    suspect_after_s=0.5,
)
STEADY = Profile(
    name="steady",
    transport="knet",
    token_ms=2000,
    consensus_ms=2400,
    lease_s=0.8,
    heartbeat_s=0.4,
    suspect_after_s=2.0,
)
"""For machines that do not always get a processor when they need one, such as guests of a full host."""
WAN = Profile(
    name="wan",
    transport="knet",
    token_ms=3000,
    consensus_ms=3600,
    lease_s=1.0,
    heartbeat_s=0.6,
    suspect_after_s=3.0,
    # At Corosync's own rate thirty nodes on two cores tell each other 17,000 times a second, and never get to hear it.
    join_ms=500,
)
PROFILES = {profile.name: profile for profile in (FAST, LAN, STEADY, WAN)}
