"""The incidents, a file a family; of two at the same subject the earlier one is dealt with first."""

from ..core.declared import Incident
from . import host, mappings, moosefs, moves, peers, servers

EVERY: tuple[Incident, ...] = (
    *host.INCIDENTS,
    *peers.INCIDENTS,
    *moosefs.INCIDENTS,
    *servers.INCIDENTS,
    *mappings.INCIDENTS,
    *moves.INCIDENTS,
)
BY_NAME = {one.name: one for one in EVERY}
