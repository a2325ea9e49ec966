"""The rules of detours, and what netem is told."""

from dataclasses import asdict

import pytest

from harness.character import Character
from harness.errors import UsageError
from harness.fabric.detours import classes_of, detour_table, netem_words, pipe_link, piped_rules, port_rules
from harness.fabric.layout import Passage

TWO_WAYS = [(Passage("w-lyon", (1, 2)), Passage("p-n3", (1, 2))), (Passage("w-dijon", (3,)),)]


def test_classes_are_numbered_on_and_know_their_direction() -> None:
    classes = classes_of(5, TWO_WAYS)
    assert [(one.number, one.direction, one.passage.port) for one in classes] == [
        (5, 0, "w-lyon"), (6, 0, "p-n3"), (7, 1, "w-dijon"),
    ]  # fmt: skip


def test_each_port_has_rules_of_its_own_that_may_be_run_again() -> None:
    rules = port_rules("detour_x", classes_of(5, TWO_WAYS))
    assert set(rules) == {"w-lyon", "p-n3", "w-dijon"}
    assert "meta mark < 327680 meta mark & 0xffff { 1, 2 }" in rules["w-lyon"]
    assert rules["w-lyon"].count("flush chain netdev detour_x") == 2
    assert "add table" not in rules["w-lyon"], "a table that was healed must not come back with a cable"


def test_a_driver_in_the_kernel_has_a_cable_for_each_direction() -> None:
    rules = piped_rules("detour_x", "x", classes_of(1, TWO_WAYS))
    (there, _), (back, _) = pipe_link("x", 0), pipe_link("x", 1)
    assert f'0x10000 : "{there}", 0x20000 : "{there}", 0x30000 : "{back}"' in rules
    assert '0x10000 : "w-lyon", 0x20000 : "p-n3"' in rules
    assert max(map(len, pipe_link("a-long-name-of-detours" * 2, 99))) <= 15


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, '"', "-x"])
def test_names_that_cannot_be_those_of_tables_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name detours"):
        detour_table(name)


def test_what_netem_is_told() -> None:
    all_of_it = Character(
        latency_ms=40, jitter_ms=2.5, loss_percent=0.5, reordering_percent=1, duplication_percent=2,
        corruption_percent=3, rate_mbit=10, queue_packets=100,
    )  # fmt: skip
    words = " ".join(netem_words(asdict(all_of_it)))
    assert words == "limit 136 delay 40ms 2.5ms loss 0.5% duplicate 2% corrupt 3% reorder 1% rate 10000kbit"
    assert netem_words(asdict(Character())) == ("limit", "100000", "rate", "100000000kbit")
