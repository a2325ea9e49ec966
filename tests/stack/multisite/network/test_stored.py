"""Spokes in real databases of both kinds."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from harness.stack.multisite.inventory.database import Database
from harness.stack.multisite.inventory.entries import SiteEntry
from harness.stack.multisite.inventory.errors import Conflict, NotThere
from harness.stack.multisite.inventory.reports import TunnelReport
from harness.stack.multisite.inventory.stored import add
from harness.stack.multisite.inventory.tables import SiteRow
from harness.stack.multisite.network import stored
from harness.stack.multisite.network.core import NETWORK, Spoke

KEYS = [chr(ord("a") + number) * 42 + "A=" for number in range(6)]
NOW, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
HERE, THERE = "192.0.2.1:51820", "192.0.2.2:51820"


def report(key: str, *, site: str = "dijon", next_key: str = "", generation: int = 1) -> TunnelReport:
    return TunnelReport(site=site, public_key=key, next_public_key=next_key, generation=generation)


def registered(
    database: Database, machine: str, said: TunnelReport, endpoint: str = "", now: datetime = NOW
) -> tuple[Spoke, datetime]:
    assert not known(database, machine, said, endpoint)
    with database.changing() as session:
        stored.registered(session, machine, said, endpoint, network=NETWORK, now=now)
    assert known(database, machine, said, endpoint)
    with database.reading() as session:
        row = stored.named(session, machine)
        return stored.spoke(row), row.since


def known(database: Database, machine: str, said: TunnelReport, endpoint: str) -> bool:
    with database.reading() as session:
        return stored.is_as_reported(session, machine, said, endpoint)


def test_who_registers_has_an_address_of_his_site_which_comes_with_him(database: Database) -> None:
    assert registered(database, "d1", report(KEYS[0]), HERE) == (
        Spoke("d1", "dijon", "10.200.1.1", KEYS[0], "", HERE),
        NOW,
    )
    assert registered(database, "d2", report(KEYS[1]))[0].address == "10.200.1.2"
    assert registered(database, "l1", report(KEYS[2], site="lyon"))[0].address == "10.200.2.1"
    with database.reading() as session:
        assert {row.name for row in session.scalars(select(SiteRow))} == {"dijon", "lyon"}


def test_a_subnet_that_a_person_chose_is_taken_also_later(database: Database) -> None:
    with database.changing() as session:
        add(session, SiteEntry(name="dijon", wg_subnet="10.200.7.0/24"))
    assert registered(database, "d1", report(KEYS[0]))[0].address == "10.200.7.1"
    with database.changing() as session:
        site = session.scalars(select(SiteRow)).one()
        site.wg_subnet = "10.200.9.0/24"
    assert registered(database, "d1", report(KEYS[0]))[0].address == "10.200.9.1"


def test_a_key_has_an_age_which_begins_anew_with_the_next_one(database: Database) -> None:
    registered(database, "d1", report(KEYS[0]), HERE)
    spoke, since = registered(database, "d1", report(KEYS[0], next_key=KEYS[1]), THERE, LATER)
    assert (spoke.next_key, spoke.endpoint, since) == (KEYS[1], THERE, NOW)
    spoke, since = registered(database, "d1", report(KEYS[1], generation=2), "", LATER)
    assert (spoke.key, spoke.next_key, spoke.endpoint, since) == (KEYS[1], "", THERE, LATER)


@pytest.mark.parametrize("taken", [report(KEYS[0]), report(KEYS[1]), report(KEYS[2], next_key=KEYS[1])])
def test_a_key_is_of_one_machine(database: Database, taken: TunnelReport) -> None:
    registered(database, "d1", report(KEYS[0], next_key=KEYS[1]))
    with pytest.raises(Conflict, match="machine d2 has the key of machine d1"), database.changing() as session:
        stored.registered(session, "d2", taken, "", network=NETWORK, now=NOW)


def test_where_there_is_no_room_it_is_a_conflict(database: Database) -> None:
    with database.changing() as session:
        add(session, SiteEntry(name="dijon", wg_subnet="10.9.0.0/24"))
    with pytest.raises(Conflict, match="is no part of"), database.changing() as session:
        stored.registered(session, "d1", report(KEYS[0]), "", network=NETWORK, now=NOW)
    with pytest.raises(NotThere), database.reading() as session:
        stored.named(session, "d1")
