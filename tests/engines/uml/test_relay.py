"""A process that stands for a command of a node: over a real connection to an agent, on this kernel."""

import asyncio
import os
import signal
import socket
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Iterator

import pytest

from harness.engines.uml.guest import agent
from harness.engines.uml.relay import POWER_LOST, relaying
from harness.procfs import process_state
from harness.wait import until

SOON_S = 10.0
Spawn = Callable[..., Awaitable[Process]]


@pytest.fixture
def connections() -> Iterator[Callable[[], socket.socket]]:
    """Connections to an agent."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def connect() -> socket.socket:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
        threads.append(threading.Thread(target=agent.attend, args=(theirs,), daemon=True))
        threads[-1].start()
        return ours

    yield connect
    listener.close()
    for thread in threads:
        thread.join(SOON_S)
        assert not thread.is_alive()


@pytest.fixture
def spawn(connections: Callable[[], socket.socket]) -> Spawn:
    """Starts a command through a process of ours."""

    async def start(*command: str) -> Process:
        request = {"do": "run", "command": command, "stdin": "stream", "environment": {"PATH": os.environ["PATH"]}}
        with connections() as connection:
            line = relaying(connection.fileno(), request)
            return await asyncio.create_subprocess_exec(
                *line, stdin=PIPE, stdout=PIPE, stderr=PIPE, pass_fds=(connection.fileno(),)
            )

    return start


async def test_it_carries_all_streams_and_ends_as_the_command_does(spawn: Spawn) -> None:
    process = await spawn("sh", "-c", "cat; echo err >&2; exit 7")
    sent = os.urandom(1 << 20)
    assert await asyncio.wait_for(process.communicate(sent), SOON_S) == (sent, b"err\n")
    assert process.returncode == 7


async def test_the_command_ends_when_it_is_killed(spawn: Spawn) -> None:
    process = await spawn("sh", "-c", "echo $$; exec sleep 1000")
    assert process.stdout is not None
    pid = int(await asyncio.wait_for(process.stdout.readline(), SOON_S))
    process.kill()
    await process.wait()
    await until(lambda: is_gone(pid), within_s=SOON_S, what="the command ends")


def is_gone(pid: int) -> bool:
    return not os.path.exists(f"/proc/{pid}") or process_state(pid) in "ZX"  # noqa: PTH110


async def test_a_connection_that_breaks_is_a_node_that_lost_its_power() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, socket.create_connection(listener.getsockname()) as connection:
        line = relaying(connection.fileno(), {"do": "hello"})
        process = await asyncio.create_subprocess_exec(*line, stdin=PIPE, pass_fds=(connection.fileno(),))
        far, _ = listener.accept()
        far.close()
    assert await asyncio.wait_for(process.wait(), SOON_S) == POWER_LOST == 128 + signal.SIGKILL
