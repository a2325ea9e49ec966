"""Numbers of foreign histories are not rounded until two of them are one."""

from decimal import Decimal
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.formats.atoms import as_written, atom
from harness.formats.formats import read_operations


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.1", 0.1),
        ("1500.00", 1500.0),
        ("1.5e3", 1500.0),
        ("0.30000000000000004", 0.30000000000000004),
        ("9007199254740993.0", Decimal("9007199254740993.0")),
        ("0.1000000000000000055", Decimal("0.1000000000000000055")),
        ("1e-330", Decimal("1e-330")),
    ],
)
def test_a_number_is_a_float_only_if_that_is_the_same(text: str, number: object) -> None:
    found = as_written(text)
    assert (type(found), found) == (type(number), number)
    assert atom(f"{text}M", 1, "file") == number


@pytest.mark.parametrize("text", ["1e400", "-1e999", "0." + "1" * 2000])
def test_a_number_without_measure_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="too great a number"):
        as_written(text)
    with pytest.raises(UsageError, match="file:1: "):
        atom(f"{text}M", 1, "file")


def test_great_numbers_of_json_stay_apart(tmp_path: Path) -> None:
    line = '{"process": 0, "type": "invoke", "f": "write", "value": %s}\n{"process": 0, "type": "ok", "f": "write"}\n'
    path = tmp_path / "a.jsonl"
    path.write_text("".join(line % value for value in ("9007199254740993.0", "9007199254740992.0", "1.5")))
    one, two, three = (found.argument for found in read_operations(path, "jsonl"))
    assert one != two
    assert (one, three) == (Decimal("9007199254740993.0"), 1.5)
    path.write_text(line % "1e400")
    with pytest.raises(UsageError, match=r"a\.jsonl:1: .*too great a number"):
        list(read_operations(path, "jsonl"))
