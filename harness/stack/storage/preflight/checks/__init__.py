"""The checks, a file a category."""

from ..run import Check
from . import cluster, network, resources, safety, state

EVERY: tuple[Check, ...] = tuple(
    one for part in (cluster, network, resources, state, safety) for one in part.CHECKS.declared
)
