"""That n8n is served, as those see it who ask for it. Pure."""

from ..apps.places import WEB_PORT, answers
from ..inventory.core import Inventory
from ..plan.core import Check
from .places import WEBHOOK_PORT, WORKER_PORT, host

_READY = "/healthz/readiness"
"""Of n8n: it has its database; and, of a worker, Redis."""


def main_answers(inventory: Inventory, within_s: float) -> Check:
    """On a balancer: by its host name, through the ingress."""
    return answers(f"127.0.0.1:{WEB_PORT}", host(inventory), _READY, within_s)


def others_answer(within_s: float) -> tuple[Check, ...]:
    """On a node: its own worker, and its own process for webhooks."""
    return tuple(answers(f"127.0.0.1:{port}", "here", _READY, within_s) for port in (WORKER_PORT, WEBHOOK_PORT))
