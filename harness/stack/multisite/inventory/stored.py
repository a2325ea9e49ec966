"""Sites, services and backends in the database. All functions work within a session of ``Database``."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session, defaultload
from sqlalchemy.orm.attributes import flag_modified

from .declared import Change, Declared, changes, name_of
from .entries import BackendEntry, DeployEntry, ServiceEntry, SiteEntry
from .errors import Conflict, NotThere, Stale
from .tables import BackendRow, DomainRow, ServiceRow, SiteRow

Row = SiteRow | ServiceRow | BackendRow
_NAMED_ONLY = defaultload(BackendRow.service).lazyload(ServiceRow.domains)
"""Of a backend's service its name is wanted, not its domains, which would be one more question to the database."""
AnyRow = TypeVar("AnyRow", SiteRow, ServiceRow, BackendRow)


def page(session: Session, kind: type[AnyRow], limit: int, after: int, *where: Any) -> tuple[Sequence[AnyRow], int]:
    """Rows in the order of their ids, those after ``after``, ``limit`` at most; and how many there are in all."""
    query = select(kind).where(kind.id > after, *where).order_by(kind.id).limit(limit)
    if kind is BackendRow:
        query = query.options(_NAMED_ONLY)
    total = session.scalars(select(func.count()).select_from(kind).where(*where)).one()
    return session.scalars(query).unique().all(), total


def backends_of(service: str | None, site: str | None) -> list[Any]:
    """What picks the backends of a service, of a site, of both; of None: all."""
    picked: list[Any] = [] if service is None else [BackendRow.service.has(ServiceRow.name == service)]
    return picked if site is None else [*picked, BackendRow.site.has(SiteRow.name == site)]


def named(session: Session, kind: type[SiteRow] | type[ServiceRow], name: str) -> Any:
    """The site or service of that name. Raises NotThere."""
    row = session.scalars(select(kind).where(kind.name == name)).one_or_none()
    if row is None:
        raise NotThere(f"there is no {'site' if kind is SiteRow else 'service'} {name}")
    return row


def backend(session: Session, id_: int) -> BackendRow:
    """The backend with that id. Raises NotThere."""
    row = session.get(BackendRow, id_, options=(_NAMED_ONLY,))
    if row is None:
        raise NotThere(f"there is no backend {id_}")
    return row


def entry_of(row: Row) -> SiteEntry | ServiceEntry | BackendEntry:
    """What was entered."""
    if isinstance(row, SiteRow):
        return SiteEntry.model_construct(**{name: getattr(row, name) for name in SiteEntry.model_fields})
    if isinstance(row, ServiceRow):
        return ServiceEntry.model_construct(
            name=row.name,
            domains=[one.domain for one in row.domains],
            headers=dict(row.headers),
            deploy=None if row.deploy is None else DeployEntry.model_validate(row.deploy),
        )
    own = {name: getattr(row, name) for name in BackendEntry.model_fields if name not in ("service", "site")}
    return BackendEntry.model_construct(**own, service=row.service.name, site=row.site.name)


def add(session: Session, entry: SiteEntry | ServiceEntry | BackendEntry) -> Row:
    """A new row. Raises Conflict where its name, domain or address is taken, NotThere for one it names."""
    row: Row
    if isinstance(entry, SiteEntry):
        row = SiteRow()
    elif isinstance(entry, ServiceEntry):
        row = ServiceRow()
    else:
        row = BackendRow()
    set_(session, row, entry)
    session.add(row)
    session.flush()
    return row


