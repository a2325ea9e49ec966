"""Each field of the table, and what holds of all of them."""

from dataclasses import replace
from itertools import product

import pytest

from harness.stack.storage.hook.core.decision import (
    TABLE,
    TRIES,
    Decision,
    Guest,
    Mapped,
    Seen,
    Source,
    decide,
    worst,
)

WELL = Seen("/store/images/100/disk", True, True, "", Mapped.PROVEN, Guest.DEVICE, Source.UNMAPPED)
EVERY = [
    Seen("/store/a", usable, was_mapped, error, mapped, guest, source)
    for usable, was_mapped, error, mapped, guest, source in product(
        (True, False), (True, False), ("", "Input/output error"), Mapped, Guest, Source
    )
]
WAYS = list(product((True, False), (True, False), range(TRIES + 1)))


def test_the_table_has_every_field() -> None:
    assert set(TABLE) == set(product(Mapped, Guest))


@pytest.mark.promise("S5-21", "S5-62", "S5-23")
@pytest.mark.parametrize(
    ("mapped", "guest", "verdict", "do", "reversion"),
    [
        (Mapped.PROVEN, Guest.DEVICE, "well", "nothing", False),
        (Mapped.PROVEN, Guest.NOTHING, "well", "nothing", False),
        (Mapped.PROVEN, Guest.FILE, "failed", "nothing", True),
        (Mapped.PROVEN, Guest.BOTH, "failed", "nothing", True),
        (Mapped.BROKEN, Guest.DEVICE, "failed", "nothing", False),
        (Mapped.BROKEN, Guest.NOTHING, "wait", "mend", False),
        (Mapped.BROKEN, Guest.FILE, "failed", "nothing", True),
        (Mapped.BROKEN, Guest.BOTH, "failed", "nothing", True),
        (Mapped.NONE, Guest.DEVICE, "failed", "nothing", False),
        (Mapped.NONE, Guest.NOTHING, "wait", "map", False),
        (Mapped.NONE, Guest.FILE, "failed", "nothing", True),
        (Mapped.NONE, Guest.BOTH, "failed", "nothing", True),
    ],
)
def test_what_is_seen_here(mapped: Mapped, guest: Guest, verdict: str, do: str, reversion: bool) -> None:
    found = decide(replace(WELL, mapped=mapped, guest=guest), allowed=True, time_left=True)
    assert (found.verdict, found.do, found.reversion) == (verdict, do, reversion)
    assert bool(found.warnings) == (verdict != "well"), "also what is mended is warned of"


@pytest.mark.parametrize(
    ("source", "time_left", "verdict"),
    [
        (Source.UNMAPPED, True, "well"),
        (Source.UNMAPPED, False, "well"),
        (Source.MAPPED, True, "wait"),
        (Source.MAPPED, False, "left over"),
        (Source.UNKNOWN, True, "wait"),
        (Source.UNKNOWN, False, "left over"),
    ],
)
def test_what_is_known_of_the_source(source: Source, time_left: bool, verdict: str) -> None:
    assert decide(replace(WELL, source=source), allowed=True, time_left=time_left).verdict == verdict


@pytest.mark.promise("S5-60", "S5-61")
def test_whom_it_concerns_and_what_cannot_be_read() -> None:
    assert decide(replace(WELL, was_mapped=False), allowed=True, time_left=True) == Decision("not concerned")
    told = decide(replace(WELL, usable=False), allowed=True, time_left=True)
    assert (told.verdict, "is a file here" in told.warnings[0]) == ("not concerned", True)
    gone = decide(replace(WELL, error="No such file or directory"), allowed=True, time_left=True)
    assert gone.verdict == "failed"
    assert "cannot be read here: No such file" in gone.warnings[0]


def test_whatever_is_seen() -> None:
    for seen, (allowed, time_left, tried) in product(EVERY, WAYS):
        found = decide(seen, allowed=allowed, time_left=time_left, tried=tried)
        concerned = seen.usable and seen.was_mapped
        assert (found.verdict == "not concerned") != concerned
        if found.verdict == "well":
            assert seen.mapped is Mapped.PROVEN
            assert seen.guest in (Guest.DEVICE, Guest.NOTHING)
            assert seen.source is Source.UNMAPPED, "silence is never well"
            assert not seen.error
        if found.do != "nothing":
            assert seen.guest is Guest.NOTHING, "nothing is changed under who uses it"
            assert allowed
            assert tried < TRIES
            assert not seen.error
        if seen.guest in (Guest.FILE, Guest.BOTH) and concerned and not seen.error:
            assert found.reversion
            assert found.verdict == "failed"
        if found.verdict in ("failed", "left over"):
            assert found.warnings
        if not time_left and found.do == "nothing":
            assert found.final, "it comes to an end"


def test_of_several_the_worst_counts() -> None:
    assert worst({}) == "not concerned"
    assert worst({"a": Decision("well"), "b": Decision("not concerned")}) == "well"
    assert worst({"a": Decision("well"), "b": Decision("wait")}) == "wait"
    assert worst({"a": Decision("failed"), "b": Decision("left over")}) == "failed"
