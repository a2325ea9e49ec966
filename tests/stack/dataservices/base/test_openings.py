"""What people open themselves, and what is wrong with what they wrote."""

import pytest

from harness.stack.dataservices.base.core import admits, doors_of
from harness.stack.dataservices.base.openings import OpeningsWrong, read_openings
from harness.stack.dataservices.inventory.core import Role
from harness.stack.dataservices.plan.footprint import ANYBODY, EVERY, Opening
from tests.stack.dataservices.servers import small

HEAD = "role\tports\tprotocol\tfrom\n"


def test_a_table_is_read() -> None:
    table = f"{HEAD}# monitoring\nall\t9100\ttcp\t192.0.2.0/28\nredis,haproxy\t9121, 9200-9210\tudp\thaproxy,anybody\n"
    assert read_openings(table) == (
        Opening(EVERY, ((9100, 9100),), ("192.0.2.0/28",)),
        Opening((Role.REDIS, Role.HAPROXY), ((9121, 9121), (9200, 9210)), (Role.HAPROXY, *ANYBODY), "udp"),
    )
    assert read_openings(HEAD) == ()


def test_what_it_opens_is_open() -> None:
    inventory = small()
    opened = read_openings(f"{HEAD}redis\t9121\ttcp\t192.0.2.0/28\n")
    assert admits(doors_of(inventory.named("redis-01"), inventory, opened), "192.0.2.7", 9121)
    assert not admits(doors_of(inventory.named("lb-01"), inventory, opened), "192.0.2.7", 9121)


@pytest.mark.parametrize(
    ("row", "where", "why"),
    [
        ("rediss\t1\ttcp\tanybody", "2:1", "no role 'rediss'"),
        ("redis\t0\ttcp\tanybody", "2:2", "neither a port"),
        ("redis\t70000\ttcp\tanybody", "2:2", "neither a port"),
        ("redis\t9-8\ttcp\tanybody", "2:2", "neither a port"),
        ("redis\t\ttcp\tanybody", "2:2", "neither a port"),
        ("redis\t1\tTCP\tanybody", "2:3", "neither tcp nor udp"),
        ("redis\t1\ttcp\tall", "2:4", "no role, no network"),
        ("redis\t1\ttcp\t10.0.0.1/24", "2:4", "no role, no network"),
        ("redis\t1\ttcp", "2:0", "3 cells"),
    ],
)
def test_a_wrong_row_is_refused_and_with_it_the_table(row: str, where: str, why: str) -> None:
    with pytest.raises(OpeningsWrong, match=f"openings.tsv:{where}: .*{why}"):
        read_openings(f"{HEAD}{row}\n")


@pytest.mark.parametrize("text", ["", "role\tport\n", "all\t1\ttcp\tanybody\n"])
def test_a_table_without_its_heads_is_refused(text: str) -> None:
    with pytest.raises(OpeningsWrong, match=r"openings\.tsv:1"):
        read_openings(text)
