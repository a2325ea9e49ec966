"""A client of Redis on a balancer, for its failover test: it writes, notes what a replica has too, and compares.

With python3-redis of the distribution. A PLACE is HOST,PORT. Usage:

keys.py write FOLDER SECRETS KEY                write for ever through this balancer, each number once
keys.py compare FOLDER SECRETS KEY PLACE...     whether each server holds all that was acknowledged
"""

import contextlib
import importlib
import sys
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from .notes import acknowledged_in, longest_pause_s, secret_in

GIVEN_UP_AFTER_S = 2.0
EVERY_S = 0.02
SETTLES_WITHIN_S = 10.0
THROUGH = "127.0.0.1,6379"


class Client:
    """Of one place. What it raises is one of ``failures``; the next call connects again."""

    def __init__(self, place: str, secrets: str) -> None:
        redis = importlib.import_module("redis")
        host, _, port = place.rpartition(",")
        self.failures: tuple[type[Exception], ...] = (redis.RedisError, OSError)
        self._redis: Any = redis.Redis(
            host=host,
            port=int(port),
            password=secret_in(Path(secrets).read_text(encoding="ascii"), "REDIS_PASSWORD"),
            socket_timeout=GIVEN_UP_AFTER_S,
            socket_connect_timeout=GIVEN_UP_AFTER_S,
        )

    def put(self, key: str, number: int) -> bool:
        """Whether it was written, and a replica has it."""
        # On one connection: WAIT counts who has what was written by its own.
        pipe = self._redis.pipeline(transaction=False)
        pipe.hset(key, str(number), "")
        pipe.wait(1, int(GIVEN_UP_AFTER_S * 1000 / 2))
        return int(pipe.execute()[1]) >= 1

    def held(self, key: str) -> set[int]:
        """The numbers that are there."""
        return {int(number) for number in self._redis.hkeys(key)}


def write(client: Client, notes: Path, key: str, numbers: Sequence[int] | None = None) -> None:
    """Write for ever, each number once: whether one that failed is there nobody knows, and nobody says."""
    with notes.open("a", encoding="ascii", buffering=1) as file:
        for number in count(1) if numbers is None else numbers:
            time.sleep(EVERY_S)
            with contextlib.suppress(*client.failures):
                if client.put(key, number):
                    file.write(f"{number} {time.monotonic()}\n")


def compare(folder: Path, secrets: str, key: str, places: Sequence[str]) -> str:
    """What the client saw. Raises SystemExit unless every server holds all of it."""
    noted = acknowledged_in((folder / key).read_text(encoding="ascii"))
    for place in places:
        if missing := _missing(Client(place, secrets), key, {*noted}):
            raise SystemExit(f"{place} has {missing} of {len(noted)} acknowledged writes not")
    return f"{len(noted)} writes acknowledged, none lost, longest pause {longest_pause_s([*noted.values()]):.1f} s"


def _missing(client: Client, key: str, wanted: set[int]) -> int:
    """How many of these it has not, once it has all, or does not get them."""
    deadline_s = time.monotonic() + SETTLES_WITHIN_S
    while True:
        with contextlib.suppress(*client.failures):
            if not (missing := len(wanted - client.held(key))) or time.monotonic() > deadline_s:
                return missing
        if time.monotonic() > deadline_s:
            return len(wanted)
        time.sleep(0.1)


def main(words: Sequence[str]) -> int:
    """The exit code."""
    match words:
        case ["write", folder, secrets, key]:
            write(Client(THROUGH, secrets), Path(folder, key), key)
        case ["compare", folder, secrets, key, *places] if places:
            sys.stdout.write(f"{compare(Path(folder), secrets, key, places)}\n")
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
