"""How well links keep what is asked of them: each value of a character, requested against measured."""

import asyncio
import json
import secrets
import socket
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness.addresses import AddressPlan
from harness.bench.figures import chosen, table
from harness.character import Character
from harness.fabric.fabric import Fabric
from harness.fabric.layout import Flow
from harness.fabric.namespaces import call_in
from harness.fabric.shaping import Direction, Home, Relayed, ask_relay
from harness.healing import DeleteTable, RemoveLink
from harness.keeper import Keeper
from harness.rundir import RunDirectory
from harness.topology import Client, Node, Site, Topology

METHOD = (
    "Two clients in two sites of a fabric, and between them one direction of a link with one value of a character at a "
    "time. Datagrams carry when they were sent, their arrival is stamped by the kernel; sender, receiver and relay are "
    "three processes. Delay, jitter, loss and so on: datagrams of 100 bytes. Rate: of 1,400 bytes, three times as many "
    "as the rate takes, measured by what arrives after the first tenth. Capacity: what is sent evenly at this rate for "
    "the time given arrives, or not. *None* is the fabric without any detour: its time is part of all others. Every "
    "row is the median of the runs, with the worst of them; the 99th percentile is of all datagrams of the median run."
)
_PLACES = ("here", "there")
_SIZE_BYTES, _FULL_BYTES, _HEADERS_BYTES = 100, 1400, 42
_SEGMENTS = 40


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that is asked for, and how it is measured."""

    what: str
    character: Character
    count: int
    per_s: float
    figure: Callable[["Arrived"], float]
    asked: float
    unit: str
    size_bytes: int = _SIZE_BYTES
    at_once: int = 1


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of the datagrams of one trial."""

    sent: int
    size_bytes: int
    numbers: list[int]
    delays_ns: list[int]
    came_ns: list[int]

    @property
    def delays_ms(self) -> list[float]:
        """In order."""
        return sorted(one / 1e6 for one in self.delays_ns)

    @property
    def median_ms(self) -> float:
        """Of the delays."""
        return statistics.median(self.delays_ms)

    @property
    def high_ms(self) -> float:
        """All but one of a hundred are below."""
        return self.delays_ms[int(0.99 * (len(self.delays_ns) - 1))]

    @property
    def jitter_ms(self) -> float:
        """Half of what is between the earliest and the latest, where all is even: four times the mean deviation / 2."""
        centre = statistics.fmean(self.delays_ms)
        return 2 * statistics.fmean(abs(one - centre) for one in self.delays_ms)

    @property
    def lost_percent(self) -> float:
        """Of those that were sent, each counted once."""
        return 100 * (1 - len(set(self.numbers)) / self.sent)

    @property
    def doubled_percent(self) -> float:
        """Of those that were sent."""
        return 100 * (len(self.numbers) - len(set(self.numbers))) / self.sent

    @property
    def overtaking_percent(self) -> float:
        """Those that did not wait, of all that came."""
        half_ms = self.median_ms / 2
        return 100 * sum(one < half_ms for one in self.delays_ms) / len(self.delays_ns)

    @property
    def rate_mbit(self) -> float:
        """Of frames, after the first tenth."""
        came = sorted(self.came_ns)[len(self.came_ns) // 10 :]
        return (len(came) - 1) * (self.size_bytes + _HEADERS_BYTES) * 8e3 / (came[-1] - came[0])


def trials(scale: float) -> tuple[Trial, ...]:
    """All of them; ``scale`` says how many datagrams, of the number that the goals speak of."""
    many = max(1000, round(100_000 * scale))
    few = max(500, round(5_000 * scale))
    capacity_mbit = 300.0
    packets_per_s = capacity_mbit * 1e6 / (8 * (_FULL_BYTES + _HEADERS_BYTES))
    return (
        Trial("none", Character(), few, 500.0, lambda one: one.median_ms, 0.0, "ms"),
        *(_delay(ms, few) for ms in (0.1, 1.0, 5.0, 15.0, 45.0, 280.0)),
        *(
            Trial(f"jitter {ms:g} ms", Character(latency_ms=2 * ms, jitter_ms=ms), few, 1000 / (2 * ms),
                  lambda one: one.jitter_ms, ms, "ms")
            for ms in (2.0, 10.0)
        ),
        *(_share(Character(loss_percent=one), one, many, lambda one: one.lost_percent) for one in (0.1, 1.0, 10.0)),
        _share(Character(duplication_percent=1.0), 1.0, many, lambda one: one.doubled_percent),
        _share(Character(corruption_percent=1.0), 1.0, many, lambda one: one.lost_percent),
        _share(Character(reordering_percent=1.0, latency_ms=20.0), 1.0, many, lambda one: one.overtaking_percent),
        *(_rate(mbit, scale) for mbit in (1.0, 10.0, 100.0)),
        Trial("20,000 packets/s, lost", Character(latency_ms=15.0), many, 20_000.0,
              lambda one: one.lost_percent, 0.0, "%"),
        Trial("300 Mbit/s, lost", Character(latency_ms=15.0), round(packets_per_s * 5 * max(0.2, scale)), packets_per_s,
              lambda one: one.lost_percent, 0.0, "%", _FULL_BYTES, _SEGMENTS),
    )  # fmt: skip


def _delay(ms: float, count: int) -> Trial:
    return Trial(f"delay {ms:g} ms", Character(latency_ms=ms), count, 500.0, lambda one: one.median_ms, ms, "ms")


def _share(character: Character, percent: float, count: int, figure: Callable[[Arrived], float]) -> Trial:
    return Trial(character.words, character, count, 5000.0, figure, percent, "%")


def _rate(mbit: float, scale: float) -> Trial:
    """Three times as much as passes, in groups: a sender who has no processor for a while sends what he missed."""
    packets_per_s = 3 * mbit * 1e6 / (8 * (_FULL_BYTES + _HEADERS_BYTES))
    return Trial(
        f"rate {mbit:g} Mbit/s",
        Character(rate_mbit=mbit, queue_packets=200),
        max(300, round(mbit * 500 * scale)),
        packets_per_s,
        lambda one: one.rate_mbit,
        mbit,
        "Mbit/s",
        _FULL_BYTES,
        _SEGMENTS,
    )


def run(runs: int, scale: float, only: str, say: Callable[[str], None]) -> str:
    """Measure; gives the section for the page."""
    rows = []
    with _fabric() as (fabric, directory):
        wanted = chosen(only, [one.what for one in trials(scale)])
        for one in trials(scale):
            if one.what not in wanted:
                continue
            found = []
            for number in range(runs):
                say(f"{one.what}, {number + 1} of {runs}")
                found.append(_measured(fabric, one, seed=number))
            rows.append(_row(one, found))
        how: str = fabric.shaping.driver.name
        if isinstance(fabric.shaping.driver, Relayed):
            counted = ask_relay(directory, {"do": "count"})
            how += f" ({counted['scheduling']}; of {counted['sent']:,} packets {counted['late']:,} were sent more than "
            how += f"1 ms late, {counted['overrun']:,} were not even received)"
    header = ("asked for", "runs", "datagrams", "measured", "worst", "99 % within", "lost")
    return table("Links", f"{METHOD} Driver: {how}.", header, rows)


def _row(one: Trial, found: list[Arrived]) -> tuple[str, ...]:
    by_error = sorted(found, key=lambda arrived: abs(one.figure(arrived) - one.asked))
    middle, worst = by_error[len(by_error) // 2], by_error[-1]
    measured, at_worst = (f"{one.figure(arrived):.3f} {one.unit}" for arrived in (middle, worst))
    high = f"{middle.high_ms:.2f} ms"
    return (one.what, str(len(found)), f"{middle.sent:,}", measured, at_worst, high, f"{middle.lost_percent:.3f} %")


@contextmanager
def _fabric() -> Iterator[tuple[Fabric, Path]]:
    topology = Topology(
        name="a link",
        sites=tuple(Site(name=place) for place in _PLACES),
        nodes=tuple(Node(name=f"n{id}", site=place, id=id) for id, place in enumerate(_PLACES, start=1)),
        clients=tuple(Client(name=f"at-{place}", place=place) for place in _PLACES),
    )
    run_directory = RunDirectory.create(f"bench-{secrets.token_hex(4)}")
    keeper = Keeper.start(run_directory)
    plan, home = AddressPlan(topology, run_directory.run_id), Home(run_directory.path, keeper.start_relay)
    try:
        fabric = Fabric(topology, plan, keeper.namespace, home)
        try:
            fabric.build()
            for client in topology.clients:
                fabric.plug_client(client.name, keeper.add_namespace(client.name))
            yield fabric, run_directory.path
        finally:
            fabric.close()
    finally:
        asyncio.run(keeper.end())


def _measured(fabric: Fabric, trial: Trial, seed: int) -> Arrived:
    source, sink = (client.name for client in fabric.topology.clients)
    run = RunDirectory(fabric.plan.run_id)
    if trial.character == Character():
        return _sent(fabric, trial, (source, sink))
    fabric.shaping.shape("bench", [Direction(Flow((source,), (sink,)), trial.character)], seed)
    try:
        return _sent(fabric, trial, (source, sink))
    finally:
        DeleteTable("netdev", "detour_bench").carry_out(run)
        for link in fabric.shaping.driver.cables("bench", 1):
            RemoveLink(link).carry_out(run)


def _sent(fabric: Fabric, trial: Trial, ends: tuple[str, str]) -> Arrived:
    source, sink = (fabric.end(name) for name in ends)
    with (
        call_in(source.namespace, _datagram_socket) as sender,
        call_in(sink.namespace, _datagram_socket) as receiver,
    ):
        receiver.bind((sink.address, 0))
        port = receiver.getsockname()[1]
        sender.sendto(b"", (sink.address, port))  # so that the addresses are known: an unknown one costs a second
        quiet_s = 0.5 + (trial.character.latency_ms + trial.character.jitter_ms) / 500
        receiver.settimeout(quiet_s)
        with suppress(TimeoutError):
            receiver.recv(1)
        hearing = _end(receiver, "receive", str(receiver.fileno()), f"{max(1.0, 2 * quiet_s):g}")
        assert hearing.stdout is not None
        if hearing.stdout.readline() != "ready\n":
            raise RuntimeError("the receiver did not start")
        words = (sink.address, port, trial.count, trial.per_s, trial.size_bytes, trial.at_once)
        _end(sender, "send", str(sender.fileno()), *map(str, words)).wait()
        heard = json.loads(hearing.communicate()[0])
    sent = -(-trial.count // trial.at_once) * trial.at_once
    return Arrived(sent, trial.size_bytes, **heard)


def _datagram_socket() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def _end(one: socket.socket, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-S", "-m", "harness.bench.datagrams", *words]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, cwd=root, pass_fds=[one.fileno()], stdout=subprocess.PIPE, text=True)
