"""Where peers are reached: names are looked up here, with a deadline, and what was found is remembered on the disk.

WireGuard is never given a name. wg(8) would look it up itself, for seconds where names are away, and fail as a whole.
"""

import errno
import json
import os
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from time import monotonic

from ...kit.durable import write_durably
from .core import TunnelPeer
from .host_port import joined, split_endpoint

BOOK_PATH = Path("/var/lib/sfha/endpoints.json")
LOOK_UP_WITHIN_S = 2.0

Lookup = Callable[[str, int], str]


def is_address(endpoint: str) -> bool:
    """Whether the endpoint's host is an address rather than a name."""
    try:
        ip_address(split_endpoint(endpoint)[0])
    except ValueError:
        return False
    return True


def look_up(host: str, port: int) -> str:
    """The first address of a name, as an endpoint. May take as long as the resolver likes. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    return joined(str(found[0][4][0]), port)


def why_unknown(error: OSError | ValueError) -> str:
    """Why a name has no address, in the resolver's words."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


class EndpointBook:
    """What names meant when they were last looked up, and the endpoints that a person gave here. For any thread."""

    def __init__(self, path: Path = BOOK_PATH, lookup: Lookup = look_up) -> None:
        self._path, self._lookup = path, lookup
        self._changing = threading.Condition()
        self._looking: set[str] = set()
        self._answered: dict[str, int] = {}
        self._failed: dict[str, str] = {}
        self._found: dict[str, str] = {}
        self._given: dict[str, str] = {}
        with suppress(OSError, ValueError):
            kept = json.loads(path.read_text())
            if isinstance(kept, dict):
                self._found, self._given = _texts(kept.get("found")), _texts(kept.get("given"))

    # --- names ---

    def known(self, endpoint: str) -> str:
        """The endpoint as an address, without looking anything up; the empty string where none is known."""
        if not endpoint or is_address(endpoint):
            return endpoint
        with self._changing:
            return self._found.get(endpoint, "")

    def why_not(self, endpoint: str) -> str:
        """Why the newest look-up of a name found nothing; that it takes too long, as long as none has ended."""
        with self._changing:
            return self._failed.get(endpoint, os.strerror(errno.ETIMEDOUT))

    def refresh(self, endpoints: Iterable[str], within_s: float = LOOK_UP_WITHIN_S) -> None:
        """Look the names among them up anew, all at once; returns when all have answered, or the time is over.

        A lookup that takes longer goes on by itself, and its answer counts when it comes.
        """
        names = {one for one in endpoints if one and not is_address(one)}
        if not names:
            return
        with self._changing:
            before = {name: self._answered.get(name, 0) for name in names}
            for name in names - self._looking:
                self._looking.add(name)
                # No pool: its threads are waited for at the end, and one that hangs would keep the daemon alive.
                threading.Thread(target=self._look_up, args=(name,), name=f"look up {name}", daemon=True).start()
            end_s = monotonic() + within_s
            while any(self._answered.get(name, 0) == number for name, number in before.items()):
                if not self._changing.wait(end_s - monotonic()):
                    break

    def _look_up(self, endpoint: str) -> None:
        found = why_not = ""
        try:
            found = self._lookup(*split_endpoint(endpoint))
        except (OSError, ValueError) as error:
            why_not = why_unknown(error)
        with self._changing:
            self._failed[endpoint] = why_not
            news = bool(found) and self._found.get(endpoint) != found
            if news:
                self._found[endpoint] = found
            self._looking.discard(endpoint)
            self._answered[endpoint] = self._answered.get(endpoint, 0) + 1
            self._changing.notify_all()
            if news:
                self._save()

    # --- by hand ---

    def given(self) -> dict[str, str]:
        """The endpoints that a person gave on this node and that are not in the roster yet, by node."""
        with self._changing:
            return dict(self._given)

    def give(self, node: str, endpoint: str) -> None:
        """Reach a node there from now on. Raises OSError where it cannot be remembered."""
        with self._changing:
            self._given[node] = endpoint
            self._write()

    def settle(self, announced: Mapping[str, str]) -> None:
        """Forget what was given where the roster says the same by now, or knows no such node."""
        with self._changing:
            left = {name: one for name, one in self._given.items() if announced.get(name, one) != one}
            if left != self._given:
                self._given = left
                self._save()

    def _save(self) -> None:
        with suppress(OSError):  # found again by the next lookup; what must not be lost is written by ``give``
            self._write()

    def _write(self) -> None:
        write_durably(self._path, json.dumps({"found": self._found, "given": self._given}, indent=1) + "\n")


def with_addresses(peers: Iterable[TunnelPeer], book: EndpointBook) -> list[TunnelPeer]:
    """The peers with addresses for names; a peer of which none is known gets no endpoint, and costs nobody else."""
    return [replace(peer, endpoint=book.known(peer.endpoint)) for peer in peers]


def _texts(value: object) -> dict[str, str]:
    return {str(key): one for key, one in value.items() if isinstance(one, str)} if isinstance(value, dict) else {}
