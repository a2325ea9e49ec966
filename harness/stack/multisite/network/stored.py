"""Spokes in the database. All functions work within a session of ``Database``."""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..inventory.entries import SiteEntry
from ..inventory.errors import Conflict, NotThere
from ..inventory.reports import HubSaid, TunnelReport
from ..inventory.stored import add
from ..inventory.tables import HubRow, SiteRow, SpokeRow
from .core import Given, NoRoom, Spoke, address_for, is_in


def every(session: Session) -> Sequence[SpokeRow]:
    """All of them, by machine."""
    return session.scalars(select(SpokeRow).order_by(SpokeRow.machine)).all()


def hubs(session: Session) -> list[HubSaid]:
    """All hubs, in the order of their addresses, which is that of the edges."""
    rows = sorted(session.scalars(select(HubRow)), key=lambda row: IPv4Address(row.address))
    return [
        HubSaid(address=row.address, key=row.public_key, next_key=row.next_public_key, endpoint=row.endpoint)
        for row in rows
    ]


def hub_is(session: Session, said: HubSaid) -> None:
    """Make a hub what it says of itself."""
    session.merge(
        HubRow(address=said.address, endpoint=said.endpoint, public_key=said.key, next_public_key=said.next_key)
    )


def spoke(row: SpokeRow) -> Spoke:
    """As the core sees it."""
    return Spoke(row.machine, row.site, row.address, row.public_key, row.next_public_key, row.endpoint)


def named(session: Session, machine: str) -> SpokeRow:
    """The spoke of a machine. Raises NotThere."""
    row = session.scalars(select(SpokeRow).where(SpokeRow.machine == machine)).one_or_none()
    if row is None:
        raise NotThere(f"machine {machine} has no tunnel")
    return row


def registered(
    session: Session, machine: str, report: TunnelReport, endpoint: str, *, network: str, now: datetime
) -> SpokeRow:
    """Make the spoke what its agent says, and its site if nobody declared it. Raises Conflict."""
    rows = {row.machine: row for row in every(session)}
    _own_keys(machine, report, [row for name, row in rows.items() if name != machine])
    if session.scalars(select(SiteRow).where(SiteRow.name == report.site)).one_or_none() is None:
        add(session, SiteEntry(name=report.site))
    declared = {one.name: one.wg_subnet for one in session.scalars(select(SiteRow)) if one.wg_subnet}
    try:
        address = address_for(
            machine, report.site, declared, {name: Given(row.site, row.address) for name, row in rows.items()}, network
        )
    except NoRoom as error:
        raise Conflict(str(error)) from error
    row = rows.get(machine)
    if row is None:
        row = SpokeRow(machine=machine, generation=report.generation, wanted=report.generation, since=now)
        session.add(row)
    elif row.public_key != report.public_key:
        row.since = now
    row.site, row.address, row.endpoint = report.site, address, endpoint or row.endpoint or ""
    row.public_key, row.next_public_key = report.public_key, report.next_public_key
    row.generation, row.wanted = report.generation, max(row.wanted, report.generation)
    session.flush()
    return row


def is_as_reported(session: Session, machine: str, report: TunnelReport, endpoint: str) -> bool:
    """Whether there is nothing to write."""
    row = session.scalars(select(SpokeRow).where(SpokeRow.machine == machine)).one_or_none()
    site = session.scalars(select(SiteRow).where(SiteRow.name == report.site)).one_or_none()
    return (
        row is not None
        and site is not None
        and (site.wg_subnet is None or is_in(row.address, site.wg_subnet))
        and (row.site, row.public_key, row.next_public_key, row.generation)
        == (report.site, report.public_key, report.next_public_key, report.generation)
        and endpoint in ("", row.endpoint)
    )


def _own_keys(machine: str, report: TunnelReport, others: Sequence[SpokeRow]) -> None:
    for key in (report.public_key, report.next_public_key):
        for row in others:
            if key and key in (row.public_key, row.next_public_key):
                raise Conflict(f"machine {machine} has the key of machine {row.machine}: a key is of one machine only")
