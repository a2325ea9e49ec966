"""What is copied of the inventory, as JSON: all that people and machines have said, under the same numbers.

Not what this machine alone has seen: health, its history, and which configurations its own edge took.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, delete, insert, select, text, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..inventory import versions
from ..inventory.tables import (
    BackendRow,
    Base,
    DomainRow,
    EditionRow,
    HubRow,
    MachineRow,
    ReplicaRow,
    ServiceRow,
    SiteRow,
    SpokeRow,
    TokenRow,
    UtcTime,
)

Content = dict[str, Any]
KINDS: tuple[type[Base], ...] = (
    SiteRow,
    ServiceRow,
    DomainRow,
    BackendRow,
    MachineRow,
    ReplicaRow,
    SpokeRow,
    HubRow,
    TokenRow,
)
"""Whoever is named by others comes before them."""
SEEN_HERE = ("is_healthy", "last_checked", "latency_ms", "detail")
"""Columns of a backend."""


def content_of(session: Session) -> Content:
    """All of it. A session of SQLite, which knows the highest number that a replica ever had."""
    held = versions.held(session)
    return {
        "edition": session.scalars(select(EditionRow.number)).one(),
        "held": None if held is None else {"digest": held.digest, "document": held.document},
        "last_replica": session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = 'replicas'")) or 0,
        "tables": {table.name: _rows(session, table) for table in _tables()},
    }


def bring_in(session: Session, content: Content) -> None:
    """Make it all of it. What was seen here of backends that stay is kept."""
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = content["tables"]
    try:
        with session.begin_nested():
            for table in _tables():
                _bring_rows(session, table, tables.get(table.name, ()))
    except IntegrityError:
        # Two that changed their names with each other, for instance: row by row that cannot be done.
        for table in reversed(_tables()):
            session.execute(delete(table))
        for table in _tables():
            if rows := tables.get(table.name, ()):
                session.execute(insert(table), [_read(table, row) for row in rows])
    session.execute(text("DELETE FROM sqlite_sequence WHERE name = 'replicas'"))
    session.execute(
        text("INSERT INTO sqlite_sequence (name, seq) VALUES ('replicas', :seq)"), {"seq": content["last_replica"]}
    )
    held = content["held"]
    row = None if held is None else versions.noted(session, held["digest"], held["document"], datetime.now(UTC))
    session.execute(update(EditionRow).values(number=content["edition"], held_version_id=row.id if row else None))
    session.expire_all()


def _tables() -> list[Table]:
    return [kind.metadata.tables[kind.__tablename__] for kind in KINDS]


def _columns(table: Table) -> list[Any]:
    return [one for one in table.columns if table.name != BackendRow.__tablename__ or one.name not in SEEN_HERE]


def _rows(session: Session, table: Table) -> list[dict[str, Any]]:
    columns = _columns(table)
    found = session.execute(select(*columns).order_by(*table.primary_key.columns))
    return [{column.name: _plain(value) for column, value in zip(columns, row, strict=True)} for row in found]


def _bring_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    (key,) = table.primary_key.columns
    kept = {row[key.name] for row in rows}
    for gone in set(session.scalars(select(key))) - kept:
        session.execute(delete(table).where(key == gone))
    if rows:
        statement = upsert(table)
        changed = {one.name: statement.excluded[one.name] for one in _columns(table) if one is not key}
        session.execute(
            statement.on_conflict_do_update(index_elements=[key], set_=changed), [_read(table, row) for row in rows]
        )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _read(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        one.name: datetime.fromisoformat(row[one.name]) if isinstance(one.type, UtcTime) else row[one.name]
        for one in _columns(table)
    }
