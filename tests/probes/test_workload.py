"""The workload process against servers that answer, refuse, hang and die: what each write is noted as."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from harness.checks.consistency.named import linearizable_set, set_complete
from harness.checks.verdict import Outcome
from harness.errors import HarnessError
from harness.events import Completed, Invoked, ReadBack
from harness.fabric.namespaces import call_in
from harness.history import History
from harness.probes.workload import Settings
from harness.probes.workload_process import Clients
from harness.wait import until
from harness.workloads.load import Load, ModelName, Route

from .conftest import VIP, Host, Lan, seen, written

PORT = 6379
Answer = Callable[[list[bytes]], Awaitable[bytes]]


class Server:
    """Speaks enough of the Redis protocol, in a node; what it answers to each request is up to the test."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.held: set[bytes] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends."""
        self._writers.append(writer)
        while head := await reader.readline():
            words = []
            for _ in range(int(head[1:])):
                length = int((await reader.readline())[1:])
                words.append((await reader.readexactly(length + 2))[:-2])
            writer.write(await self.answer(words))
        writer.close()

    async def store(self, words: list[bytes]) -> bytes:
        """Do what a real one does."""
        if words[0] == b"SADD":
            self.held.add(words[2])
            return b":1\r\n"
        return b"*%d\r\n" % len(self.held) + b"".join(b"$%d\r\n%b\r\n" % (len(v), v) for v in self.held)

    def drop_connections(self) -> None:
        """Break every connection, as a node that dies does."""
        for writer in self._writers:
            writer.transport.abort()


async def never(_: list[bytes]) -> bytes:
    """Take a request and say nothing."""
    await asyncio.Event().wait()
    return b""


async def read_only(_: list[bytes]) -> bytes:
    """Refuse a request."""
    return b"-READONLY not a leader\r\n"


@asynccontextmanager
async def serving(node: Host, server: Server) -> AsyncIterator[None]:
    """A server at the VIP in a node."""
    listening = call_in(node.namespace, lambda: socket.create_server((VIP, PORT), backlog=256))
    running = await asyncio.start_server(server.serve, sock=listening)
    try:
        yield
    finally:
        running.close()
        server.drop_connections()


@pytest.fixture
async def node(lan: Lan) -> Host:
    """The node that has the VIP."""
    host = lan.add("n1", 1)
    host.run(f"ip address add {VIP}/32 dev eth0")
    return host


def settings(client: Host, history: Path, model: ModelName = "ledger", timeout_s: float = 0.2) -> Settings:
    """Two hundred operations a second, from a client."""
    route = Route(address=VIP, port=PORT)
    load = Load(
        model=model, key="ledger", store="redis", routes=(route,), rate_per_s=200.0, timeout_s=timeout_s, seed=3
    )
    return Settings(history=str(history), namespace=str(client.namespace), loads=(load,))


@pytest.fixture
def client(lan: Lan) -> Host:
    """Where the clients are."""
    return lan.add("c1", 201)


@pytest.fixture
async def ledger(client: Host, history: Path) -> AsyncIterator[Clients]:
    """Clients that write to a ledger."""
    async with Clients(settings(client, history)) as started:
        yield started


def _ended(history: Path, number: int) -> bool:
    return len(seen(history, Completed)) >= number


async def test_every_write_is_noted_before_and_after_and_read_back(node: Host, client: Host, history: Path) -> None:
    server = Server(never)
    server.answer = server.store
    # A machine that is busy with other things makes writes slow, not unknown.
    async with serving(node, server), Clients(settings(client, history, timeout_s=10.0)) as ledger:
        async with ledger.running():
            await until(lambda: _ended(history, 40), within_s=10, what="forty writes ended")
        assert await ledger.read_back("n1", VIP) == len(server.held)
        counts = await ledger.counts()
    invoked = {event.operation: event for event in seen(history, Invoked)}
    assert counts.invoked == counts.ok == len(invoked) == len({event.value for event in invoked.values()})
    assert all(invoked[event.operation].t_s <= event.t_s for event in seen(history, Completed))
    (read,) = seen(history, ReadBack)
    assert set(read.values) == {event.value for event in seen(history, Completed)}


