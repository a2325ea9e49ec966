"""Which statement goes where, and who is written to."""

import re

import pytest

from harness.stack.dataservices.inventory.core import Role, read
from harness.stack.dataservices.proxysql.admin import READER, WRITER
from harness.stack.dataservices.proxysql.tables import ANSWERS_WITHIN_MS, CHECKED_EVERY_MS, MISSED, backends, monitoring
from tests.stack.dataservices.servers import PROXYSQL

TABLES = backends(read(PROXYSQL).of(Role.GALERA), "p" * 32)


def group_of(statement: str) -> int:
    """Where a statement goes: by the first rule that it matches, else where the user's go."""
    for rule in sorted(TABLES["mysql_query_rules"], key=lambda one: int(one["rule_id"])):
        if re.search(str(rule["match_digest"]), statement, re.IGNORECASE):
            return int(rule["destination_hostgroup"])
    return int(TABLES["mysql_users"][0]["default_hostgroup"])


@pytest.mark.parametrize(
    ("statement", "group"),
    [
        ("SELECT c FROM t WHERE id=?", READER),
        ("select c from t", READER),
        ("SELECT c FROM t WHERE id=? FOR UPDATE", WRITER),
        ("SELECT c FROM t WHERE id=? LOCK IN SHARE MODE", WRITER),
        ("SELECT NEXTVAL(s)", WRITER),
        ("SELECT GET_LOCK(?,?)", WRITER),
        ("INSERT INTO t SELECT * FROM s", WRITER),
        ("UPDATE t SET c=?", WRITER),
        ("BEGIN", WRITER),
        ("WITH a AS (SELECT ?) DELETE FROM t", WRITER),
    ],
)
def test_what_only_reads_goes_to_any_node_and_all_else_to_one(statement: str, group: int) -> None:
    assert group_of(statement) == group


def test_the_first_node_of_the_inventory_weighs_most() -> None:
    servers = sorted(TABLES["mysql_servers"], key=lambda one: -int(one["weight"]))
    assert [one["hostname"] for one in servers] == ["10.0.0.11", "10.0.0.12", "10.0.0.13"]
    assert len({one["weight"] for one in servers}) == 3
    (groups,) = TABLES["mysql_galera_hostgroups"]
    assert groups["max_writers"] == 1


def test_a_transaction_stays_where_it_began() -> None:
    (user,) = TABLES["mysql_users"]
    assert user["transaction_persistent"] == 1


def test_a_node_that_is_silent_is_given_up_in_less_than_ten_seconds() -> None:
    """A question each so often, each waited for, so many in vain; half of the time is left for a busy host."""
    assert (MISSED + 1) * (CHECKED_EVERY_MS + ANSWERS_WITHIN_MS) < 5_000
    values = {row["variable_name"]: row["variable_value"] for row in monitoring("m" * 32)["global_variables"]}
    assert values["mysql-monitor_galera_healthcheck_interval"] == CHECKED_EVERY_MS
    assert values["mysql-monitor_galera_healthcheck_max_timeout_count"] == MISSED
