"""Secrets are made once, read back as they were written, and told to nobody."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.dataservices.credentials.core import (
    ALPHABET,
    GALERA,
    LENGTH,
    POSTGRESQL,
    RABBITMQ,
    REDIS,
    CredentialsWrong,
    completed,
    parse,
    text_of,
)
from tests.stack.dataservices.servers import small


def test_what_is_missing_is_drawn_and_what_is_there_stays() -> None:
    known = {"REDIS_PASSWORD": "a" * 20, "OF_SOMEBODY_ELSE": "b" * 20}
    values = completed(known, REDIS, random.Random(1).randrange)
    assert known.items() <= values.items()
    assert len(values["SENTINEL_PASSWORD"]) == LENGTH
    assert completed(values, REDIS, random.Random(2).randrange) == values


def test_every_letter_can_be_drawn() -> None:
    values = completed({}, POSTGRESQL, random.Random(3).randrange)
    assert len(set(values.values())) == len(POSTGRESQL.variables)
    many = "".join(completed({}, GALERA, random.Random(seed).randrange)["MARIADB_APP_PASSWORD"] for seed in range(50))
    assert set(many) == set(ALPHABET)


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True), st.text(ALPHABET, min_size=16)))
def test_a_file_reads_as_it_was_written(values: dict[str, str]) -> None:
    assert parse(text_of(values), "x.env") == values


@pytest.mark.parametrize(
    "line", ["REDIS_PASSWORD=short", "REDIS_PASSWORD='quoted0123456789'", "redis=0123456789abcdef", "0123456789abcdef"]
)
def test_what_makes_no_sense_is_refused_by_its_line_and_not_shown(line: str) -> None:
    with pytest.raises(CredentialsWrong, match=r"^redis.env:2: ") as caught:
        parse(f"A={'a' * 16}\n{line}\n", "redis.env")
    assert line.partition("=")[2] not in str(caught.value) or not line.partition("=")[2]


def test_a_variable_that_is_there_twice_is_refused() -> None:
    with pytest.raises(CredentialsWrong, match="twice"):
        parse(f"A={'a' * 16}\nA={'b' * 16}\n", "x.env")


def test_the_file_is_for_the_installer_and_the_servers_concerned() -> None:
    inventory = small()
    everybody = [one.name for one in inventory.servers]
    assert [one.name for one in REDIS.holders(inventory)] == everybody
    assert [one.name for one in GALERA.holders(inventory)] == ["install-01"]
    assert [one.name for one in RABBITMQ.holders(inventory)] == ["install-01", "lb-01", "lb-02"]