async def test_what_was_never_sent_has_failed(node: Host, ledger: Clients, history: Path) -> None:
    async with ledger.running():  # nobody listens
        await until(lambda: _ended(history, 10), within_s=5, what="ten writes ended")
    assert {event.outcome for event in seen(history, Completed)} == {"failed"}


async def test_what_was_refused_has_failed(node: Host, ledger: Clients, history: Path) -> None:
    async with serving(node, Server(read_only)), ledger.running():
        await until(lambda: _ended(history, 10), within_s=5, what="ten writes ended")
    assert {(e.outcome, e.error) for e in seen(history, Completed)} == {("failed", "READONLY not a leader")}


async def test_silence_leaves_a_write_unknown_and_its_process_never_returns(
    node: Host, ledger: Clients, history: Path
) -> None:
    async with serving(node, Server(never)), ledger.running():
        await until(lambda: _ended(history, 20), within_s=5, what="twenty writes ended")
    assert {event.outcome for event in seen(history, Completed)} == {"unknown"}
    processes = [event.process for event in seen(history, Invoked)]
    assert len(set(processes)) == len(processes)
    # Open loop: writes went on being sent while the first ones still waited.
    assert seen(history, Invoked)[19].t_s < seen(history, Completed)[0].t_s


async def test_clients_reconnect_by_themselves_when_the_server_is_back(
    node: Host, ledger: Clients, history: Path
) -> None:
    server = Server(never)
    server.answer = server.store
    async with ledger.running():
        async with serving(node, server):
            await until(lambda: _ended(history, 10), within_s=5, what="ten writes ended")
        broken_s = History.read(history).last_s
        async with serving(node, server):
            again = written(ledger, after_s=broken_s + 0.05)
            assert await until(again, within_s=5, what="a write after the break")
    outcomes = {event.outcome for event in seen(history, Completed)}
    assert "ok" in outcomes
    promised = {b"%d" % event.value for event in seen(history, Completed) if event.outcome == "ok"}
    assert promised <= server.held


async def test_latency_counts_from_when_an_operation_was_due(node: Host, ledger: Clients, history: Path) -> None:
    async with serving(node, Server(never)), ledger.running():
        await until(lambda: _ended(history, 20), within_s=5, what="twenty writes ended")
    invoked = seen(history, Invoked)
    due_s = [event.due_s for event in invoked if event.due_s is not None]
    assert len(due_s) == len(invoked)
    assert all(due <= event.t_s for due, event in zip(due_s, invoked, strict=True))
    assert [round(late - soon, 6) for soon, late in pairwise(due_s)] == [0.005] * (len(due_s) - 1)


async def test_in_the_end_everything_is_looked_at_by_operations(node: Host, client: Host, history: Path) -> None:
    server = Server(never)
    server.answer = server.store
    async with serving(node, server), Clients(settings(client, history, "set")) as clients:
        async with clients.running():
            await until(lambda: _ended(history, 20), within_s=5, what="twenty operations ended")
        await clients.look_at_the_end()
    recorded = History.read(history)
    number = seen(history, Invoked)[-1].operation
    (last,) = [event for event in seen(history, Completed) if event.operation == number]
    assert isinstance(last.value, list)
    assert set(last.value) == {int(held) for held in server.held}
    assert set_complete(recorded, "ledger").outcome is linearizable_set(recorded, "ledger").outcome is Outcome.HOLDS


async def test_what_cannot_be_looked_at_in_the_end_is_an_error(client: Host, history: Path) -> None:
    async with Clients(settings(client, history, "set")) as clients:
        with pytest.raises(HarnessError, match=f"ledger, by {VIP}:{PORT}, could not be read to the end within 0.2 s"):
            await clients.look_at_the_end(within_s=0.2)


async def test_a_member_that_cannot_be_read_is_an_error_that_names_it(node: Host, ledger: Clients) -> None:
    with pytest.raises(HarnessError, match=f"redis of n1 at {VIP}:{PORT} could not be read within 0.2 s"):
        await ledger.read_back("n1", VIP, within_s=0.2)
