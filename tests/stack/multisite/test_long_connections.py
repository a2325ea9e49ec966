"""Connections that stay: changes of configuration leave them alone, a backend that dies ends its own and no others."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.stack.multisite.places import HERE, answers, eventually, free_ports, running
from tests.stack.multisite.platform import DOMAIN, Platform, platform

MANY, CHANGES, WITHIN_S = 100, 20, 20.0
AGAIN_WITHIN_S = 5.0
"""On a busy machine; what is to be seen is that it is no matter of time-outs."""
ASKED = f"GET / HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n".encode()


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Platform]:
    with platform(tmp_path) as one:
        yield one


@contextmanager
def speaker(folder: Path, name: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A backend of long connections."""
    with running([sys.executable, str(HERE / "echo_process.py"), name, str(port)], folder, name) as process:
        assert eventually(lambda: answers(port))
        yield process


@dataclass
class Line:
    """One long connection, to a backend of that name."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    name: str

    @classmethod
    async def open(cls, port: int) -> "Line":
        """By the edge. Raises OSError, EOFError where it is not taken."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASKED)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.splitlines()[0]:
            writer.close()
            raise ConnectionError(head.decode())
        return cls(reader, writer, (await reader.readline()).decode().strip())

    async def lives(self) -> bool:
        """Whether what is said comes back."""
        try:
            self.writer.write(b"still there\n")
            async with asyncio.timeout(AGAIN_WITHIN_S):
                return await self.reader.readline() == b"still there\n"
        except (OSError, EOFError, TimeoutError):
            return False


async def opened(port: int, many: int) -> list[Line]:
    return list(await asyncio.gather(*(Line.open(port) for _ in range(many))))


async def opened_to(port: int, names: set[str]) -> list[Line]:
    """As many as ever, to all of these: the edge hears a moment after the platform that one of them is up."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            lines = await opened(port, MANY)
            if {one.name for one in lines} == names:
                return lines
            for one in lines:
                one.writer.close()


@pytest.mark.promise("S3-34", "S3-37")
async def test_changes_of_configuration_close_none(whole: Platform, tmp_path: Path) -> None:
    ports = free_ports(2)
    with speaker(tmp_path, "one", ports[0]), speaker(tmp_path, "other", ports[1]):
        whole.declare({"port": ports[0]}, {"port": ports[1]})
        assert await asyncio.to_thread(eventually, whole.all_up)
        lines = await opened_to(whole.public, {"one", "other"})
        loads = whole.summary()["edge"]["loads"]
        served = 0
        for number in range(CHANGES):
            body = {"name": f"more{number}", "domains": [f"more{number}.test"]}
            answer = await asyncio.to_thread(whole.api, "POST", "/services", json=body)
            assert answer.status_code == 201
            # Each by itself: the platform may not have seen the change yet that it was just told of.
            loaded = partial(whole.has_loaded, loads + number + 1)
            assert await asyncio.to_thread(eventually, loaded)
            served += (await asyncio.to_thread(whole.get)).status_code == 200
        assert served == CHANGES, "whoever comes after a change is served"
        assert all(await asyncio.gather(*(one.lives() for one in lines)))
        for one in lines:
            one.writer.close()


@pytest.mark.promise("S3-37")
async def test_a_backend_that_dies_ends_its_own_which_are_open_again_at_once(whole: Platform, tmp_path: Path) -> None:
    ports = free_ports(2)
    with speaker(tmp_path, "one", ports[0]) as dying, speaker(tmp_path, "other", ports[1]):
        whole.declare({"port": ports[0]}, {"port": ports[1]})
        assert await asyncio.to_thread(eventually, whole.all_up)
        lines = await opened_to(whole.public, {"one", "other"})
        mine, others = ([one for one in lines if (one.name == "one") is his] for his in (True, False))
        dying.kill()
        begun_s = asyncio.get_running_loop().time()
        async with asyncio.timeout(AGAIN_WITHIN_S):
            await asyncio.gather(*(one.reader.read() for one in mine))
        again = await opened(whole.public, len(mine))
        took_s = asyncio.get_running_loop().time() - begun_s
        assert {one.name for one in again} == {"other"}
        assert took_s < AGAIN_WITHIN_S
        assert all(await asyncio.gather(*(one.lives() for one in others)))
        for one in (*lines, *again):
            one.writer.close()
