"""The API: notes on boards, in PostgreSQL; and how often each board was read, in Redis, where there is one.

PUT /notes/BOARD/NOTE    200 once it is committed; again: nothing changes, so it may always be tried again
GET /notes/BOARD         its notes, and how often they were read (null: nobody knows)
GET /healthz             200: it is alive, whatever else is not
GET /readyz              200 where notes can be written and read now, else 503; and how each dependency is

Usage: api.py SETTINGS.json
"""

import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from . import redis
from .places import Places
from .postgres import Connection, Refused, Row
from .web import Answer, readiness, serve, settings_of, told

WITHIN_S = 1.0
"""Of each connection and each answer: a balancer asks how it is twice a second."""
TABLE = "keyservices_notes"
CREATE = f"""create table if not exists {TABLE}
 (board varchar(99), note varchar(99), at timestamptz not null default now(), primary key (board, note))"""
_PUT = f"insert into {TABLE} (board, note) values ($1, $2) on conflict do nothing"
_GET = f"select note from {TABLE} where board = $1 order by at, note"
_WRITABLE = f"select not pg_is_in_recovery() and has_table_privilege('{TABLE}', 'insert')"
_LONGEST = 99


class Api:
    """What it is made of, asked anew each time: an answer of before is worth nothing once somebody has died."""

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self._name, self._settings = name, settings
        self._postgresql, self._redis = Places(settings["postgresql"]), Places(settings["redis"])

    def answer(self, method: str, parts: Sequence[str]) -> Answer:
        """See App."""
        match method, parts:
            case "GET", ["healthz"]:
                return told(200, by=self._name)
            case "GET", ["readyz"]:
                return readiness(self._name, {"postgresql": self._why_no_notes()}, self._useful())
            case "PUT", ["notes", board, note] if len(board) <= _LONGEST and len(note) <= _LONGEST:
                return self._put(board, note)
            case "GET", ["notes", board]:
                return self._get(board)
        return told(404, why="there is PUT /notes/BOARD/NOTE and GET /notes/BOARD, each at most 99 characters")

    def _put(self, board: str, note: str) -> Answer:
        try:
            self._asked(_PUT, board, note)
        except Refused as error:
            return told(503, why=f"not done: {error}")
        except OSError as error:
            return told(504, why=f"may be done or not: {error}")
        return told(200, by=self._name, note=note)

    def _get(self, board: str) -> Answer:
        try:
            rows = self._asked(_GET, board)
        except (Refused, OSError) as error:
            return told(503, why=str(error))
        return told(200, by=self._name, notes=[note for (note,) in rows], reads=self._counted(board))

    def _asked(self, statement: str, *values: str) -> list[Row]:
        """A connection each: the pool is on the balancers."""
        connection = self._postgresql.first_of(self._connected, (OSError, Refused))
        try:
            return connection.asked(statement, *values)
        finally:
            connection.close()

    def _connected(self, host: str, port: int) -> Connection:
        one = self._settings
        return Connection(
            host, port, user=one["user"], database=one["database"], password=one["password"], within_s=WITHIN_S
        )

    def _why_no_notes(self) -> str:
        try:
            return "" if self._asked(_WRITABLE) == [("t",)] else "notes cannot be written there"
        except (Refused, OSError) as error:
            return str(error)

    def _useful(self) -> dict[str, str]:
        if not self._settings["redis"]:
            return {}
        try:
            self._told_redis("PING")
        except OSError as error:
            return {"redis": str(error)}
        return {"redis": ""}

    def _counted(self, board: str) -> int | None:
        try:
            return int(self._told_redis("INCR", f"keyservices:reads:{board}")) if self._settings["redis"] else None
        except (OSError, ValueError):
            return None

    def _told_redis(self, *words: str) -> str:
        password = self._settings["redis_password"]
        return self._redis.first_of(
            lambda host, port: redis.said(host, port, password, *words, within_s=WITHIN_S / 2), (OSError, redis.Refused)
        )


def main(words: Sequence[str]) -> int:
    """Answers until it is told to stop."""
    settings, name = settings_of(words, __doc__ or ""), socket.gethostname()
    return serve(Api(name, settings).answer, name, settings["address"], int(settings["port"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
