"""Every configuration that the edge was given, by its hash; one of them may be held: put back, and kept there."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, defer

from .errors import NotThere
from .tables import ConfigVersionRow, EditionRow

KEPT = 200


def noted(session: Session, digest: str, document: Mapping[str, Any], at: datetime) -> ConfigVersionRow:
    """The version with that hash, made if it is new."""
    row = session.scalars(select(ConfigVersionRow).where(ConfigVersionRow.digest == digest)).one_or_none()
    if row is None:
        row = ConfigVersionRow(digest=digest, document=dict(document), created_at=at)
        session.add(row)
        session.flush()
        _forget_oldest(session)
    return row


def applied(session: Session, digest: str, at: datetime) -> None:
    """The edge took it."""
    session.execute(
        update(ConfigVersionRow).where(ConfigVersionRow.digest == digest).values(applied_at=at, refused=None)
    )


def refused(session: Session, digest: str, why: str) -> None:
    """The edge did not take it."""
    session.execute(update(ConfigVersionRow).where(ConfigVersionRow.digest == digest).values(refused=why))


def held(session: Session) -> ConfigVersionRow | None:
    """The version that was put back, if one was."""
    return session.scalars(
        select(ConfigVersionRow).join(EditionRow, EditionRow.held_version_id == ConfigVersionRow.id)
    ).one_or_none()


def hold(session: Session, id_: int) -> ConfigVersionRow:
    """Put a version back: it stays until it is released, whatever the inventory says. Raises NotThere."""
    row = session.get(ConfigVersionRow, id_)
    if row is None:
        raise NotThere(f"there is no version {id_} of the configuration")
    session.execute(update(EditionRow).values(held_version_id=id_))
    return row


def release(session: Session) -> None:
    """Follow the inventory again."""
    session.execute(update(EditionRow).values(held_version_id=None))


def newest(session: Session, limit: int, before: int | None) -> list[ConfigVersionRow]:
    """The newest first; those before an id. A document is read when it is asked for: it may be large."""
    query = (
        select(ConfigVersionRow)
        .options(defer(ConfigVersionRow.document))
        .order_by(ConfigVersionRow.id.desc())
        .limit(limit)
    )
    return list(session.scalars(query if before is None else query.where(ConfigVersionRow.id < before)))


def _forget_oldest(session: Session) -> None:
    kept = select(ConfigVersionRow.id).order_by(ConfigVersionRow.id.desc()).limit(KEPT)
    held_id = select(EditionRow.held_version_id).where(EditionRow.held_version_id.is_not(None))
    session.execute(
        delete(ConfigVersionRow).where(ConfigVersionRow.id.not_in(kept), ConfigVersionRow.id.not_in(held_id))
    )
