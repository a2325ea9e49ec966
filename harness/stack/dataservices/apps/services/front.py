"""The front: a page of the notes on a board, which it asks the API for.

GET /            the page of the board "welcome"; GET /BOARD that of another one; 503 and a page where no API has any
GET /healthz     200: it is alive, whatever else is not
GET /readyz      200 where some API answers, else 503; and whether that can do its work

Usage: front.py SETTINGS.json
"""

import html
import http.client
import json
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from .places import Places
from .web import Answer, readiness, serve, settings_of, told

WITHIN_S = 2.5
"""As long as an API may need for each of its own questions, and a little."""
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{board}</title>
<h1>{board}</h1>
{notes}
<p>{how}</p>
</html>
"""
_FAILURES = (OSError, http.client.HTTPException, ValueError)


class Front:
    """Asks the APIs of all servers, its own first."""

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self._name, self._apis = name, Places(settings["apis"])

    def answer(self, method: str, parts: Sequence[str]) -> Answer:
        """See App."""
        match method, parts:
            case "GET", ["healthz"]:
                return told(200, by=self._name)
            case "GET", ["readyz"]:
                return self._ready()
            case "GET", [] | [_]:
                return self._page(parts[0] if parts else "welcome")
        return told(404, why="there is a page for each board, at /BOARD")

    def _page(self, board: str) -> Answer:
        try:
            said = self._apis.first_of(
                lambda host, port: _well(host, port, f"/notes/{quote(board, safe='')}"), _FAILURES
            )
        except OSError as error:
            return Answer(503, _filled(board, "", f"Its notes cannot be read now. ({error})"), "text/html")
        notes = "".join(f"<li>{html.escape(str(note))}</li>\n" for note in said["notes"])
        reads = "" if said["reads"] is None else f", read {said['reads']} times"
        how = f"{len(said['notes'])} notes{reads}; asked by {self._name} of {said['by']}."
        return Answer(200, _filled(board, f"<ul>\n{notes}</ul>", how), "text/html")

    def _ready(self) -> Answer:
        try:
            status, said = self._apis.first_of(lambda host, port: _asked(host, port, "/readyz"), _FAILURES)
        except OSError as error:
            return readiness(self._name, {"api": str(error)}, {})
        # An API that says no can still be told to people: better by this page than by none.
        return readiness(self._name, {"api": ""}, {"notes": "" if status == 200 else f"the API says {said}"})


def _filled(board: str, notes: str, how: str) -> str:
    return _PAGE.format(board=html.escape(board), notes=notes, how=html.escape(how))


def _asked(host: str, port: int, path: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(host, port, timeout=WITHIN_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, dict(json.load(answer))
    finally:
        connection.close()


def _well(host: str, port: int, path: str) -> dict[str, Any]:
    status, said = _asked(host, port, path)
    if status != 200:
        raise ConnectionError(str(said.get("why", status)))
    return said


def main(words: Sequence[str]) -> int:
    """Answers until it is told to stop."""
    settings, name = settings_of(words, __doc__ or ""), socket.gethostname()
    return serve(Front(name, settings).answer, name, settings["address"], int(settings["port"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
