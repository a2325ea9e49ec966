#!/usr/bin/env python3
"""Has a server of the store that fell silent refuse, on this server: a program that stands on its own. As root.

Of a machine without power nobody hears that it is gone: SeaweedFS waits for it for a minute and more, of those that
read and of those that write. Refused, it is another replica's turn, and another leader's, at once. A server that was
refused by mistake costs time and nothing else: whoever sees no majority acknowledges nothing.

Silent is whose kernel does not answer: one that says that nothing listens there is alive. What refuses is a route in a
table of its own, which all packets look at but for our questions; so it is seen when a server is back.

Usage: objects_watcher.py SETTINGS.json
"""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

ASKED_EVERY_S, ANSWERS_WITHIN_S = 0.5, 0.5
SILENT_FOR = 3
"""Questions without an answer after which a server is refused: some 3 s."""
TABLE, MARK, PRIORITY = "900", 900, "100"


class Does(Enum):
    """What follows from an answer, or from none."""

    NOTHING = "nothing"
    REFUSE = "refuse"
    ALLOW = "allow"


@dataclass(frozen=True)
class Seen:
    """Of one server."""

    unanswered: int = 0
    refused: bool = False


def step(seen: Seen, *, answered: bool) -> "tuple[Seen, Does]":
    """What follows from one question."""
    if answered:
        return Seen(), Does.ALLOW if seen.refused else Does.NOTHING
    unanswered = seen.unanswered + 1
    if seen.refused or unanswered < SILENT_FOR:
        return Seen(unanswered, seen.refused), Does.NOTHING
    return Seen(unanswered, refused=True), Does.REFUSE


def answers(address: str, port: int) -> bool:
    """Whether its kernel answers, be it that nothing listens there."""
    with socket.socket() as asked:
        asked.settimeout(ANSWERS_WITHIN_S)
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
        try:
            asked.connect((address, port))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return True


def _called(*words: str) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def refuse(address: str) -> None:
    """Whatever is sent there ends at once, and so does what is open."""
    _called("ip", "route", "replace", "unreachable", address, "table", TABLE)
    _called("ss", "-K", "dst", address)


def allow(address: str) -> None:
    """It is reached as ever."""
    _called("ip", "route", "del", "unreachable", address, "table", TABLE)


def begin() -> None:
    """Nobody is refused, and from now on somebody can be. Raises SystemExit where the kernel cannot."""
    _called("ip", "route", "flush", "table", TABLE)
    rule = ("not", "fwmark", str(MARK), "lookup", TABLE, "priority", PRIORITY)
    while _called("ip", "rule", "del", *rule):
        pass
    if not _called("ip", "rule", "add", *rule):
        raise SystemExit("the kernel takes no rule by which packets are told apart")


def watch(address: str, port: int, say: Callable[[str], None]) -> None:
    """For ever."""
    seen = Seen()
    while True:
        seen, does = step(seen, answered=answers(address, port))
        if does is Does.REFUSE:
            refuse(address)
            say(f"{address} is silent: refused")
        elif does is Does.ALLOW:
            allow(address)
            say(f"{address} answers again")
        time.sleep(ASKED_EVERY_S)


def say(line: str) -> None:
    """To the log."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(words: "list[str]") -> int:
    """Never returns, unless it is called wrongly."""
    if len(words) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    with open(words[0], encoding="utf-8") as file:
        settings = json.load(file)
    peers = [str(one) for one in settings["peers"]]
    begin()
    threads = [threading.Thread(target=watch, args=(one, int(settings["port"]), say)) for one in peers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
