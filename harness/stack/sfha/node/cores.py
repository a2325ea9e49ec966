"""The cores of a node as its configuration wants them."""

from collections.abc import Mapping

from ..config.load import Config
from ..election.core import ElectionCore
from ..lease.core import LeaseCore, Terms


def election_core(config: Config, node_id: int) -> ElectionCore:
    """Who leads."""
    profile = config.profile
    return ElectionCore(
        node_id,
        profile.suspect_after_s,
        lapse_after_s=profile.promise_s,
        doubt_for_s=profile.ring_decided_within_s,
        quorum_required=_is_guarded(config),
    )


def lease_core(config: Config, node_id: int, votes: Mapping[int, int], incarnation: int, now_s: float) -> LeaseCore:
    """Who may answer for the addresses; ``votes`` are those of all nodes."""
    profile = config.profile
    terms = Terms(
        profile.lease_s,
        profile.promise_s,
        profile.renew_every_s,
        needs_votes=_is_guarded(config),
        released_on_loss=config.unsafe.release_on_loss,
    )
    return LeaseCore(node_id, votes, terms, incarnation, now_s)


def _is_guarded(config: Config) -> bool:
    """Whether nothing is done without a majority; what is unsafe is for tests that show what it is good for."""
    return config.quorum_required and config.unsafe.quorum_guard
