"""Where what is of a PostgreSQL of this module, and how it is asked. Pure."""

from ..credentials.core import POSTGRESQL
from ..inventory.core import Inventory, Role, Server
from ..plan.module import CREDENTIALS

PORT, API_PORT, PEER_PORT = 5432, 8008, 2380
WRITER_PORT, READER_PORT, POOLED_PORT = 5432, 5433, 6432
"""Of a balancer: who leads, those who follow, and PgBouncer."""
HOME = "/var/lib/postgresql/17"
DATABASE = USER = "app"
N8N = "n8n"
"""The database of n8n, and its user, where the inventory has one: what flows of n8n do is nobody else's data."""
AS_APP = f". {CREDENTIALS}/{POSTGRESQL.file}; export PGPASSWORD=$POSTGRES_APP_PASSWORD"
"""The password comes from the file: a command line is everybody's to read."""
LEADS = "select not pg_is_in_recovery()"
FOLLOWED = """select case when pg_is_in_recovery()
 then exists (select from pg_stat_wal_receiver where status = 'streaming')
 else count(*) = {others} and bool_or(sync_state in ('sync', 'quorum')) end
 from pg_stat_replication where state = 'streaming'"""
"""True on a server that follows, and on one that all the others follow."""


def asked(sql: str, count: int = 0, *, database: str = "postgres") -> str:
    """A shell command that succeeds where this server's own PostgreSQL says yes; ``count`` servers are there."""
    words = sql.format(others=count - 1) if count else sql
    return f'cd / && runuser -u postgres -- psql -XAtq -d {database} -c "{" ".join(words.split())}" | grep -qx t'


def tenants(inventory: Inventory) -> dict[str, str]:
    """Databases, each with a user of the same name, and the variables of their passwords."""
    known = {DATABASE: "POSTGRES_APP_PASSWORD", N8N: "POSTGRES_N8N_PASSWORD"}
    return known if inventory.of(Role.N8N) else {DATABASE: known[DATABASE]}


def place(server: Server) -> str:
    """Its address as it is before a colon and a port."""
    return f"[{server.address}]" if ":" in server.address else server.address
