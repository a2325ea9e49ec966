"""What ProxySQL's tables have to hold: its nodes, who may log in, and which statement goes where. Pure."""

from collections.abc import Mapping, Sequence

from ..inventory.core import Server
from .admin import BACKUP, OFFLINE, READER, WRITER
from .places import BACKEND_PORT, MONITOR, USER

Value = str | int
Table = Sequence[Mapping[str, Value]]
ONLY_TO_THE_WRITER = r"^SELECT.*(FOR UPDATE|FOR SHARE|LOCK IN SHARE MODE|NEXTVAL|NEXT VALUE|GET_LOCK|RELEASE_LOCK)"
READS = "^SELECT"
CHECKED_EVERY_MS, ANSWERS_WITHIN_MS, MISSED = 1000, 500, 2
"""A node that was asked so often in vain is used no more: in some 3 s."""


def backends(nodes: Sequence[Server], app_password: str) -> Mapping[str, Table]:
    """The first node is written to while it may be; a transaction stays where it began."""
    groups: dict[str, Value] = {
        "writer_hostgroup": WRITER,
        "backup_writer_hostgroup": BACKUP,
        "reader_hostgroup": READER,
        "offline_hostgroup": OFFLINE,
        "active": 1,
        "max_writers": 1,
        "writer_is_also_reader": 1,
        "max_transactions_behind": 100,
    }
    servers: list[Mapping[str, Value]] = [
        {"hostgroup_id": WRITER, "hostname": one.address, "port": BACKEND_PORT, "weight": 10 ** (len(nodes) - number)}
        for number, one in enumerate(nodes)
    ]
    user: dict[str, Value] = {
        "username": USER,
        "password": app_password,
        "active": 1,
        "default_hostgroup": WRITER,
        "transaction_persistent": 1,
    }
    return {
        "mysql_galera_hostgroups": [groups],
        "mysql_servers": servers,
        "mysql_users": [user],
        "mysql_query_rules": [_rule(1, ONLY_TO_THE_WRITER, WRITER), _rule(2, READS, READER)],
    }


def monitoring(password: str) -> Mapping[str, Table]:
    """How nodes are asked, and how soon one is given up."""
    variables: dict[str, Value] = {
        "mysql-monitor_enabled": "true",
        "mysql-monitor_username": MONITOR,
        "mysql-monitor_password": password,
        "mysql-monitor_ping_interval": CHECKED_EVERY_MS,
        "mysql-monitor_ping_timeout": ANSWERS_WITHIN_MS,
        "mysql-monitor_ping_max_failures": MISSED,
        "mysql-monitor_galera_healthcheck_interval": CHECKED_EVERY_MS,
        "mysql-monitor_galera_healthcheck_timeout": ANSWERS_WITHIN_MS,
        "mysql-monitor_galera_healthcheck_max_timeout_count": MISSED,
        "mysql-connect_timeout_server": 1000,
        "mysql-connect_timeout_server_max": 5000,
        "mysql-shun_recovery_time_sec": 1,
        # Whoever writes by one node, and then reads by another, is to find it there.
        "mysql-init_connect": "SET SESSION wsrep_sync_wait=1",
    }
    return {"global_variables": [{"variable_name": name, "variable_value": value} for name, value in variables.items()]}


def _rule(number: int, digest: str, group: int) -> Mapping[str, Value]:
    return {
        "rule_id": number,
        "active": 1,
        "match_digest": digest,
        "re_modifiers": "CASELESS",
        "destination_hostgroup": group,
        "apply": 1,
    }
