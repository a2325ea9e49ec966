"""Histories of runs that are spoilt in some way: read as what they still say, or refused with a line."""

import json
from pathlib import Path
from random import Random

import pytest

from harness.errors import HarnessError
from harness.events import Completed, Event, Invoked
from harness.history import History, encode
from tests.checks.consistency.telling import operations
from tests.checks.story import failover

FEW = 1500
ODD: tuple[object, ...] = (
    *(None, True, -1, 0, 1.5, 1e300, 1 << 63, -(1 << 80), "", "x", "\0", [], {}, [[1]], {"a": [None]}, "y" * 3000),
    *([[[[[[1]]]]]], "linearizable_register", ["n1"], {"n1": 1}),
)


def run() -> list[bytes]:
    rows = operations("1 write 1", "2 read 1", "3 cas [1,2]", "4 read 2?", "5 write 3!", key="registers/0")
    told = failover().expects("linearizable_register", key="registers").events
    return [encode(event) for event in (*told, *(event for one in rows for event in one.events))]


def spoilt(lines: list[bytes], random: Random) -> list[bytes]:
    """One line with a field of another type, without it or with one more; or gone, twice, cut or flipped."""
    place = random.randrange(len(lines))
    line = lines[place]
    match random.randrange(6):
        case 0 | 1 | 2:
            fields = json.loads(line)
            name = random.choice(list(fields))
            value = random.choice(ODD)
            if random.random() < 0.2:
                del fields[name]
            elif random.random() < 0.1:
                fields["other"] = value
            else:
                fields[name] = value
            changed = [json.dumps(fields).encode() + b"\n"]
        case 3:
            changed = random.choice(([], [line, line], [line[: random.randrange(len(line))] + b"\n"]))
        case 4:
            flipped = bytearray(line)
            flipped[random.randrange(len(line))] ^= 1 << random.randrange(8)
            changed = [bytes(flipped)]
        case _:
            deep = random.choice((90, 500, 100_000))
            changed = [line.replace(b'"value":1', b'"value":' + b"[" * deep + b"]" * deep), b"\n", b"\xff\n"]
    return [*lines[:place], *changed, *lines[place + 1 :]]


def test_a_spoilt_run_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    lines = run()
    refused = 0
    for seed in range(FEW):
        (tmp_path / "history.jsonl").write_bytes(b"".join(spoilt(lines, Random(seed))))
        try:
            History.read(tmp_path)
        except HarnessError as error:
            refused += 1
            told = str(error)
        else:
            continue
        assert "history.jsonl:" in told
        assert len(told) < 600
        assert "\n" not in told
    assert FEW // 4 < refused < FEW


WRONG: list[tuple[type[Event], str, object, str]] = [
    (Invoked, "process", "one", "Expected `int`, got `str`"),
    (Invoked, "process", 1 << 63, "Expected `int` <= 9223372036854775807"),
    (Invoked, "function", 3, "Expected `str`, got `int`"),
    (Completed, "outcome", "perhaps", "Invalid enum value"),
    (Completed, "t_s", None, "Expected `float`, got `null`"),
    (Completed, "t_s", 1e300, "Expected `float` <="),
    (Invoked, "strange", 1, "unknown field"),
]


@pytest.mark.parametrize(("kind", "name", "value", "why"), WRONG)
def test_the_type_of_every_field_is_looked_at(
    tmp_path: Path, kind: type[Event], name: str, value: object, why: str
) -> None:
    first, *others = (event for one in operations("1 write 1") for event in one.events)
    wanted = first if kind is Invoked else others[0]
    fields = {**json.loads(encode(wanted)), name: value}
    (tmp_path / "history.jsonl").write_bytes(encode(first) + json.dumps(fields).encode() + b"\n")
    with pytest.raises(HarnessError, match=r"history\.jsonl:2: not an event of this harness") as refused:
        History.read(tmp_path)
    assert why in str(refused.value)


@pytest.mark.parametrize("deep", [101, 900, 100_000])
def test_what_is_nested_too_deeply_is_refused(tmp_path: Path, deep: int) -> None:
    (line,) = operations("1 write 1")[0].events[:1]
    text = encode(line).replace(b'"value":1', b'"value":' + b"[" * deep + b"]" * deep)
    (tmp_path / "history.jsonl").write_bytes(text)
    with pytest.raises(HarnessError, match=r"history\.jsonl:1: .*nested too deeply"):
        History.read(tmp_path)


def test_every_kind_of_event_has_the_name_that_histories_have() -> None:
    kinds = {event.kind for event in failover().events}
    assert {"run-started", "address-added", "gate-opened", "watch-started"} & kinds
    assert all(json.loads(encode(event))["kind"] == event.kind for event in failover().events)
