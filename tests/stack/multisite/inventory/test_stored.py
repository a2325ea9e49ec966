"""The inventory in a real database, of each kind."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.stack.multisite.inventory import seen, stored, tokens, versions
from harness.stack.multisite.inventory.database import Database
from harness.stack.multisite.inventory.declared import Declared, name_of
from harness.stack.multisite.inventory.entries import BackendEntry, ServiceEntry, SiteEntry
from harness.stack.multisite.inventory.errors import Conflict, NotThere, Stale
from harness.stack.multisite.inventory.seen import Seen
from harness.stack.multisite.inventory.tables import BackendRow, HealthEventRow, ServiceRow, SiteRow
from tests.stack.multisite.inventories import inventories

SMALL = Declared.model_validate(
    {
        "sites": [{"name": "dijon", "priority": 1}, {"name": "lyon"}],
        "services": [{"name": "api", "domains": ["a.test", "b.test"]}],
        "backends": [
            {"service": "api", "site": "dijon", "host": "10.0.0.1", "port": 80},
            {"service": "api", "site": "lyon", "host": "10.0.0.2", "port": 80},
        ],
    }
)
MOMENT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def ordered(declared: Declared) -> dict[str, list[str]]:
    return {
        kind: sorted(one.model_dump_json() for one in getattr(declared, kind))
        for kind in ("sites", "services", "backends")
    }


def test_what_is_made_is_what_is_there(database: Database) -> None:
    with database.changing() as session:
        stored.make(session, SMALL)
    with database.reading() as session:
        assert ordered(stored.whole(session)) == ordered(SMALL)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8, deadline=None)
@given(st.lists(inventories(most_services=3), min_size=1, max_size=3))
def test_any_inventory_leads_to_any_other(database: Database, path: list[Declared]) -> None:
    for wanted in path:
        with database.changing() as session:
            stored.make(session, wanted)
        with database.reading() as session:
            assert ordered(stored.whole(session)) == ordered(wanted)


def test_domains_may_change_their_owners_in_one_go(database: Database) -> None:
    first = {"services": [{"name": "a", "domains": ["x.test"]}, {"name": "b", "domains": ["y.test"]}]}
    second = {"services": [{"name": "a", "domains": ["y.test"]}, {"name": "b", "domains": ["x.test"]}]}
    for document in (first, second):
        with database.changing() as session:
            stored.make(session, Declared.model_validate(document))
    with database.reading() as session:
        assert ordered(stored.whole(session)) == ordered(Declared.model_validate(second))


def test_a_taken_name_domain_or_address_is_a_conflict_that_names_it(database: Database) -> None:
    with database.changing() as session:
        stored.make(session, SMALL)
    for entry, why in (
        (SiteEntry(name="dijon"), "site dijon"),
        (ServiceEntry(name="web", domains=["b.test"]), "belongs to service api"),
        (SMALL.backends[0], "api@10.0.0.1:80"),
    ):
        with pytest.raises(Conflict, match=why), database.changing() as session:
            stored.add(session, entry)
    with pytest.raises(NotThere, match="site nowhere"), database.changing() as session:
        stored.add(session, BackendEntry(service="api", site="nowhere", host="h", port=1))


def test_a_site_takes_its_backends_with_it(database: Database) -> None:
    with database.changing() as session:
        stored.make(session, SMALL)
        session.delete(stored.named(session, SiteRow, "dijon"))
    with database.reading() as session:
        assert [name_of(one) for one in stored.whole(session).backends] == ["api@10.0.0.2:80"]
    with database.changing() as session:
        session.delete(stored.named(session, ServiceRow, "api"))
    with database.reading() as session:
        assert stored.whole(session).backends == []


def test_a_failed_change_leaves_nothing(database: Database) -> None:
    before = database.edition()

    def add_and_fail() -> None:
        with database.changing() as session:
            stored.add(session, SiteEntry(name="dijon"))
            stored.named(session, SiteRow, "lyon")

    with pytest.raises(NotThere):
        add_and_fail()
    with database.reading() as session:
        assert stored.whole(session).sites == []
    assert database.edition() == before


def test_two_who_change_the_same_do_not_overwrite_each_other(database: Database) -> None:
    with database.changing() as session:
        row = stored.add(session, SiteEntry(name="dijon"))
        version = row.version
    with database.changing() as session:
        row = stored.named(session, SiteRow, "dijon")
        stored.set_(session, row, SiteEntry(name="dijon", weight=5))
    with pytest.raises(Stale, match="version 2"), database.changing() as session:
        stored.unchanged_since(stored.named(session, SiteRow, "dijon"), version)


def test_what_was_seen_is_kept_and_is_no_change_of_the_entry(database: Database) -> None:
    with database.changing() as session:
        stored.make(session, SMALL)
    with database.reading() as session:
        row = session.query(BackendRow).filter_by(host="10.0.0.1").one()
        assert (row.is_healthy, row.last_checked, row.version) == (None, None, 1)
        id_ = row.id
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=5)))
    looks = [
        Seen("api", "10.0.0.1:80", True, MOMENT - timedelta(days=9), 1.5, None, True),
        Seen("api", "10.0.0.1:80", False, elsewhere, None, "no answer", True),
        Seen("api", "10.9.9.9:80", True, MOMENT, 1.0, None, True),
    ]
    with database.writing() as session:
        seen.record(session, looks)
    with database.reading() as session:
        row = stored.backend(session, id_)
        assert (row.is_healthy, row.last_checked, row.detail, row.version) == (False, MOMENT, "no answer", 1)
        history = seen.history(session, id_, 10, None)
        assert seen.newest(session, 10) == {id_: list(reversed(history))}
        assert seen.newest(session, 1) == {id_: list(history[:1])}
        assert [(one.status, one.latency_ms) for one in history] == [("down", None), ("up", 1.5)]
    with database.writing() as session:
        assert seen.forget_before(session, MOMENT - timedelta(days=7)) == 1
        assert session.query(HealthEventRow).count() == 1


def test_another_address_was_not_seen_yet(database: Database) -> None:
    with database.changing() as session:
        stored.make(session, SMALL)
    with database.writing() as session:
        seen.record(session, [Seen("api", "10.0.0.1:80", True, MOMENT, 1.0, None, False)])
    with database.changing() as session:
        row = session.query(BackendRow).filter_by(host="10.0.0.1").one()
        stored.set_(session, row, SMALL.backends[0].model_copy(update={"port": 81}))
        assert (row.is_healthy, row.last_checked) == (None, None)


def test_a_token_is_known_by_its_digest_alone(database: Database) -> None:
    with database.writing() as session:
        row, token = tokens.create(session, "me", tokens.Role.operate, MOMENT)
        assert token not in (row.digest, row.name)
    with database.writing() as session:
        assert tokens.role_of(session, token) is tokens.Role.operate
        assert tokens.role_of(session, token + "x") is None
        with pytest.raises(Conflict):
            tokens.create(session, "me", tokens.Role.read, MOMENT)
        tokens.remove(session, "me")
        assert tokens.role_of(session, token) is None
        with pytest.raises(NotThere):
            tokens.remove(session, "me")


def test_versions_are_kept_by_hash_and_one_can_be_held(database: Database) -> None:
    with database.changing() as session:
        first = versions.noted(session, "a" * 64, {"a": 1}, MOMENT).id
        assert versions.noted(session, "a" * 64, {"a": 1}, MOMENT).id == first
        versions.noted(session, "b" * 64, {"b": 1}, MOMENT)
        versions.applied(session, "a" * 64, MOMENT)
        versions.refused(session, "b" * 64, "no")
    with database.changing() as session:
        versions.hold(session, first)
    with database.changing() as session:
        for number in range(versions.KEPT + 5):
            versions.noted(session, f"{number:064}", {}, MOMENT)
    with database.changing() as session:
        held = versions.held(session)
        assert held is not None
        assert (held.id, held.document, held.applied_at) == (first, {"a": 1}, MOMENT)
        assert len(versions.newest(session, 1000, None)) == versions.KEPT + 1
        versions.release(session)
        assert versions.held(session) is None
        with pytest.raises(NotThere):
            versions.hold(session, 10**6)
