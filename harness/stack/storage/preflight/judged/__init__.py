"""Checks that judge what was seen, a file a category: pure, so that thousands of hosts can be shown to them."""

from . import cluster, network, operation, resources, safety, state
from .judged import Judged

EVERY: tuple[Judged, ...] = tuple(
    one for part in (cluster, network, resources, state, safety, operation) for one in part.JUDGED
)
