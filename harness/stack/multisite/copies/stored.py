"""How new this machine's copy is. All functions work within a session of ``Database``."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..inventory.tables import CopyRow
from .core import Mark, Standing, Term


def standing(session: Session) -> Standing:
    """As it is."""
    row = session.scalars(select(CopyRow)).one()
    return Standing(Term(row.promised, row.promised_to), Mark(Term(row.term, row.leader), row.number))


def standing_to_change(session: Session) -> Standing:
    """As it is, and nobody else changes it until the transaction is over: one that reads first may not write later."""
    session.execute(update(CopyRow).values(number=CopyRow.number))
    return standing(session)


def promise(session: Session, term: Term) -> None:
    """Nothing of a lower term is taken any more."""
    session.execute(update(CopyRow).values(promised=term.count, promised_to=term.leader))


def marked(session: Session, mark: Mark) -> None:
    """The copy is this one, which promises its term as well."""
    promise(session, mark.term)
    session.execute(update(CopyRow).values(term=mark.term.count, leader=mark.term.leader, number=mark.number))
