"""The connection to Corosync is made, lost and made again without keeping the loop."""

import asyncio
import socket
import threading

import pytest

from harness.stack.sfha.membership import link
from harness.stack.sfha.membership.core import DISCONNECTED, Report
from harness.stack.sfha.membership.link import CorosyncLink
from harness.stack.sfha.membership.quorum import QuorumError
from harness.wait import until

WITHIN_S = 5.0


class Connection:
    """Breaks when the other end is closed, and takes until ``may_close`` to let go of it, as libqb does a moment."""

    made: "list[Connection]"
    may_close: threading.Event

    def __init__(self, on_report: object) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.closed = False
        self.made.append(self)

    def fileno(self) -> int:
        return self.ours.fileno()

    def dispatch(self) -> None:
        self.ours.setblocking(False)
        try:
            ended = self.ours.recv(1) == b""
        except BlockingIOError:
            ended = False
        if ended:
            raise QuorumError("quorum_dispatch", 2)

    def close(self) -> None:
        assert self.may_close.wait(WITHIN_S)
        self.closed = True
        self.ours.close()


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    Connection.made, Connection.may_close = [], threading.Event()
    monkeypatch.setattr(link, "QuorumConnection", Connection)
    return Connection.made


async def test_a_lost_connection_is_told_before_it_is_closed_and_made_anew(connections: list[Connection]) -> None:
    reports: list[Report] = []
    logged: list[str] = []
    found = CorosyncLink(reports.append, lambda event, **_: logged.append(event))
    found.connect()

    async def connected(times: int) -> None:
        async def seen() -> bool:
            return logged.count("corosync-connected") == times

        await until(seen, within_s=WITHIN_S, every_s=0.005, what="it is connected")

    async def told() -> bool:
        return reports == [DISCONNECTED]

    await connected(1)
    connections[0].theirs.close()
    await until(told, within_s=WITHIN_S, every_s=0.005, what="it is told")
    assert [one.closed for one in connections] == [False], "nobody has waited for that"
    Connection.may_close.set()
    await connected(2)
    assert [one.closed for one in connections] == [True, False]
    assert reports == [DISCONNECTED]
    asyncio.get_running_loop().remove_reader(connections[1].fileno())
    connections[1].ours.close()
    connections[1].theirs.close()
