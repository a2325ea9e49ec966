"""Redis's protocol, as far as it is spoken here."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from harness.stack.dataservices.apps.services.redis import Refused, said

Answering = Callable[[bytes], int]


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Somebody who answers one connection with these bytes; where."""
    threads: list[threading.Thread] = []
    sockets: list[socket.socket] = []

    def begin(answer: bytes) -> int:
        listening = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            client, _ = listening.accept()
            with client:
                asked = b""
                while asked.count(b"\r\n") < 5 + 3:  # AUTH with one word, and a command of one
                    asked += client.recv(4096)
                client.sendall(answer)

        sockets.append(listening)
        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return int(listening.getsockname()[1])

    yield begin
    for thread in threads:
        thread.join()
    for one in sockets:
        one.close()


@pytest.mark.parametrize(("answer", "means"), [(b"+OK\r\n+PONG\r\n", "PONG"), (b"+OK\r\n:7\r\n", "7")])
def test_an_answer(answering: Answering, answer: bytes, means: str) -> None:
    assert said("127.0.0.1", answering(answer), "secret", "PING", within_s=20) == means


@pytest.mark.parametrize(
    "answer",
    [b"-WRONGPASS no\r\n-NOAUTH no\r\n", b"+OK\r\n-NOREPLICAS no\r\n", b"", b"+OK\r\n"],
)
def test_what_is_no_answer(answering: Answering, answer: bytes) -> None:
    with pytest.raises(Refused):
        said("127.0.0.1", answering(answer), "secret", "PING", within_s=20)
