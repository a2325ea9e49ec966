"""Every mistake in a table of servers is named, with its row and column, all of them at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.dataservices.inventory.core import COLUMNS, Inventory, InventoryWrong, Problem, Role, read
from tests.stack.dataservices.servers import SMALL, small


def wrong(table: str) -> list[tuple[int, int]]:
    """Where the mistakes are."""
    with pytest.raises(InventoryWrong) as caught:
        read(table)
    return [(one.row, one.column) for one in caught.value.problems]


def test_servers_are_found_by_role_and_name() -> None:
    inventory = small()
    assert [one.name for one in inventory.of(Role.REDIS)] == ["redis-01", "redis-02", "redis-03"]
    assert [one.name for one in inventory.of(Role.HAPROXY, Role.INSTALLER)] == ["install-01", "lb-01", "lb-02"]
    assert inventory.named("redis-02").site == "lyon"
    assert inventory.installer.protected
    assert not inventory.named("lb-01").protected
    with pytest.raises(KeyError):
        inventory.named("redis-04")


def test_columns_may_come_in_any_order_and_a_server_may_have_several_roles() -> None:
    table = "site\taddress\trole\tname\tprotected\n" + "".join(
        f"s\t10.0.0.{number}\tredis, galera{',installer' if number == 1 else ''}\tn{number}\t{kept}\n"
        for number, kept in ((1, "no"), (2, "yes"), (3, "no"))
    )
    inventory = read(table)
    assert [one.name for one in inventory.of(Role.GALERA)] == ["n1", "n2", "n3"]
    assert [one.protected for one in inventory.servers] == [True, True, False]


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ("redis-02\t", "Redis_02\t", (5, 1)),
        ("redis-02\t", "redis-01\t", (5, 1)),
        ("redis-02\tredis", "redis-02\trediss", (5, 2)),
        ("redis-02\tredis", "redis-02\tredis,redis", (5, 2)),
        ("redis-02\tredis", "redis-02\tredis,installer", (5, 2)),
        ("10.0.0.12", "10.0.0.300", (5, 3)),
        ("10.0.0.12", "10.0.0.11", (5, 3)),
        ("10.0.0.12", "127.0.0.1", (5, 3)),
        ("\tlyon\nredis", "\tLyon city\nredis", (5, 4)),
        ("\tlyon\nredis", "\nredis", (5, 0)),
        ("\tlyon\nredis", "\tlyon\tmore\nredis", (5, 0)),
        ("name\trole", "name\trôle", (1, 2)),
        ("name\trole\taddress", "name\taddress", (1, 0)),
        ("lb-02\thaproxy\t10.0.0.22\tlyon\n", "", (7, 0)),
        ("redis-03\tredis\t10.0.0.13\tlille\n", "", (7, 0)),
        ("install-01\tinstaller\t10.0.0.1\tparis\n", "", (7, 0)),
    ],
)
def test_a_mistake_is_named_with_its_row_and_column(before: str, after: str, where: tuple[int, int]) -> None:
    assert SMALL.count(before) == 1
    assert where in wrong(SMALL.replace(before, after))


def test_all_mistakes_are_named_at_once() -> None:
    table = SMALL.replace("redis-02\t", "redis_02\t").replace("10.0.0.21", "here").replace("lille", "")
    assert wrong(table) == [(5, 1), (6, 4), (7, 3)]


@pytest.mark.parametrize("word", ["yse", "true", "Yes", "1", ""])
def test_protected_is_yes_or_no_and_nothing_like_it(word: str) -> None:
    table = SMALL.replace("\tsite\n", "\tsite\tprotected\n")
    table = (
        table.replace("paris\n", "paris\tno\n").replace("lyon\n", "lyon\tno\n").replace("lille\n", f"lille\t{word}\n")
    )
    assert wrong(table) == [(6, 5)]


def test_spaces_instead_of_tabs_are_said_to_be_that() -> None:
    with pytest.raises(InventoryWrong, match="separated by tabs"):
        read(SMALL.replace("\t", "  "))


@pytest.mark.parametrize("table", ["", "\n\n", "# nothing\n"])
def test_an_empty_table_is_no_inventory(table: str) -> None:
    assert wrong(table) == [(1, 0)]


CELLS = st.sampled_from(
    ["a", "b-1", "redis", "redis,installer", "10.0.0.1", "::1", "fe80::1", "é", "", " ", "\x00", "x" * 64]
)


@given(st.lists(st.lists(CELLS, max_size=6), max_size=6))
def test_any_table_is_an_inventory_or_is_wrong_somewhere(rows: list[list[str]]) -> None:
    table = "\n".join("\t".join(row) for row in [list(COLUMNS), *rows])
    try:
        found: Inventory | tuple[Problem, ...] = read(table)
    except InventoryWrong as error:
        found = error.problems
    assert found