def set_(session: Session, row: Row, entry: SiteEntry | ServiceEntry | BackendEntry) -> None:
    """Make the row what the entry says. Raises as ``add`` does."""
    match row, entry:
        case SiteRow(), SiteEntry():
            _free(session, SiteRow, SiteRow.name == entry.name, row, f"there is a site {entry.name} already")
            if entry.wg_subnet is not None:
                taken = f"another site has the subnet {entry.wg_subnet} already"
                _free(session, SiteRow, SiteRow.wg_subnet == entry.wg_subnet, row, taken)
            _assign(row, entry.model_dump())
        case ServiceRow(), ServiceEntry():
            _free(session, ServiceRow, ServiceRow.name == entry.name, row, f"there is a service {entry.name} already")
            _set_domains(session, row, entry.domains)
            for site in entry.deploy.sites if entry.deploy else ():
                named(session, SiteRow, site)
            deploy = None if entry.deploy is None else entry.deploy.model_dump()
            _assign(row, {"name": entry.name, "headers": dict(entry.headers), "deploy": deploy})
        case BackendRow(), BackendEntry():
            service, site = named(session, ServiceRow, entry.service), named(session, SiteRow, entry.site)
            same = (
                (BackendRow.service_id == service.id)
                & (BackendRow.host == entry.host)
                & (BackendRow.port == entry.port)
            )
            _free(session, BackendRow, same, row, f"there is a backend {name_of(entry)} already")
            if inspect(row).persistent and (row.host, row.port, row.health) != (entry.host, entry.port, entry.health):
                row.is_healthy = row.last_checked = row.latency_ms = row.detail = None  # seen of another address
            _assign(row, entry.model_dump() | {"service": service, "site": site})
        case _:
            raise TypeError(f"{type(row).__name__} does not hold a {type(entry).__name__}")
    session.flush()


def unchanged_since(row: Row, version: int | None) -> None:
    """Raises Stale if the row is no longer of that version; None asks nothing."""
    if version is not None and row.version != version:
        raise Stale(f"it is version {row.version} now, not {version}; read it again")


def whole(session: Session, *, reported: bool = False) -> Declared:
    """All that was entered, and what machines reported as well if that is asked for. It was checked then."""
    sites = [entry_of(row) for row in session.scalars(select(SiteRow))]
    services = [entry_of(row) for row in session.scalars(select(ServiceRow))]
    entered = select(BackendRow) if reported else select(BackendRow).where(BackendRow.machine.is_(None))
    backends = [entry_of(row) for row in session.scalars(entered).unique()]
    return Declared.model_construct(
        sites=sorted(sites, key=name_of), services=sorted(services, key=name_of), backends=sorted(backends, key=name_of)
    )


def make(session: Session, wanted: Declared) -> list[Change]:
    """Bring all to what is wanted, and tell what that took."""
    done = changes(whole(session), wanted)
    entries: Mapping[tuple[str, str], Any] = {
        (kind, name_of(one)): one
        for kind, many in (("site", wanted.sites), ("service", wanted.services), ("backend", wanted.backends))
        for one in many
    }
    rows = {(kind, name): row for kind, name, row in _rows(session)}
    # Domains may move from one service to another: all that are given up are free before any is taken.
    _give_up_domains(session, wanted, rows)
    for change in done:
        key = (change.kind, change.name)
        if change.what == "remove":
            session.delete(rows[key])
            session.flush()
        elif change.what == "add":
            add(session, entries[key])
        else:
            set_(session, rows[key], entries[key])
    return done


def _rows(session: Session) -> list[tuple[str, str, Row]]:
    found: list[tuple[str, str, Row]] = [("site", row.name, row) for row in session.scalars(select(SiteRow))]
    found += [("service", row.name, row) for row in session.scalars(select(ServiceRow))]
    found += [("backend", name_of(entry_of(row)), row) for row in session.scalars(select(BackendRow)).unique()]
    return found


def _give_up_domains(session: Session, wanted: Declared, rows: Mapping[tuple[str, str], Row]) -> None:
    for service in wanted.services:
        row = rows.get(("service", service.name))
        if isinstance(row, ServiceRow):
            row.domains[:] = [one for one in row.domains if one.domain in service.domains]
    session.flush()


def _assign(row: Row, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def _set_domains(session: Session, row: ServiceRow, domains: Sequence[str]) -> None:
    there = {one.domain: one for one in row.domains}
    for domain in domains:
        owner = None if domain in there else session.get(DomainRow, domain)
        if owner is not None:
            other = session.get(ServiceRow, owner.service_id)
            raise Conflict(f"domain {domain} belongs to service {other.name if other else '?'}")
    if list(there) != list(domains):
        row.domains[:] = [there.get(domain) or DomainRow(domain=domain) for domain in domains]
        for position, one in enumerate(row.domains):
            one.position = position
        if inspect(row).persistent:
            # Domains are rows of their own: else their change would be none of the service, and its version the same.
            flag_modified(row, "headers")


def _free(session: Session, kind: type[Any], where: Any, row: Row, taken: str) -> None:
    with session.no_autoflush:
        other = session.scalars(select(kind).where(where)).unique().first()
    if other is not None and other is not row:
        raise Conflict(taken)
