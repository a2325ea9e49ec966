"""What module 4 makes sure of, and where."""

import pytest

from harness.stack.dataservices.credentials.core import REDIS
from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.plan.core import Check, Command, File, Plan, told
from harness.stack.dataservices.plan.module import ModuleImpossible
from harness.stack.dataservices.plan.script import script_of
from harness.stack.dataservices.redis.module import RedisModule
from tests.stack.dataservices.servers import SMALL, small

SECRETS = {name: f"secret{number}" * 4 for number, name in enumerate(REDIS.variables)}


def plan() -> Plan:
    """Of the small inventory."""
    return RedisModule().plan(small(), SECRETS)


def files(server: str) -> dict[str, File]:
    """What a server has by the end of it."""
    actions = [one for stage in plan().stages for one in stage.actions.get(server, ())]
    return {one.path: one for one in actions if isinstance(one, File)}


def test_stages_are_in_the_order_that_is_promised() -> None:
    names = [stage.name for stage in plan().stages]
    assert names == ["credentials", "prepared", "redis", "sentinel", "haproxy and watcher", "validated"]


def test_whoever_needs_the_credentials_has_them_before_anything_else() -> None:
    first = plan().stages[0]
    assert set(first.actions) == {"redis-01", "redis-02", "redis-03", "lb-01", "lb-02"}
    for server in first.actions:
        file = files(server)["/opt/keyservices/credentials/redis.env"]
        assert file.mode == 0o600
        assert all(f"{name}={value}\n" in file.content for name, value in SECRETS.items())


@pytest.mark.parametrize("balancer", ["lb-01", "lb-02"])
def test_no_balancer_is_without_the_watcher_and_it_can_log_in(balancer: str) -> None:
    has = files(balancer)
    assert SECRETS["SENTINEL_PASSWORD"] in has["/etc/keyservices/sentinel-watcher.json"].content
    assert has["/etc/keyservices/sentinel-watcher.json"].mode == 0o600
    assert "AUTH" in has["/usr/local/lib/keyservices/sentinel_watcher.py"].content
    validated = plan().stages[-1].actions[balancer]
    assert any(isinstance(one, Check) and "sentinel-watcher" in one.command for one in validated)


def test_every_redis_asks_for_a_password_and_names_no_master() -> None:
    for server in ("redis-01", "redis-02", "redis-03"):
        conf = files(server)["/etc/redis/redis.conf"]
        assert f"requirepass {SECRETS['REDIS_PASSWORD']}\n" in conf.content
        assert "replicaof" not in conf.content
        assert files(server)["/var/lib/redis/sentinel.conf"].once
        assert f"bind {small().named(server).address} " in conf.content


def test_only_the_others_are_told_to_follow_the_first() -> None:
    stage = next(stage for stage in plan().stages if stage.name == "redis")
    followers = [
        server for server, actions in stage.actions.items() if any(isinstance(one, Command) for one in actions)
    ]
    assert followers == ["redis-02", "redis-03"]


def test_two_of_three_sentinels_have_to_agree() -> None:
    assert " main 10.0.0.11 6379 2\n" in files("redis-03")["/var/lib/redis/sentinel.conf"].content


def test_no_secret_is_told_or_on_a_command_line() -> None:
    secrets = [*SECRETS.values()]
    assert not [line for line in told(plan()) for secret in secrets if secret in line]
    for stage in plan().stages:
        for actions in stage.actions.values():
            assert not [secret for secret in secrets if secret in script_of(actions)]


def test_without_balancers_there_is_no_module() -> None:
    table = "".join(line for line in SMALL.splitlines(keepends=True) if "haproxy" not in line)
    with pytest.raises(ModuleImpossible, match="role haproxy"):
        RedisModule().plan(read(table), SECRETS)
