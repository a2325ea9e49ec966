"""Where what is of n8n, and how it is reached. Pure."""

from dataclasses import replace

from ..inventory.core import Inventory, Role
from ..plan.balancer import BALANCER
from ..plan.footprint import Footprint

NAMESPACE = "n8n"
IMAGE = "docker.io/n8nio/n8n:2.20.9"
MAIN_PORT, WEBHOOK_PORT, WORKER_PORT = 5678, 5688, 5698
"""All on the address of a node, so each has its own; and so has the broker of its runners, one further."""
POSTGRESQL_PORT, REDIS_PORT = 16432, 16379
"""Of the node's own way to whichever balancer answers; nobody else reaches them."""
FOOTPRINT = Footprint(leftovers=(replace(BALANCER, roles=(Role.N8N,)),))
"""What it serves is reached by the ingress alone."""


def host(inventory: Inventory) -> str:
    """The host name that people and webhooks come by."""
    return f"n8n.{inventory.domain}"
