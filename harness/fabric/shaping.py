"""Links with a character, and faults that change one: by netem where the host has it, else by the relay.

Which one does it is found out by trying, once for a run. What is in force is written down in the run's directory:
several processes work on one fabric, and a cable that is plugged in again needs its rules again.
"""

import errno
import fcntl
import json
import os
import random
import socket
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

from pyroute2 import IPRoute

from harness.character import Character
from harness.errors import FabricError
from harness.fabric import detours, links
from harness.fabric.detours import FAMILY, Class
from harness.fabric.layout import Flow, Layout
from harness.fabric.namespaces import NamespaceThread
from harness.fabric.nft import Nft
from harness.fabric.relay.names import ENTERS, LISTENS, MAX_CLASSES, SOCKET_NAME

DriverName = Literal["netem", "relay"]
STATE_FILE = "detours.jsonl"
DRIVER_FILE = "detours.driver"
FORCE_RELAY = "HARNESS_LINKS"
"""An environment variable: "relay" leaves netem alone, where the host has it."""
_ARP_NEVER = "8"
_ENTERS_MAC, _LISTENS_MAC = "02:00:00:00:01:fe", "02:00:00:00:02:fe"
_ANSWER_S = 10.0
_TRIED = ("netem-in", "netem-out")


@dataclass(frozen=True, slots=True)
class Home:
    """What shaping needs besides the fabric: a place for what is in force, and whoever starts the relay."""

    directory: Path
    start_relay: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Direction:
    """Flows that share a link, one way: its rate and its queue are for all of them together."""

    flow: Flow
    character: Character


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """What links do to packets of one way, together."""

    latency_s: float
    longest_s: float
    """Latency and jitter; waiting for a rate is not in it."""
    lost_share: float


class Driver(Protocol):
    """What delays, loses and changes packets."""

    name: DriverName

    def prepare(self) -> None:
        """Whatever is needed once in a fabric; may be called again."""

    def carry(self, name: str, directions: Sequence[Direction], classes: Sequence[Class], seed: int) -> str:
        """Be ready for these classes; gives the rules of nft that are needed besides those at the ports."""

    def cables(self, name: str, directions: int) -> tuple[str, ...]:
        """The cables that have to be removed after the table is gone."""


