"""The program on a node: it looks, tells the others that it lives, and breaks its node when it is time.

It needs nothing but Python's standard modules. What it has to know is in SETTINGS. What has happened so far is kept on
the disk, beyond a loss of power; the folder of what runs is empty after one.
"""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .defects import PLANTED, Damage
from .watch import Beacon, Look, Noted, Story, Watch, goes_on

SETTINGS = "etc/planted.json"
PORT = 4850
LOOKS_EVERY_S = 0.05
_ROOM_EVERY_LOOKS = 10
_LONGEST_BYTES = 512
_KEPT, _MEMBER = "var/lib/planted", "etc/sfha/mesh.json"


@dataclass(frozen=True)
class Settings:
    """Which defect, on which node, who the others are, and the virtual address."""

    planted: str
    address: str
    node: str
    addresses: dict[str, str]
    """Of all nodes, by their names."""


class Senses:
    """What the program sees. ``root`` is where the node's files are: tests have others."""

    def __init__(self, settings: Settings, root: Path = Path("/")) -> None:
        self._settings, self._root = settings, root
        self._kept = root / _KEPT
        self._kept.mkdir(parents=True, exist_ok=True)
        self.boots, self.returned = self._counted()
        self._names = self._read("etc/resolv.conf")
        self._number, self._roomy, self._ahead_s = 0, True, time.time() - time.monotonic()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind((settings.addresses[settings.node], PORT))
        self.rest()

    def _counted(self) -> tuple[int, bool]:
        """How often the node has had power, and whether it is back from a loss of it just now."""
        boots = int(self._read(f"{_KEPT}/boots") or 0)
        here = self._root / "run/planted"
        if here.exists():  # the program was started again, the node was not
            return boots, False
        (self._kept / "boots").write_text(str(boots + 1))
        here.parent.mkdir(exist_ok=True)
        here.touch()
        return boots + 1, boots > 0

    def rest(self) -> None:
        """Count from now on how long nothing ran."""
        self._seen_s, self._waited_s = time.monotonic(), self._waited()

    def _waited(self) -> float:
        """For how long this program was ready and the processor was not given to it: that is no standing still."""
        words = self._read("proc/self/schedstat").split()
        return int(words[1]) / 1e9 if len(words) > 1 else 0.0

    def _read(self, path: str) -> str:
        try:
            return (self._root / path).read_text()
        except OSError:
            return ""

    def look(self) -> Look:
        """At everything, and tell the others."""
        before_s, waited_s = self._seen_s, self._waited_s
        self.rest()
        self._tell()
        if self._number % _ROOM_EVERY_LOOKS == 1:
            self._roomy = self._has_room()
        return Look(
            at_s=self._seen_s,
            still_s=self._seen_s - before_s - (self._waited_s - waited_s),
            carrier=self._read("sys/class/net/eth0/carrier").strip() == "1",
            carrier_changes=int(self._read("sys/class/net/eth0/carrier_changes") or 0),
            named=self._read("etc/resolv.conf") == self._names,
            roomy=self._roomy,
            member=(self._root / _MEMBER).exists(),
            ahead_s=self._ahead(),
            holds=self._holds(),
            beacons=tuple(self._beacons()),
        )

    def _ahead(self) -> float:
        """How far the time of day is ahead; as before, where the processor was away between the two clocks."""
        before_s, day_s, after_s = time.monotonic(), time.time(), time.monotonic()
        if after_s - before_s < LOOKS_EVERY_S:
            self._ahead_s = day_s - before_s
        return self._ahead_s

    def _tell(self) -> None:
        self._number += 1
        text = json.dumps(asdict(Beacon(self._settings.node, self.boots, self._number))).encode()
        for name, address in self._settings.addresses.items():
            if name != self._settings.node:
                with contextlib.suppress(OSError):  # there may be no way to it
                    self._socket.sendto(text, (address, PORT))

    def _beacons(self) -> Iterator[Beacon]:
        while True:
            try:
                text = self._socket.recv(_LONGEST_BYTES)
            except BlockingIOError:
                return
            except OSError:  # what an earlier one met on its way
                continue
            with contextlib.suppress(ValueError, TypeError, KeyError):
                said = json.loads(text)
                yield Beacon(str(said["sender"]), int(said["boots"]), int(said["number"]))

    def _has_room(self) -> bool:
        try:
            (self._kept / "room").write_text("x")
        except OSError:
            return False
        return True

    def _holds(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trying:
            try:
                trying.bind((self._settings.address, 0))
            except OSError:
                return False
        return True

    def close(self) -> None:
        """Hear nothing more."""
        self._socket.close()


class Memory:
    """The story so far: kept on the disk, for a loss of power may be a part of it."""

    def __init__(self, planted: str, root: Path = Path("/")) -> None:
        self._defect, self._file = PLANTED[planted], root / _KEPT / "story"
        self._story: Story = ()
        with contextlib.suppress(OSError, ValueError):
            self._story = tuple(Noted(**one) for one in json.loads(self._file.read_text()))

    def take(self, noted: Story) -> bool:
        """True when it is time for the damage."""
        before = self._story
        self._story, due = goes_on(self._defect, before, noted)
        if self._story != before:
            with contextlib.suppress(OSError):  # a full disk may be a part of it as well
                self._file.write_text(json.dumps([asdict(one) for one in self._story]))
        return due


class Breaking:
    """A damage that is under way. Nothing is waited for: the program goes on looking."""

    def __init__(self, damage: Damage, address: str) -> None:
        self._damage = damage
        self._script = damage.script.replace("{address}", address)
        self._began_s = time.monotonic()
        self._next_s = self._began_s
        self._running: subprocess.Popen[bytes] | None = None

    def go_on(self, now_s: float) -> bool:
        """Do what it is time for; False when it is over."""
        damage = self._damage
        if self._running is not None and self._running.poll() is None:
            return True
        if damage.for_s is not None and now_s - self._began_s > damage.for_s:
            return False
        if now_s >= self._next_s:
            with contextlib.suppress(OSError):  # where nothing can be started, it is tried again
                self._running = subprocess.Popen(("/bin/sh", "-c", self._script), stdin=subprocess.DEVNULL)
                self._next_s = float("inf") if damage.every_s is None else now_s + damage.every_s
        return True


def _say(text: str) -> None:
    """For whoever reads the node's log afterwards."""
    sys.stdout.write(f"{time.monotonic():.3f} {text.rstrip()}\n")
    sys.stdout.flush()


def main() -> None:
    """For as long as the node has power."""
    known: dict[str, Any] = json.loads(Path("/", SETTINGS).read_text())
    settings = Settings(**known)
    senses, memory = Senses(settings), Memory(settings.planted)
    watch = Watch(settings.addresses.keys() - {settings.node}, returned=senses.returned)
    breaking: Breaking | None = None
    while True:
        time.sleep(LOOKS_EVERY_S)
        noted = watch.look(senses.look())
        for one in noted:
            _say(f"{one.mark} {one.peer} {' '.join(one.during)}")
        if breaking is None and memory.take(noted):
            _say(f"{settings.planted} comes out")
            breaking = Breaking(PLANTED[settings.planted].damage, settings.address)
        if breaking is not None and not breaking.go_on(time.monotonic()):
            breaking = None
