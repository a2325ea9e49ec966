#!/usr/bin/env python3
"""Points HAProxy at the Redis master that the Sentinels name: the one program that stands on its own on a balancer.

It follows all Sentinels at once, by their messages: one that is cut off from the others goes on to answer, and is told
of nothing. At every connect it asks all of them: a message that was missed is made up for, and a Sentinel that names a
master of before is outvoted. Needs nothing but Python.

Usage: sentinel_watcher.py SETTINGS.json
"""

import json
import select
import socket
import sys
import threading
import time
from collections import Counter
from contextlib import closing

ANSWERS_WITHIN_S = 1.0
"""A Sentinel that takes longer is as good as gone; the next one is asked."""
PAUSE_S = 0.2


class Refused(Exception):
    """The other side answered with an error, or with something that is no answer."""


class Sentinel:
    """A connection to one of them. OSError and Refused end it."""

    def __init__(self, place: str, password: str) -> None:
        host, _, port = place.rpartition(":")
        self._socket = socket.create_connection((host.strip("[]"), int(port)), ANSWERS_WITHIN_S)
        self._socket.settimeout(ANSWERS_WITHIN_S)
        self._have = b""
        try:
            self.ask("AUTH", password)
        except BaseException:
            self._socket.close()
            raise

    def ask(self, *words: str) -> object:
        """Send a command; its answer."""
        self.send(*words)
        return self.read()

    def send(self, *words: str) -> None:
        """Send a command (RESP, an array of bulk strings)."""
        parts = [f"*{len(words)}\r\n".encode()]
        parts += [b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words]
        self._socket.sendall(b"".join(parts))

    def read(self) -> object:
        """The next answer, or message."""
        while b"\r\n" not in self._have:
            self._receive()
        line, _, self._have = self._have.partition(b"\r\n")
        kind, text = line[:1], line[1:].decode()
        if kind == b"-":
            raise Refused(text)
        if kind in b"$*" and int(text) < 0:
            return None
        if kind == b"$":
            size_bytes = int(text)
            while len(self._have) < size_bytes + 2:
                self._receive()
            content, self._have = self._have[:size_bytes], self._have[size_bytes + 2 :]
            return content.decode()
        if kind == b"*":
            return [self.read() for _ in range(int(text))]
        return text

    def _receive(self) -> None:
        more = self._socket.recv(4096)
        if not more:
            raise Refused("the connection ended")
        self._have += more

    def says_something(self) -> bool:
        """Whether it sends anything while it would have time to answer."""
        return bool(self._have or select.select([self._socket], [], [], ANSWERS_WITHIN_S)[0])

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def named_by_most(answers: "list[tuple[str, str] | None]") -> "tuple[str, str] | None":
    """The address that more than half of all Sentinels name, the silent ones counted among all."""
    ranked = Counter(answer for answer in answers if answer is not None).most_common(1)
    if ranked and ranked[0][1] * 2 > len(answers):
        return ranked[0][0]
    return None


def switched_to(message: object, master: str) -> "tuple[str, str] | None":
    """The new address of our master, if that is what a message says: NAME OLD-ADDRESS OLD-PORT ADDRESS PORT."""
    if not isinstance(message, list) or message[:2] != ["message", "+switch-master"]:
        return None
    words = str(message[2]).split()
    return (words[3], words[4]) if len(words) == 5 and words[0] == master else None


def master_of(sentinel: Sentinel, master: str) -> "tuple[str, str] | None":
    """Whom this Sentinel names."""
    answer = sentinel.ask("SENTINEL", "get-master-addr-by-name", master)
    return (str(answer[0]), str(answer[1])) if isinstance(answer, list) and len(answer) == 2 else None


class Balancer:
    """HAProxy, by its socket. Raises OSError and Refused."""

    def __init__(self, path: str, server: str) -> None:
        self._path, self._server = path, server

    def point_at(self, address: "tuple[str, str]") -> None:
        """Send clients there; those of the master of before are cut off, since it may be deaf and not dead."""
        said = self._command(f"set server {self._server} addr {address[0]} port {address[1]}")
        if "no need to change" in said:
            return
        if "changed" not in said:
            raise Refused(f"haproxy: {said}")
        self._command(f"shutdown sessions server {self._server}")
        say(f"points at {address[0]}:{address[1]}")

    def _command(self, line: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWERS_WITHIN_S)
            connection.connect(self._path)
            connection.sendall(line.encode() + b"\n")
            with connection.makefile("r") as stream:
                return stream.read().strip()


def ask_all(settings: "dict[str, object]") -> "tuple[str, str] | None":
    """Whom most of the Sentinels name."""
    answers: list[tuple[str, str] | None] = []
    for place in places_of(settings):
        try:
            with closing(Sentinel(place, str(settings["password"]))) as sentinel:
                answers.append(master_of(sentinel, str(settings["master"])))
        except (OSError, Refused, ValueError) as error:
            say(f"{place}: {error}")
            answers.append(None)
    return named_by_most(answers)


def places_of(settings: "dict[str, object]") -> "list[str]":
    """HOST:PORT of each Sentinel."""
    places = settings["sentinels"]
    return [str(place) for place in places] if isinstance(places, list) else []


class Pointed:
    """What the balancer points at, whichever Sentinel it was heard from. Raises OSError and Refused, as that does."""

    def __init__(self, balancer: Balancer) -> None:
        self._balancer, self._lock = balancer, threading.Lock()
        self._named: tuple[str, str] | None = None

    def at(self, address: "tuple[str, str]") -> None:
        """From now on this one."""
        with self._lock:
            self._named = address
        self.again()

    def again(self) -> None:
        """A HAProxy that was started anew points at the first server."""
        with self._lock:
            if self._named is not None:
                self._balancer.point_at(self._named)


def follow(sentinel: Sentinel, settings: "dict[str, object]", pointed: Pointed) -> None:
    """Act on what this Sentinel tells, until it does not answer any more."""
    sentinel.ask("SUBSCRIBE", "+switch-master")
    named = ask_all(settings)  # after subscribing: what changes in between is told
    if named is not None:
        pointed.at(named)
    while True:
        pointed.again()
        if not sentinel.says_something():
            sentinel.send("PING")
            if not sentinel.says_something():
                raise Refused("does not answer")
        address = switched_to(sentinel.read(), str(settings["master"]))
        if address is not None:
            pointed.at(address)


def follow_for_ever(place: str, settings: "dict[str, object]", pointed: Pointed) -> None:
    """Connect again whenever it ends; what is wrong is said once."""
    said = ""
    while True:
        try:
            with closing(Sentinel(place, str(settings["password"]))) as sentinel:
                said = ""
                follow(sentinel, settings, pointed)
        except (OSError, Refused, ValueError) as error:
            if said != (said := f"{place}: {error}"):
                say(said)
        time.sleep(PAUSE_S)


def main() -> int:
    """Never returns but for wrong usage."""
    if len(sys.argv) != 2:
        say("usage: sentinel_watcher.py SETTINGS.json")
        return 2
    with open(sys.argv[1], encoding="utf-8") as file:
        settings = json.load(file)
    pointed = Pointed(Balancer(settings["haproxy"], settings["server"]))
    followers = [
        threading.Thread(target=follow_for_ever, args=(place, settings, pointed)) for place in places_of(settings)
    ]
    for one in followers:
        one.start()
    for one in followers:
        one.join()
    return 0


def say(line: str) -> None:
    """A line of its log."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
