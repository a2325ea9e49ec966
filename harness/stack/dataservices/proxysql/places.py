"""Where what is of a ProxySQL of this module, and how it is asked. Pure."""

from ..credentials.core import GALERA
from ..inventory.core import Server
from ..plan.module import CREDENTIALS

PORT, ADMIN_PORT = 6033, 6032
"""For applications; and for whoever looks after it, at 127.0.0.1 alone."""
CLIENT_PORTS = (PORT,)
BACKEND_PORT = 3306
"""Of every MariaDB: the proxies reach it."""
DATABASE = USER = "app"
MONITOR = "proxysql"
"""Who asks the nodes how they are."""
UNIT = "keyservices-proxysql.service"
HOME = "/var/lib/keyservices-proxysql"
ADMIN, SETTINGS = "/usr/local/lib/keyservices/proxysql_admin.py", "/etc/keyservices/proxysql.json"
SECRETS = f"{CREDENTIALS}/{GALERA.file}"
"""Of whoever writes in the failover test, on the nodes of Galera."""
CALL = "mariadb --connect-timeout=3 -NB"
AS_APP = f". {SECRETS}; export MYSQL_PWD=$MARIADB_APP_PASSWORD"
"""The password comes from the file: a command line is everybody's to read."""


def admin(*words: str) -> str:
    """How a proxy's own program is called."""
    return " ".join(("python3", ADMIN, SETTINGS, *words))


def written_to(proxy: Server) -> str:
    """A shell command that says the node that a proxy writes to: one that only reads may go elsewhere."""
    asks = "begin; select @@wsrep_node_name; commit"
    return f"{AS_APP}; {CALL} -h {proxy.address} -P {PORT} -u {USER} -e '{asks}' {DATABASE} 2>/dev/null"
