"""Where what is of a Redis of this module, and how it is asked. Pure."""

from ..credentials.core import REDIS
from ..inventory.core import Server
from ..plan.module import CREDENTIALS
from ..rehearsal.clients import program

MASTER = "main"
"""The name that the Sentinels know the master by."""
PORT, SENTINEL_PORT = 6379, 26379
SECRETS = f"{CREDENTIALS}/{REDIS.file}"
CLIENT = program("keys")
"""By which a balancer tries what it is in front of."""
REDIS_UNIT, SENTINEL_UNIT = "redis-server.service", "redis-sentinel.service"
UNITS = (REDIS_UNIT, SENTINEL_UNIT)
ALIVE = "pgrep -u redis"
# The password comes from the file: a command line is everybody's to read.
_AS = f". {SECRETS}; export REDISCLI_AUTH=${{}}; redis-cli --no-auth-warning"
ASKED = _AS.format("REDIS_PASSWORD")
SENTINEL_ASKED = f"{_AS.format('SENTINEL_PASSWORD')} -p {SENTINEL_PORT}"
LEADS = f"{ASKED} role | head -n 1 | grep -qx master"
"""A shell command that succeeds on the server that is master."""
MASTER_BEHIND = f"{ASKED} -h 127.0.0.1 role | head -n 1 | grep -qx master"
"""A shell command that succeeds on a balancer that leads to a master."""


def followed_by(count: int) -> str:
    """A shell command that succeeds on a balancer that leads to a master with so many replicas."""
    return f"{ASKED} -h 127.0.0.1 info replication | grep -q '^connected_slaves:{count}[[:space:]]*$'"


def named_another(lost: Server) -> str:
    """A shell command that succeeds where the Sentinel names another master."""
    named = f"{SENTINEL_ASKED} sentinel get-master-addr-by-name {MASTER} | head -n 1"
    return f'test "$({named})" && ! {{ {named} | grep -qxF {lost.address}; }}'
