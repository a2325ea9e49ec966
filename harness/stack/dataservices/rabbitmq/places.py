"""Where what is of a RabbitMQ of this module, and how it is asked. Pure."""

from ..credentials.core import RABBITMQ
from ..inventory.core import Server
from ..plan.module import CREDENTIALS
from ..rehearsal.clients import program

PORT = 5672
"""Of a server, and of a balancer."""
VHOST = USER = "app"
ADMIN = "admin"
SECRETS = f"{CREDENTIALS}/{RABBITMQ.file}"
CLIENT = program("messages")
"""By which a balancer tries what it is in front of."""
UNIT = "rabbitmq-server.service"
ALIVE = "pgrep -u rabbitmq -x beam.smp"
_LIST = f"rabbitmqctl -q list_queues -p {VHOST} --no-table-headers"


def node(server: Server) -> str:
    """The name of its Erlang node: by its address, so that no server has to know another's name."""
    return f"rabbit@{server.address}"


def queue_of(balancer: Server) -> str:
    """The queue by which this balancer is tried."""
    return f"keyservices-{balancer.name}"


def led_here(queue: str) -> str:
    """A shell command that succeeds on the server that leads this queue."""
    here = ". /etc/rabbitmq/rabbitmq-env.conf"
    return f'{here}; {_LIST} name leader | grep -qxF "$(printf \'%s\\t%s\' {queue} "$NODENAME")"'


def led_by_another(queue: str, lost: Server) -> str:
    """A shell command that succeeds once somebody else leads it, and is alive."""
    leads = f'$1 == "{queue}" && $2 ~ /^rabbit@/ && $2 != "{node(lost)}"'
    return f"{_LIST} name leader | awk -F '\\t' '{leads} {{ yes = 1 }} END {{ exit !yes }}'"


def held_by(count: int, *queues: str) -> str:
    """A shell command that succeeds when these are quorum queues, each with so many members that are there."""
    wanted = " || ".join(f'$1 == "{queue}"' for queue in queues)
    whole = f'({wanted}) && $2 == "quorum" && gsub(/rabbit@/, "", $3) == {count}'
    return f"{_LIST} name type online | awk -F '\\t' '{whole} {{ n++ }} END {{ exit n != {len(queues)} }}'"


def all_run(servers: tuple[Server, ...]) -> str:
    """A shell command that succeeds when these are members of one cluster, and run."""
    wanted = ", ".join(f"'{node(one)}'" for one in servers)
    return f'rabbitmqctl -q eval "[{wanted}] -- rabbit_nodes:list_running()." | grep -qxF "[]"'
