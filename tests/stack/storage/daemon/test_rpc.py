"""gRPC, as a client of another machine would use it: the same operations, tokens and reasons."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest

from harness.stack.storage.daemon.rpc import mfs_autonomy_pb2 as wire
from tests.stack.storage.daemon.conftest import Running
from tests.stack.waiting import eventually

SERVICE = "/mfs_autonomy.v1.MfsAutonomy/"


class Client:
    """Calls by name."""

    def __init__(self, daemon: Running, port: int) -> None:
        self._daemon, self.channel = daemon, grpc.insecure_channel(f"127.0.0.1:{port}")

    def __call__(self, name: str, asked: Any, answer: Any, role: str = "admin") -> Any:
        call = self.channel.unary_unary(SERVICE + name, type(asked).SerializeToString, answer.FromString)
        token = self._daemon.tokens.get(role, role)
        return call(asked, timeout=30, metadata=(("authorization", f"Bearer {token}"),))

    def refused(self, name: str, asked: Any, role: str = "admin") -> tuple[str, str]:
        """Status and words."""
        with pytest.raises(grpc.RpcError) as error:
            self(name, asked, wire.Request, role)
        return error.value.code().name, error.value.details()


@pytest.fixture
def client(new_daemon: Callable[..., Running]) -> Iterator[Client]:
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        port = one.getsockname()[1]
    daemon = new_daemon(more=f"grpc: {{listen: '127.0.0.1:{port}'}}\n")
    daemon.start()
    made = Client(daemon, port)
    yield made
    made.channel.close()


def test_a_move_by_grpc(client: Client, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "disk").write_bytes(b"x" * 8192)
    assert client("GetStatus", wire.GetStatusRequest(), wire.Status, "read").level == 3
    wanted = wire.MoveRequest(source=str(tmp_path / "disk"), target=str(tmp_path / "new"), grace_s=0)
    asked = client("Move", wanted, wire.Request, "operate")
    assert (asked.state, asked.asked_by) == ("waiting for approval", "operate")
    answer = wire.AnswerRequest(id=asked.id, why="agreed")
    assert client.refused("Approve", answer, "operate")[0] == "PERMISSION_DENIED"
    assert client("Approve", answer, wire.Request, "approve").decided_by == "approve"

    def first() -> Any:
        return client("ListRequests", wire.ListRequestsRequest(), wire.ListRequestsReply).requests[0]

    assert eventually(lambda: first().state == "done", every_s=0.1), first()
    assert (tmp_path / "new/disk").exists()
    assert client.refused("Refuse", answer, "approve") == (
        "FAILED_PRECONDITION",
        f"request {asked.id} is done: it cannot be refused any more",
    )


def test_what_is_wrong_is_said(client: Client) -> None:
    assert client.refused("GetStatus", wire.GetStatusRequest(), "mfs_wrong")[0] == "UNAUTHENTICATED"
    assert client.refused("Map", wire.MapRequest(file="relative"))[0] == "INVALID_ARGUMENT"
    assert client.refused("Approve", wire.AnswerRequest(id="x", why="y"))[0] == "NOT_FOUND"
    assert client.refused("Approve", wire.AnswerRequest(id="x"))[0] == "INVALID_ARGUMENT"
    found = client("ListIncidents", wire.ListIncidentsRequest(), wire.ListIncidentsReply)
    assert list(found.incidents) == []
