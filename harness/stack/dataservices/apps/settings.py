"""What each service is told: the same on servers as in K3s. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..inventory.core import Inventory, Role
from ..postgresql.places import DATABASE, POOLED_PORT, USER
from ..redis.places import PORT as REDIS_PORT
from .places import API_PORT, FRONT_PORT, place


def api_settings(inventory: Inventory, secrets: Mapping[str, str], address: str) -> str:
    """PostgreSQL by PgBouncer, and Redis where there is one, each by whichever balancer answers."""
    balancers = inventory.of(Role.HAPROXY)
    return _text(
        address=address,
        port=API_PORT,
        postgresql=[place(one, POOLED_PORT) for one in balancers],
        user=USER,
        database=DATABASE,
        password=secrets["POSTGRES_APP_PASSWORD"],
        redis=[place(one, REDIS_PORT) for one in balancers] if inventory.of(Role.REDIS) else [],
        redis_password=secrets["REDIS_PASSWORD"],
    )


def front_settings(apis: Sequence[str], address: str) -> str:
    """The APIs of all servers, by their own addresses."""
    return _text(address=address, port=FRONT_PORT, apis=[*apis])


def _text(**settings: Any) -> str:
    return json.dumps(settings, indent=2) + "\n"
