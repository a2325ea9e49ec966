"""Three machines keep an inventory together: what was said to be kept is not lost, whatever happens."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from harness.stack.multisite.copies.copies import NotLeading, is_here
from harness.stack.multisite.copies.core import Term
from harness.stack.multisite.copies.messages import Claim
from harness.stack.multisite.inventory import stored as inventory
from harness.stack.multisite.inventory import tokens
from harness.stack.multisite.inventory.declared import Declared
from harness.stack.multisite.inventory.errors import DatabaseError
from harness.stack.multisite.inventory.seen import Seen, record
from harness.stack.multisite.inventory.tables import BackendRow, HealthEventRow, SiteRow
from tests.stack.multisite.copies.machines import NOWHERE, Machine, machines

STEPS = 40
DECLARED = Declared.model_validate(
    {
        "sites": [{"name": "dijon"}],
        "services": [{"name": "api", "domains": ["api.test"]}],
        "backends": [{"service": "api", "site": "dijon", "host": "10.0.0.1", "port": 80}],
    }
)


def test_only_who_leads_takes_changes_and_all_get_them(tmp_path: Path) -> None:
    with machines(tmp_path) as (e1, e2, w):
        assert not e1.adds("too-early")
        assert e1.lead()
        assert e1.adds("dijon")
        token = e1.makes_token("owner")
        e1.give()
        assert e1.sites == e2.sites == w.sites == {"dijon"}
        with pytest.raises(NotLeading, match="e2 takes no changes: e1 leads"), e2.database.changing():
            pass
        with e2.database.reading() as session:
            assert tokens.bearer_of(session, token) == ("owner", tokens.Role.admin)
        assert e2.changes, "its edge is told"


def test_whoever_leads_next_has_all_and_whoever_comes_back_gets_it(tmp_path: Path) -> None:
    away: set[str] = set()
    with machines(tmp_path, lambda one, other: not {one, other} & away) as (e1, e2, w):
        assert e1.lead()
        away.add("e2")
        assert e1.adds("dijon"), "two of three keep it"
        away.clear()
        away.add("e1")
        assert e2.lead(), "the witness has it"
        assert e2.sites == {"dijon"}
        assert e2.adds("lyon")
        # Whoever led and heard of nothing is told that it is not done; what it wanted is gone once it hears.
        assert e1.copies.leads()
        assert not e1.adds("lost")
        away.clear()
        e2.give()
        assert not e1.copies.leads()
        assert e1.sites == e2.sites == w.sites == {"dijon", "lyon"}


def test_what_was_undone_is_taken_back_from_whom_it_reached(tmp_path: Path) -> None:
    deaf: set[tuple[str, str]] = set()
    with machines(tmp_path, lambda *way: way not in deaf) as (e1, e2, w):
        assert e1.lead()
        deaf |= {("e2", "e1"), ("e1", "w"), ("w", "e1")}
        assert not e1.adds("undone"), "nobody's answer came"
        assert (e1.sites, e2.sites, w.sites) == (set(), {"undone"}, set())
        deaf.clear()
        e1.give()
        assert (e1.sites, e2.sites, w.sites) == (set(), set(), set())


def test_who_has_promised_himself_to_another_one_keeps_nothing_for_the_one_before(tmp_path: Path) -> None:
    """Else a change could count that the next leader, who has asked already, does not know."""
    with machines(tmp_path) as (e1, e2, w):
        assert e1.lead()
        claim = Claim(term=Term(9, "e2"))
        assert w.copies.claimed(claim).agreed
        assert not w.copies.claimed(claim).agreed, "once"
        assert e1.adds("dijon"), "the other one keeps it"
        assert e2.copies.claimed(claim).agreed
        assert not e1.adds("lyon")
        assert w.sites == set()


def test_nobody_leads_without_a_majority(tmp_path: Path) -> None:
    with machines(tmp_path, lambda _one, _other: False) as (e1, _e2, _w):
        assert not e1.lead()
        assert not e1.adds("dijon")


@pytest.mark.parametrize("seed", range(3))
def test_no_change_that_was_kept_is_ever_lost(tmp_path: Path, seed: int) -> None:
    """Messages are lost, anybody leads at any time, and processes die when others have a change and they do not yet."""
    chance = random.Random(seed)
    well = [1.0]
    with machines(tmp_path, lambda _one, _other: chance.random() < well[0]) as all_:
        kept: set[str] = set()
        for one in all_:
            one.database.before_commit = dying(one, chance)
        for step in range(STEPS):
            well[0] = chance.choice([1.0, 0.8, 0.5])
            leading = [one for one in all_ if one.copies.leads()]
            if not leading or chance.random() < 0.15:
                chance.choice(all_).lead()
            elif chance.random() < 0.15:
                with suppress(DatabaseError):
                    chance.choice(leading).give()
            elif chance.choice(leading).adds(f"s{step}"):
                kept.add(f"s{step}")
        for one in all_:
            one.database.before_commit = one.copies.carry
        well[0] = 1.0
        last = chance.choice(all_)
        while not last.lead():
            pass
        last.give()
        assert kept, "some changes came through"
        assert kept <= last.sites
        assert all(one.sites == last.sites for one in all_)


def test_a_copy_keeps_what_it_has_seen_itself_and_numbers_that_were_used(tmp_path: Path) -> None:
    with machines(tmp_path) as (e1, e2, _w):
        assert e1.lead()
        with e1.database.changing() as session:
            inventory.make(session, DECLARED)
            session.execute(text("UPDATE sqlite_sequence SET seq = 7 WHERE name = 'replicas'"))
        e1.give()
        look = Seen("api", "10.0.0.1:80", healthy=True, at=datetime.now(UTC), latency_ms=1.0, detail=None, event=True)
        with e2.database.writing() as session:
            record(session, [look])
        assert e1.adds("thory")
        e1.give()
        with e2.database.reading() as session:
            assert [one.is_healthy for one in session.query(BackendRow)] == [True]
            assert session.query(HealthEventRow).count() == 1
            assert session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = 'replicas'")) == 7


def test_names_that_change_places_are_copied(tmp_path: Path) -> None:
    with machines(tmp_path) as (e1, e2, _w):
        assert e1.lead()
        assert e1.adds("dijon")
        assert e1.adds("lyon")
        with e1.database.changing() as session:
            for before, after in (("dijon", "x"), ("lyon", "dijon"), ("x", "lyon")):
                session.execute(update(SiteRow).where(SiteRow.name == before).values(name=after))
        e1.give()
        with e2.database.reading() as session:
            assert list(session.scalars(select(SiteRow.name).order_by(SiteRow.id))) == ["lyon", "dijon"]


def test_certificates_of_the_leader_come_to_the_other_edge_alone(tmp_path: Path) -> None:
    with machines(tmp_path, tls="internal") as (e1, e2, w):
        assert not e2.copies.may_configure()
        assert e1.lead()
        assert e1.copies.may_configure(), "its authority is its own to make"
        folder = e1.folder / "caddy/pki/authorities/local"
        folder.mkdir(parents=True)
        for name in ("root.crt", "root.key", "intermediate.crt", "intermediate.key"):
            (folder / name).write_text(name)
        (e1.folder / "caddy/locks").mkdir()
        (e1.folder / "caddy/locks/one.lock").write_text("")
        e1.give()
        key = e2.folder / "caddy/pki/authorities/local/root.key"
        assert key.read_text() == "root.key"
        assert key.stat().st_mode & 0o777 == 0o600
        assert e2.copies.may_configure()
        assert not (e2.folder / "caddy/locks").exists()
        assert not (w.folder / "caddy").exists()


def dying(machine: Machine, chance: random.Random) -> Callable[[Session], None]:
    def carry(session: Session) -> None:
        machine.copies.carry(session)
        if chance.random() < 0.15:
            raise DatabaseError("it died here")

    return carry


def test_an_address_is_here_or_not() -> None:
    assert is_here("127.0.0.1")
    assert not is_here(NOWHERE)
