"""Visitors of the API and the front, for their failover test: they write notes, see them on a page, and compare.

A NAME is PLACE,API_HOST,FRONT_HOST, where PLACE is HOST:PORT. Usage:

visits.py ask PLACE HOST PATH                    whether it answers with 200; says what it answers
visits.py write FOLDER SECRETS NAME              for ever: write a note, see it on the page, note that
visits.py compare FOLDER NAME API_PLACE...       whether each API has all that was noted
"""

import contextlib
import http.client
import json
import socket
import sys
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from .notes import acknowledged_in, longest_pause_s

ANSWERS_WITHIN_S = 5.0
EVERY_S = 0.1
_FAILURES = (OSError, http.client.HTTPException)


def asked(place: str, host: str, path: str, method: str = "GET") -> tuple[int, str]:
    """Status and body, over a connection of its own. Raises OSError, HTTPException."""
    where, _, port = place.rpartition(":")
    connection = http.client.HTTPConnection(where.strip("[]"), int(port), timeout=ANSWERS_WITHIN_S)
    try:
        connection.request(method, path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def write(folder: Path, name: str) -> None:
    """Each number once: whether one that failed is there nobody knows, and nobody says."""
    place, api, front = name.split(",")
    # Of this test alone: on a board of before, a note that is not written would be there already.
    board = f"failover-{socket.gethostname()}-{time.time_ns()}"
    (folder / "board").write_text(board, encoding="ascii")
    with (folder / name).open("a", encoding="ascii", buffering=1) as file:
        for number in count(1):
            time.sleep(EVERY_S)
            with contextlib.suppress(*_FAILURES):
                if asked(place, api, f"/notes/{board}/{number}", "PUT")[0] != 200:
                    continue
                status, page = asked(place, front, f"/{board}")
                if status == 200 and f"<li>{number}</li>" in page:
                    file.write(f"{number} {time.monotonic()}\n")


def compare(folder: Path, name: str, apis: Sequence[str]) -> None:
    """Raises SystemExit unless every API has all; says what visitors saw."""
    noted = acknowledged_in((folder / name).read_text(encoding="ascii"))
    board = (folder / "board").read_text(encoding="ascii")
    for api in apis:
        status, body = asked(api, api, f"/notes/{board}")
        if status != 200:
            raise SystemExit(f"{api} answers {status}: {body.strip()}")
        if missing := set(map(str, noted)) - set(json.loads(body)["notes"]):
            raise SystemExit(f"{api} has {len(missing)} of {len(noted)} notes not that a page had")
    pause_s = longest_pause_s([*noted.values()])
    sys.stdout.write(f"{len(noted)} notes were on pages, none lost, longest pause {pause_s:.1f} s\n")


def main(words: Sequence[str]) -> int:
    """The exit code."""
    match words:
        case ["ask", place, host, path]:
            try:
                status, body = asked(place, host, path)
            except _FAILURES as error:
                status, body = 0, f"{place}: {str(error) or type(error).__name__}"
            sys.stdout.write(f"{status} {body.strip()}\n")
            return 0 if status == 200 else 1
        case ["write", folder, _, name]:
            write(Path(folder), name)
        case ["compare", folder, name, *apis] if apis:
            compare(Path(folder), name, apis)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
