"""Clients of an object store, for its failover test: they put objects, note what was acknowledged, and get them.

PLACES are HOST,PORT, separated by plus signs; who gets no answer by one goes on by the next. Usage:

objects.py PLACES through SECRETS               whether what is put by each place comes back by each, and only by name
objects.py PLACES write FOLDER SECRETS NAME     put for ever, each object once
objects.py PLACES compare FOLDER SECRETS NAME   whether each place gives all that was acknowledged
objects.py PLACES tidy FOLDER SECRETS NAME      delete what was put
"""

import hashlib
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import count, cycle
from pathlib import Path

from .notes import acknowledged_in, longest_pause_s
from .s3 import NOT_DONE, Client, Refused, clients_of, target_of

BUCKET = "keyservices"
EVERY_S = 0.1
_SIZES_BYTES = (0, 100, 4_000, 70_000)
"""Small ones, as most are, and what is longer than a packet; one is empty."""
_FORBIDDEN = 403


def content_of(key: str) -> bytes:
    """What is in the object of this key: another one's content would be seen."""
    seed = hashlib.sha256(key.encode()).digest()
    size_bytes = _SIZES_BYTES[seed[0] % len(_SIZES_BYTES)]
    return (seed * (size_bytes // len(seed) + 1))[:size_bytes]


def put(client: Client, key: str) -> None:
    """Raises one of NOT_DONE unless it is acknowledged."""
    client.asked("PUT", target_of(f"{BUCKET}/{key}"), content_of(key))


def write(clients: Sequence[Client], run: str, notes: Path) -> None:
    """Put for ever, each number once: whether one that failed is there nobody knows, and nobody says."""
    by = cycle(clients)
    client, made = next(by), False
    with notes.open("a", encoding="ascii", buffering=1) as file:
        for number in count(1):
            time.sleep(EVERY_S)
            try:
                if not made:
                    client.make(BUCKET)
                    made = True
                put(client, f"{run}/{number}")
                file.write(f"{number} {time.monotonic()}\n")
            except NOT_DONE:
                client = next(by)


def missing(client: Client, keys: Sequence[str]) -> Iterator[str]:
    """What a place does not give as it was put, and why."""
    for key in keys:
        try:
            if client.asked("GET", target_of(f"{BUCKET}/{key}")) != content_of(key):
                yield f"{key} has another content"
        except NOT_DONE as error:
            yield f"{key}: {error}"


def compare(clients: Sequence[Client], run: str, notes: Path) -> str:
    """What clients saw. Raises SystemExit unless each place gives all that was acknowledged."""
    noted = acknowledged_in(notes.read_text(encoding="ascii"))
    for client in clients:
        if lost := [*missing(client, [f"{run}/{number}" for number in noted])]:
            raise SystemExit(f"{client.place} gives {len(lost)} of {len(noted)} acknowledged objects not: {lost[0]}")
    pause_s = longest_pause_s([*noted.values()])
    return f"{len(noted)} objects acknowledged, none lost, longest pause {pause_s:.1f} s"


def through(clients: Sequence[Client]) -> None:
    """Raises SystemExit unless what is put by each place comes back by all, and nobody gets it who has no name."""
    for one in clients:
        key = f"through/{socket.gethostname()}-{time.time_ns()}"
        try:
            one.make(BUCKET)
            put(one, key)
            wrong = [f"by {other.place} {why}" for other in clients for why in missing(other, [key])]
            open_to_all = not refuses_strangers(one, key)
            one.asked("DELETE", target_of(f"{BUCKET}/{key}"))
        except NOT_DONE as error:
            raise SystemExit(f"{one.place}: {error}") from error
        if wrong:
            raise SystemExit(f"put by {one.place}, and {wrong[0]}")
        if open_to_all:
            raise SystemExit(f"{one.place} gives objects to whoever asks")


def refuses_strangers(client: Client, key: str) -> bool:
    """Whether it gives this object to nobody who has no name."""
    try:
        client.asked("GET", target_of(f"{BUCKET}/{key}"), by_name=False)
    except Refused as error:
        return error.status == _FORBIDDEN
    return False


def run_of(folder: Path) -> str:
    """What the keys of one run begin with: those of an earlier one would be taken for its own."""
    noted = folder / "run"
    if not noted.exists():
        noted.write_text(f"{socket.gethostname()}-{time.time_ns()}", encoding="ascii")
    return noted.read_text(encoding="ascii")


def main(words: Sequence[str]) -> int:
    """The exit code."""
    match words:
        case [places, "through", secrets]:
            through(clients_of(places, secrets))
        case [places, ("write" | "compare" | "tidy") as word, folder, secrets, name]:
            clients, run, notes = clients_of(places, secrets), run_of(Path(folder)), Path(folder, name)
            if word == "write":
                write(clients, run, notes)
            elif word == "compare":
                sys.stdout.write(f"{compare(clients, run, notes)}\n")
            else:
                for number in acknowledged_in(notes.read_text(encoding="ascii")):
                    clients[0].asked("DELETE", target_of(f"{BUCKET}/{run}/{number}"))
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
