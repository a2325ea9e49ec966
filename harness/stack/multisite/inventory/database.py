"""The database: SQLite in a file, or PostgreSQL by URL; brought to the newest tables when it is opened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import Error as SqliteError
from sqlite3 import connect as sqlite_connect
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from .errors import Conflict, DatabaseError, Stale
from .tables import Base, EditionRow

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
BUSY_S = 5.0
"""How long SQLite waits for another writer."""
THE_ROW = 1


class Database:
    """Sessions of one engine. Every method blocks: call it from a thread where a loop must not wait."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._watching = _watching(engine)
        self.before_commit: Callable[[Session], None] | None = None
        """Called when all of a change is there and nothing is kept yet; what it raises undoes the change."""

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that writes nothing. Raises DatabaseError where the database cannot be reached."""
        with _plainly(), Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction: all of it or nothing. Raises Conflict, Stale, DatabaseError."""
        with _plainly(), Session(self.engine) as session, session.begin():
            yield session

    @contextmanager
    def changing(self) -> Iterator[Session]:
        """A transaction that changes what others are to know: counted, so that they see that there is news, and copied
        to other machines where there are any."""
        with self.writing() as session:
            # First of all: so whoever changes the inventory waits here for whoever does so already.
            session.execute(update(EditionRow).values(number=EditionRow.number + 1))
            yield session
            if self.before_commit is not None:
                session.flush()
                self.before_commit(session)

    def edition(self) -> tuple[int, int | None]:
        """How often the inventory was changed, and the version of the configuration that is held."""
        with self.reading() as session:
            row = session.execute(select(EditionRow.number, EditionRow.held_version_id)).one()
            return row.number, row.held_version_id

    def generation(self) -> int | None:
        """Another number once anybody has committed anything; None where that is not known without asking a server.

        Does not wait: a file of SQLite says so by itself (its PRAGMA data_version), in a few microseconds.
        """
        if self._watching is None:
            return None
        try:
            return int(self._watching.execute("PRAGMA data_version").fetchone()[0])
        except SqliteError:
            return None

    def close(self) -> None:
        """Let go of all connections."""
        if self._watching is not None:
            self._watching.close()
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Connect, and bring the tables up to date. Raises DatabaseError in one line."""
    try:
        engine = _engine(url)
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes |= {"connection": connection, "metadata": Base.metadata}
            command.upgrade(config, "head")
    except ArgumentError as error:
        raise DatabaseError(f"database: {url!r} is no URL such as sqlite:////var/lib/multisite/inventory.db") from error
    except (SQLAlchemyError, OSError, ImportError) as error:
        raise DatabaseError(f"database: {_first_line(error)}") from error
    return Database(engine)


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        # A PostgreSQL that is gone must not hold up whoever asks: libpq, 34.1.2.
        limits = {"connect_timeout": 3, "tcp_user_timeout": 5000, "options": "-c statement_timeout=10000"}
        arguments: dict[str, Any] = limits
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"), connect_args=arguments, pool_pre_ping=True, pool_timeout=5
        )
    if parsed.get_backend_name() != "sqlite":
        raise DatabaseError(f"database: {parsed.get_backend_name()} is not supported; take sqlite or postgresql")
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _watching(engine: Engine) -> SqliteConnection | None:
    """A connection that changes nothing: of its own changes SQLite would not tell it."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    # Whoever asks waits for nobody, and the threads of the API may take turns.
    return sqlite_connect(engine.url.database, timeout=0, isolation_level=None, check_same_thread=False)


def _prepare_sqlite(connection: SqliteConnection, _record: object) -> None:
    # sqlite3 begins transactions on its own, and not for DDL; so SQLAlchemy's "begin" does it (its page on pysqlite).
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except StaleDataError as error:
        raise Stale("it was changed in the meantime; read it again") from error
    except IntegrityError as error:
        raise Conflict(_first_line(error)) from error
    except SQLAlchemyError as error:
        raise DatabaseError(f"database: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    origin = getattr(error, "orig", None) or error
    return (str(origin).strip() or type(origin).__name__).splitlines()[0]
