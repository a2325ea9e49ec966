"""Lines of the log in words, and since when they are wanted."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.sfha.logs.core import parse_line, parse_since, sentence, time_of

NOW_S = datetime(2026, 2, 25, 12, 0, 0, tzinfo=UTC).timestamp()
PARIS = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("10min", "2026-02-25 11:50:00"),
        ("-90s", "2026-02-25 11:58:30"),
        ("2 h ago", "2026-02-25 10:00:00"),
        ("3d", "2026-02-22 12:00:00"),
        ("today", "2026-02-24 23:00:00"),
        ("yesterday", "2026-02-23 23:00:00"),
        ("9:05", "2026-02-25 08:05:00"),
        ("2026-02-20", "2026-02-19 23:00:00"),
        ("2026-02-20 14:30", "2026-02-20 13:30:00"),
        ("2026-02-20T14:30:00+00:00", "2026-02-20 14:30:00"),
    ],
)
def test_since_is_understood_in_the_users_time_zone(given_text: str, expected: str) -> None:
    since = datetime.fromtimestamp(parse_since(given_text, NOW_S, PARIS), UTC)
    assert since.strftime("%Y-%m-%d %H:%M:%S") == expected


@pytest.mark.parametrize("nonsense", ["", "soon", "10 parsecs", "25:99", "2026-13-01"])
def test_nonsense_is_refused(nonsense: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_since(nonsense, NOW_S, PARIS)


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(parse_since(text, NOW_S, PARIS), float)
    parse_line(text)


def test_an_event_is_said_in_both_languages() -> None:
    at = "2026-02-25T12:00:00.250000+00:00"
    record = parse_line(
        json.dumps({"t_s": 1.0, "at": at, "node": "n1", "event": "vip-released", "vip": "web", "address": "10.0.0.1"})
    )
    assert record is not None
    assert sentence(record, "en") == "VIP web: 10.0.0.1 taken away here"
    assert sentence(record, "fr") == "VIP web : 10.0.0.1 retirée d'ici"
    assert time_of(record, PARIS) == "2026-02-25 13:00:00.250"


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)))
def test_any_fields_of_a_known_event_give_a_sentence(fields: dict[str, object]) -> None:
    record = parse_line(json.dumps({**fields, "event": "vip-added"}))
    assert record is not None
    assert sentence(record, "fr")


def test_an_unknown_event_and_an_old_line_stay_readable() -> None:
    record = parse_line('{"event": "moon-landed", "who": ["n1", "n2"], "well": true}')
    assert record is not None
    assert sentence(record, "fr") == "moon-landed who=n1, n2 well=oui"
    assert time_of(record, PARIS).strip() == ""


def test_messages_in_fields_are_said_in_the_language() -> None:
    why = {"key": "control.unknown", "values": {"command": "dance"}}
    record = parse_line(json.dumps({"event": "activation-failed", "vip": "web", "error": why}))
    assert record is not None
    assert "ne connaît pas" in sentence(record, "fr")
    assert record.bad
