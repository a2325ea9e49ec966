"""Where what is of a MariaDB Galera node of this module, and how it is asked. Pure."""

from ..credentials.core import GALERA
from ..inventory.core import Server
from ..plan.module import CREDENTIALS

PORT, HEALTH_PORT = 3306, 9200
WRITER_PORT, READER_PORT = 3306, 3307
"""Of a balancer: the one node that is written to, and all that are in step."""
DATA = "/var/lib/galera"
"""Not the package's own folder: what its installation makes there never was in a cluster, and is nobody's."""
SOCKET = "/run/mysqld/mysqld.sock"
UNIT = "mariadb.service"
DATABASE = USER = "app"
TRANSFER, CHECK = "transfer", "check"
"""Who copies a node's data to one that joins, and who is asked how a node is; both from the node itself alone."""
STATE = "/usr/local/lib/keyservices/galera_state.py"
SECRETS = f"{CREDENTIALS}/{GALERA.file}"
CALL = "mariadb --connect-timeout=3 -NB"
"""As root, who is who he is by the socket: root has no password."""
PRIMARY = "(('wsrep_ready', 'ON'), ('wsrep_cluster_status', 'Primary'))"
_SYNCED = f"{PRIMARY[:-1]}, ('wsrep_local_state', '4'))"


def asked(sql: str) -> str:
    """A shell command that succeeds where this server's own MariaDB says 1."""
    return f'{CALL} -e "{sql}" 2>/dev/null | grep -qx 1'


def _all_of(wanted: str) -> str:
    many = wanted.count("('wsrep")
    status = "information_schema.global_status where (variable_name, variable_value)"
    return f"select count(*) = {many} from {status} in {wanted}"


def in_primary() -> str:
    """It takes writes."""
    return asked(_all_of(PRIMARY))


def in_step(count: int = 0) -> str:
    """It has what the others have; ``count``: the cluster is so large."""
    size = f", ('wsrep_cluster_size', '{count}'))" if count else ")"
    return asked(_all_of(_SYNCED[:-1] + size))


def place(server: Server) -> str:
    """Its address as it is before a colon and a port."""
    return f"[{server.address}]" if ":" in server.address else server.address


AS_APP = f". {SECRETS}; export MYSQL_PWD=$MARIADB_APP_PASSWORD"
"""The password comes from the file: a command line is everybody's to read."""


def by_balancer(balancer: Server, port: int, asks: str = "1") -> str:
    """A shell command that says what the application's user is told there; it fails where nobody tells him anything."""
    return f"{AS_APP}; {CALL} -h {balancer.address} -P {port} -u {USER} -e 'select {asks}' {DATABASE} 2>/dev/null"
