"""The tables. A change here needs a revision in ``migrations/versions``; a test compares the two."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, String, Text, TypeDecorator, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class UtcTime(TypeDecorator[datetime]):
    """A moment. SQLite forgets the zone: what comes out is said to be UTC, which it was when it went in."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Of all tables."""


class SiteRow(Base):
    """``version`` counts the changes of a row: two people who change the same one do not overwrite each other."""

    __tablename__ = "sites"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    wg_endpoint: Mapped[str | None] = mapped_column(String(300))
    wg_subnet: Mapped[str | None] = mapped_column(String(64), unique=True)
    priority: Mapped[int]
    weight: Mapped[int]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 # read once by SQLAlchemy


class ServiceRow(Base):
    """``proven`` is the ``deploy`` that was well everywhere last, ``refused`` the revision of one that was not."""

    __tablename__ = "services"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    deploy: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    proven: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    refused: Mapped[str | None] = mapped_column(String(16))
    version: Mapped[int] = mapped_column()
    domains: Mapped[list["DomainRow"]] = relationship(
        order_by="DomainRow.position", cascade="all, delete-orphan", passive_deletes=True, lazy="selectin"
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class DomainRow(Base):
    """A domain belongs to one service: the database itself refuses a second owner."""

    __tablename__ = "domains"
    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]


class BackendRow(Base):
    """``is_healthy`` to ``detail`` are what was seen last, all null before anything was; ``machine`` is who reported
    it, null for what a person entered."""

    __tablename__ = "backends"
    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"))
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"), index=True)
    host: Mapped[str] = mapped_column(String(253))
    port: Mapped[int]
    health: Mapped[str] = mapped_column(Text)
    weight: Mapped[int | None]
    priority: Mapped[int | None]
    tags: Mapped[list[str]] = mapped_column(JSON)
    draining: Mapped[bool]
    version: Mapped[int] = mapped_column()
    is_healthy: Mapped[bool | None]
    last_checked: Mapped[datetime | None] = mapped_column(UtcTime)
    latency_ms: Mapped[float | None]
    detail: Mapped[str | None] = mapped_column(Text)
    machine: Mapped[str | None] = mapped_column(String(63))
    service: Mapped[ServiceRow] = relationship(lazy="joined")
    site: Mapped[SiteRow] = relationship(lazy="joined")
    __table_args__ = (UniqueConstraint("service_id", "host", "port"),)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class MachineRow(Base):
    """A machine of a site, as its agent says."""

    __tablename__ = "machines"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(String(253))
    cpu_millis: Mapped[int]
    memory_mb: Mapped[int]
    site: Mapped[SiteRow] = relationship(lazy="joined")


class ReplicaRow(Base):
    """A container of a service on a machine, there or to come. Names, not rows, are what it belongs to: it is to be
    stopped also when its service is no more. ``ready``: it has answered well once. Numbers are never used again."""

    __tablename__ = "replicas"
    id: Mapped[int] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(String(63))
    machine: Mapped[str] = mapped_column(String(63))
    slot: Mapped[int]
    port: Mapped[int]
    revision: Mapped[str] = mapped_column(String(16))
    deploy: Mapped[dict[str, Any]] = mapped_column(JSON)
    phase: Mapped[str] = mapped_column(String(8))
    ready: Mapped[bool]
    __table_args__ = (UniqueConstraint("machine", "port"), {"sqlite_autoincrement": True})


class SpokeRow(Base):
    """The tunnel of a machine, as its agent says, with the address that it was given; keys are the public ones.
    ``generation`` counts its keys, ``wanted`` is the one that it is to have; ``since``: when the present one came."""

    __tablename__ = "spokes"
    id: Mapped[int] = mapped_column(primary_key=True)
    machine: Mapped[str] = mapped_column(String(63), unique=True)
    site: Mapped[str] = mapped_column(String(63))
    address: Mapped[str] = mapped_column(String(64), unique=True)
    endpoint: Mapped[str] = mapped_column(String(300))
    public_key: Mapped[str] = mapped_column(String(64), unique=True)
    next_public_key: Mapped[str] = mapped_column(String(64))
    generation: Mapped[int]
    wanted: Mapped[int]
    since: Mapped[datetime] = mapped_column(UtcTime)


class HubRow(Base):
    """An edge where tunnels meet, by its address in them, as it says itself; keys are the public ones."""

    __tablename__ = "hubs"
    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    endpoint: Mapped[str] = mapped_column(String(300))
    public_key: Mapped[str] = mapped_column(String(64))
    next_public_key: Mapped[str] = mapped_column(String(64))


class HealthEventRow(Base):
    __tablename__ = "health_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    backend_id: Mapped[int] = mapped_column(ForeignKey("backends.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(16))
    latency_ms: Mapped[float | None]
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    detail: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (Index("ix_health_events_backend_id_id", "backend_id", "id"),)


class TokenRow(Base):
    """Only the digest of a token is kept."""

    __tablename__ = "api_tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class ConfigVersionRow(Base):
    """One configuration of the edge; ``refused`` is what the edge said to one that it did not take."""

    __tablename__ = "config_versions"
    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    applied_at: Mapped[datetime | None] = mapped_column(UtcTime)
    refused: Mapped[str | None] = mapped_column(Text)


class EditionRow(Base):
    """One row: how often the inventory was changed, and the version of the configuration that is held, if any."""

    __tablename__ = "editions"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    held_version_id: Mapped[int | None] = mapped_column(ForeignKey("config_versions.id"))


class CopyRow(Base):
    """One row: how new this machine's copy of the inventory is, and the term below which it takes nothing any more.

    It is there also where there is one machine only: nobody looks at it then.
    """

    __tablename__ = "copies"
    id: Mapped[int] = mapped_column(primary_key=True)
    promised: Mapped[int]
    promised_to: Mapped[str] = mapped_column(String(63))
    term: Mapped[int]
    leader: Mapped[str] = mapped_column(String(63))
    number: Mapped[int]
