"""Opening, migrating, and saying what is wrong."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from harness.stack.multisite.inventory.database import Database, open_database
from harness.stack.multisite.inventory.errors import DatabaseError
from harness.stack.multisite.inventory.tables import Base


def test_the_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_it_can_be_opened_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/inventory.db"
    first = open_database(url)
    with first.changing():
        pass
    first.close()
    assert open_database(url).edition() == (1, None)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "is no URL such as"),
        ("mysql://a/b", "mysql is not supported"),
        ("sqlite:////proc/nowhere/x.db", "database: "),
        ("postgresql://nobody@/x?host=/nowhere", "database: "),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_line(url: str, why: str) -> None:
    with pytest.raises(DatabaseError, match=why) as error:
        open_database(url)
    assert "\n" not in str(error.value)
