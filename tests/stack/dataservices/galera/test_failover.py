"""What is done to whoever is written to, and what has to be so from then on."""

from harness.stack.dataservices.galera.failover import failover_of
from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.plan.core import Check, told
from tests.stack.dataservices.failovers import killed_by
from tests.stack.dataservices.servers import GALERA

INVENTORY = read(GALERA)
FAILOVER = failover_of(INVENTORY)


def test_any_server_may_be_written_to_and_only_that_one_is_killed() -> None:
    assert [one.name for one in FAILOVER.candidates] == ["db-01", "db-02", "db-03"]
    for writer in FAILOVER.candidates:
        assert killed_by(FAILOVER.plan(writer)) == {writer.name}


def test_clients_write_before_it_dies_and_are_compared_once_it_is_back() -> None:
    names = [stage.name for stage in FAILOVER.plan(INVENTORY.named("db-02")).stages]
    assert names == [
        *("all in step", "clients write", "db-02 dies", "another one is written to", "writes go on"),
        *("db-02 is back", "all in step again", "nothing is lost", "tidied up"),
    ]


def test_the_client_of_each_server_compares_with_each_server() -> None:
    plan = FAILOVER.plan(INVENTORY.named("db-01"))
    stage = next(stage for stage in plan.stages if stage.name == "nothing is lost")
    assert set(stage.actions) == {"db-01", "db-02", "db-03"}
    for does in stage.actions.values():
        (check,) = (one for one in does if isinstance(one, Check))
        assert [n for n in (1, 2, 3) if f"10.0.0.1{n},3306" not in check.command] == []


def test_that_another_one_is_written_to_is_asked_of_both_balancers_by_who_lives() -> None:
    plan = FAILOVER.plan(INVENTORY.named("db-01"))
    stage = next(stage for stage in plan.stages if stage.name == "another one is written to")
    assert set(stage.actions) == {"db-02", "db-03"}
    for does in stage.actions.values():
        assert [
            balancer for balancer in ("10.0.0.21", "10.0.0.22") if not any(balancer in one.said() for one in does)
        ] == []


def test_no_secret_is_on_its_command_lines() -> None:
    lines = "\n".join(told(FAILOVER.plan(INVENTORY.named("db-01"))))
    assert "MYSQL_PWD=$MARIADB_APP_PASSWORD" in lines
