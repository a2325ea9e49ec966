"""The client of Redis: what it notes, and what it compares. A set in memory takes what it writes."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.stack.dataservices.rehearsal import keys
from harness.stack.dataservices.rehearsal.keys import Client, compare, write

PLACE, KEY = "10.0.0.11,6379", "keyservices-failover-lb-01"


class Down(Exception):
    """What the library raises when nobody answers."""


class Store:
    """One server: what it holds, and for which numbers how many replicas confirm; None: nobody answers."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.confirm: dict[int, int | None] = {}

    def pipeline(self, *, transaction: bool) -> "Store":
        assert not transaction, "WAIT says nothing within MULTI"
        return self

    def hset(self, _key: str, field: str, _value: str) -> None:
        self.number = int(field)

    def wait(self, replicas: int, timeout_ms: int) -> None:
        assert (replicas, timeout_ms) == (1, 1000)

    def execute(self) -> list[int]:
        count = self.confirm.get(self.number, 1)
        if count is None:
            raise Down
        self.held.add(self.number)
        return [1, count]

    def hkeys(self, _key: str) -> list[bytes]:
        return [str(one).encode() for one in self.held]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    one = Store()

    def connect(**options: Any) -> Store:
        assert (options["password"], options["port"]) == ("r", 6379)
        return one

    monkeypatch.setitem(sys.modules, "redis", SimpleNamespace(Redis=connect, RedisError=Down))
    monkeypatch.setattr(keys, "EVERY_S", 0.0)
    monkeypatch.setattr(keys, "SETTLES_WITHIN_S", 0.0)
    return one


@pytest.fixture
def secrets(tmp_path: Path) -> str:
    path = tmp_path / "secrets"
    path.write_text("REDIS_PASSWORD=r\nSENTINEL_PASSWORD=s\n")
    return str(path)


def test_what_no_replica_has_and_what_nobody_answered_is_not_noted(store: Store, secrets: str, tmp_path: Path) -> None:
    store.confirm = {2: 0, 4: None}
    write(Client(PLACE, secrets), tmp_path / KEY, KEY, range(1, 6))
    assert [int(line.split()[0]) for line in (tmp_path / KEY).read_text().splitlines()] == [1, 3, 5]
    assert store.held == {1, 2, 3, 5}


def test_what_a_server_has_not_is_said(store: Store, secrets: str, tmp_path: Path) -> None:
    (tmp_path / KEY).write_text("1 1.0\n3 1.5\n")
    store.held = {1, 2}
    with pytest.raises(SystemExit, match=r"10\.0\.0\.11,6379 has 1 of 2 acknowledged writes not"):
        compare(tmp_path, secrets, KEY, [PLACE])
    store.held = {1, 2, 3}
    assert compare(tmp_path, secrets, KEY, [PLACE]) == "2 writes acknowledged, none lost, longest pause 0.5 s"


def test_a_server_that_does_not_answer_has_nothing(
    store: Store, secrets: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / KEY).write_text("1 1.0\n")

    def silent(_key: str) -> list[bytes]:
        raise Down

    monkeypatch.setattr(store, "hkeys", silent)
    with pytest.raises(SystemExit, match="has 1 of 1 acknowledged writes not"):
        compare(tmp_path, secrets, KEY, [PLACE])
