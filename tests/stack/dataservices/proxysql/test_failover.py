"""What is done to whoever is written to, and what has to be so from then on, and how soon."""

from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.plan.core import Check, Command, told
from harness.stack.dataservices.proxysql.failover import failover_of
from tests.stack.dataservices.failovers import killed_by
from tests.stack.dataservices.servers import PROXYSQL

INVENTORY = read(PROXYSQL)
FAILOVER = failover_of(INVENTORY)


def test_any_node_may_be_written_to_and_only_that_one_is_killed() -> None:
    assert [one.name for one in FAILOVER.candidates] == ["db-01", "db-02", "db-03"]
    for writer in FAILOVER.candidates:
        assert killed_by(FAILOVER.plan(writer)) == {writer.name}


def test_who_is_written_to_is_asked_within_a_transaction() -> None:
    """A statement that only reads is sent to any node."""
    assert "-h 10.0.0.31 -P 6033 -u app -e 'begin; select @@wsrep_node_name; commit' app" in FAILOVER.leads


def test_it_has_to_be_seen_within_ten_seconds_and_used_again_within_twenty() -> None:
    stages = {stage.name: stage for stage in FAILOVER.plan(INVENTORY.named("db-02")).stages}
    assert [*stages] == [
        *("all are used", "clients write", "db-02 dies", "it is seen", "writes go on"),
        *("db-02 is back", "it is used again", "nothing is lost", "tidied up"),
    ]
    for proxy in ("proxy-01", "proxy-02"):
        (seen,) = stages["it is seen"].actions[proxy]
        (used,) = stages["it is used again"].actions[proxy]
        assert isinstance(seen, Check)
        assert isinstance(used, Check)
        assert seen.command.endswith("without 10.0.0.12")
        assert (seen.within_s, used.within_s) == (10, 20)


def test_clients_of_every_node_write_through_both_proxies() -> None:
    begun = next(one for one in FAILOVER.plan(INVENTORY.named("db-01")).stages if one.name == "clients write")
    assert set(begun.actions) == {"db-01", "db-02", "db-03"}
    for does in begun.actions.values():
        writes = [one.command for one in does if isinstance(one, Command) and " write " in one.command]
        assert [one.count(" 10.0.0.31,6033 10.0.0.32,6033") for one in writes] == [1]


def test_no_secret_is_on_its_command_lines() -> None:
    lines = "\n".join(told(FAILOVER.plan(INVENTORY.named("db-01"))))
    assert "/opt/keyservices/credentials/mariadb.env" in lines
    assert "PASSWORD=" not in lines