class Shaping:
    """Of one fabric. Every verb raises FabricError, and is called in any thread."""

    def __init__(self, home: Home, layout: Layout, nft: Nft, route: IPRoute, thread: NamespaceThread) -> None:
        self._home, self._layout, self._nft, self._route, self._thread = home, layout, nft, route, thread
        self._state = home.directory / STATE_FILE
        self._driver: Driver | None = None

    @property
    def driver(self) -> Driver:
        """What does it in this run; tried out when first asked for."""
        if self._driver is None:
            with self._alone():
                self._driver = self._chosen()
        return self._driver

    def _chosen(self) -> Driver:
        noted = self._home.directory / DRIVER_FILE
        if not noted.exists():
            found = os.environ.get(FORCE_RELAY) != "relay" and self._thread.run(self._has_netem)
            noted.write_text("netem" if found else "relay")
        return Netem(self._thread) if noted.read_text() == "netem" else Relayed(self._home, self._nft, self._thread)

    def _has_netem(self) -> bool:
        try:
            self._route.link("add", ifname=_TRIED[0], kind="veth", peer={"ifname": _TRIED[1]})
            return _tc("add", _TRIED[0], ("delay", "1ms")).returncode == 0
        finally:
            links.remove_link(self._route, _TRIED[0])

    def shape(self, name: str, directions: Sequence[Direction], seed: int) -> None:
        """From now on these flows have these characters, until the table ``detour_table(name)`` is deleted.

        On top of whatever they have already.
        """
        driver, table = self.driver, detours.detour_table(name)
        with self._alone():
            self._thread.run(self._lay_cable)
            driver.prepare()
            passages = [self._layout.passages(one.flow) for one in directions]
            classes = detours.classes_of(self._first_free(), passages)
            if not classes:
                raise FabricError("there is no way on which these packets could be met")
            if classes[-1].number > MAX_CLASSES:
                raise FabricError(f"more than {MAX_CLASSES} detours in one run")
            at_ports = detours.port_rules(table, classes)
            entry = {
                "table": table,
                "next": classes[-1].number + 1,
                "ports": at_ports,
                "directions": [asdict(one) for one in directions],
            }
            besides = self._thread.run(lambda: driver.carry(name, directions, classes, seed))
            with self._state.open("a") as file:
                file.write(json.dumps(entry) + "\n")
            self._thread.run(lambda: self._enforce(table, besides, at_ports))

    def _enforce(self, table: str, besides: str, at_ports: Mapping[str, str]) -> None:
        there = {port: rules for port, rules in at_ports.items() if links.index_of(self._route, port) is not None}
        self._nft.run(detours.table_rules(table) + besides + "".join(there.values()))

    def plugged(self, port: str) -> None:
        """There is a new cable of this name: what was in force at the old one is in force again."""
        for entry in self._entries():
            if port in entry["ports"]:
                with suppress(FabricError):  # its table is gone: it was healed
                    self._thread.run(partial(self._nft.run, entry["ports"][port]))

    def on_the_way(self, source: str, destination: str, but: str = "") -> "OnTheWay":
        """What all that is in force (``but`` what has this name) does to packets from one to the other."""
        latency_ms, arrives, longest_ms = 0.0, 1.0, 0.0
        if self._state.exists():
            listed = self._thread.run(lambda: self._nft.listing(f"list tables {FAMILY}"))
            there = {one["table"]["name"] for one in listed if "table" in one}
            if but:
                there.discard(detours.detour_table(but))
            for one in self._directions_of(there):
                if source in one.flow.sources and destination in one.flow.destinations:
                    latency_ms += one.character.latency_ms
                    longest_ms += one.character.latency_ms + one.character.jitter_ms
                    arrives *= 1 - one.character.loss_percent / 100
        return OnTheWay(latency_ms / 1000, longest_ms / 1000, 1 - arrives)

    def _directions_of(self, tables: Collection[str]) -> Iterator[Direction]:
        for entry in self._entries():
            if entry["table"] in tables:
                for one in entry["directions"]:
                    flow = Flow(*(tuple(one["flow"][side]) for side in ("sources", "destinations")))
                    yield Direction(flow, Character(**one["character"]))

    def lacks(self) -> str | None:
        """Why packets cannot take detours here; None when they can."""
        chain = 'add chain netdev detour_try try { type filter hook egress device "lo" priority 0; }'
        tried = ("add table netdev detour_try", chain, 'add rule netdev detour_try try fwd to "lo"')
        try:
            self._thread.run(lambda: self._nft.run("\n".join((*tried, "delete table netdev detour_try", ""))))
        except FabricError:
            return "the kernel has no nftables on what leaves an interface: Linux 5.18 or newer has it"
        return None

    def passed_packets(self, name: str) -> int:
        """How many packets have taken the detour, at all ports together; 0 when it is healed."""
        found = self._thread.run(lambda: self._nft.listing(f"list counters {FAMILY}"))
        table = detours.detour_table(name)
        counters = [one["counter"] for one in found if "counter" in one]
        return sum(int(one["packets"]) for one in counters if one["table"] == table)

    def _entries(self) -> Iterator[dict[str, Any]]:
        with suppress(FileNotFoundError):
            for line in self._state.read_text().splitlines():
                yield json.loads(line)

    def _first_free(self) -> int:
        return max((entry["next"] for entry in self._entries()), default=1)

    def _lay_cable(self) -> None:
        """The cable into which the rules at the ports send packets. What enters it leaves it as whole frames."""
        if links.index_of(self._route, ENTERS) is not None:
            return
        links.add_loose_cable(self._route, (ENTERS, _ENTERS_MAC), (LISTENS, _LISTENS_MAC))
        Path("/proc/sys/net/ipv4/conf", LISTENS, "arp_ignore").write_text(_ARP_NEVER)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._home.directory / DRIVER_FILE).with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class Relayed:
    """By a process of ours."""

    name: DriverName = "relay"

    def __init__(self, home: Home, nft: Nft, thread: NamespaceThread) -> None:
        self._home, self._nft, self._thread = home, nft, thread
        self._prepared = False

    def prepare(self) -> None:
        """Start the process."""
        if not self._prepared:
            self._thread.run(lambda: self._nft.run(detours.relayed_rules()))
            self._home.start_relay()
            self._prepared = True

    def carry(self, name: str, directions: Sequence[Direction], classes: Sequence[Class], seed: int) -> str:
        """Tell it."""
        seeds = random.Random(seed)
        for number, direction in enumerate(directions):
            of_direction = {one.number: one.passage.port for one in classes if one.direction == number}
            character = asdict(direction.character)
            self.ask({"do": "pipe", "classes": of_direction, "character": character, "seed": seeds.getrandbits(32)})
        return ""

    def cables(self, name: str, directions: int) -> tuple[str, ...]:
        """None."""
        return ()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """What the process answers."""
        return ask_relay(self._home.directory, request)


def ask_relay(directory: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the relay of a run answers. FabricError when it does not, or refuses."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWER_S)
        try:
            connection.connect(str(directory / SOCKET_NAME))
            connection.sendall(json.dumps(request).encode() + b"\n")
            line = connection.makefile("rb").readline()
        except OSError as error:
            raise FabricError(f"the relay does not answer: {error}") from error
    answer: dict[str, Any] = json.loads(line) if line else {"error": "it ended"}
    if "error" in answer:
        raise FabricError(f"the relay: {answer['error']}")
    return answer


class Netem:
    """By the host's kernel: each direction is a cable that has netem at its beginning (tc-netem(8))."""

    name: DriverName = "netem"

    def __init__(self, thread: NamespaceThread) -> None:
        self._thread = thread

    def prepare(self) -> None:
        """Nothing."""

    def carry(self, name: str, directions: Sequence[Direction], classes: Sequence[Class], seed: int) -> str:
        """Lay the cables. Chance is the kernel's own: the seed is of no use to it."""
        with IPRoute() as route:
            for number, direction in enumerate(directions):
                here, there = detours.pipe_link(name, number)
                links.add_loose_cable(route, (here, _ENTERS_MAC), (there, _LISTENS_MAC))
                done = _tc("add", here, detours.netem_words(asdict(direction.character)))
                if done.returncode != 0:
                    raise FabricError(f"tc refused: {done.stderr.strip()}")
        return detours.piped_rules(detours.detour_table(name), name, classes)

    def cables(self, name: str, directions: int) -> tuple[str, ...]:
        """One for each direction."""
        return tuple(detours.pipe_link(name, number)[0] for number in range(directions))


def _tc(verb: str, link: str, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    command = ["tc", "qdisc", verb, "dev", link, "root", "netem", *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, errno.ENOENT, "", "the program tc is missing (package iproute2)")
