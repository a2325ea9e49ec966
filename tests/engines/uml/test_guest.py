"""The agent in a node with a kernel of its own, asked over a pair of sockets, on this kernel."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.engines.uml.guest import agent
from harness.engines.uml.guest.watch import CLOCK, QUESTION
from harness.engines.uml.guest.wire import (
    ERRORS,
    INPUT,
    INPUT_ENDS,
    OUTPUT,
    REQUEST,
    RESULT,
    STARTED,
    Frames,
    decode,
    encode,
    frame,
)
from harness.procfs import process_state
from harness.wait import until

SOON_S = 10.0


@dataclass
class Asked:
    """One request: what came back, and how."""

    connection: socket.socket
    frames: list[tuple[bytes, bytes]] = field(default_factory=list)
    _incoming: Frames = field(default_factory=Frames)

    def send(self, kind: bytes, content: bytes = b"") -> None:
        """One frame more."""
        self.connection.sendall(frame(kind, content))

    def until(self, kind: bytes) -> bytes:
        """Wait for the first frame of this kind; gives what is in it."""
        while not (found := [content for one, content in self.frames if one == kind]):
            data = self.connection.recv(1 << 16)
            assert data, f"the agent hung up after {self.frames}"
            self.frames += self._incoming.feed(data)
        return found[0]

    def result(self) -> dict[str, Any]:
        """What it says in the end."""
        found: dict[str, Any] = decode(self.until(RESULT))
        return found

    def all_of(self, kind: bytes) -> bytes:
        """What came in frames of this kind until the end."""
        self.until(RESULT)
        return b"".join(content for one, content in self.frames if one == kind)


Ask = Callable[..., Asked]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Sends a request to an agent of its own."""
    opened: list[tuple[socket.socket, threading.Thread]] = []

    def send(**request: object) -> Asked:
        ours, theirs = socket.socketpair()
        thread = threading.Thread(target=agent.attend, args=(theirs,), daemon=True)
        opened.append((ours, thread))
        thread.start()
        ours.settimeout(SOON_S)
        ours.sendall(frame(REQUEST, encode(request)))
        return Asked(ours)

    yield send
    for ours, thread in opened:
        ours.close()
        thread.join(SOON_S)
        assert not thread.is_alive()


def run(ask: Ask, *command: str, stdin: str = "none") -> Asked:
    return ask(do="run", command=command, stdin=stdin, environment={"PATH": os.environ["PATH"]})


def test_a_command_gives_exit_code_and_both_outputs(ask: Ask) -> None:
    asked = run(ask, "sh", "-c", "echo out; echo err >&2; exit 3")
    assert asked.result() == {"exit_code": 3}
    assert (asked.all_of(OUTPUT), asked.all_of(ERRORS)) == (b"out\n", b"err\n")


def test_how_a_command_could_not_be_run_is_told_as_a_shell_does(ask: Ask, tmp_path: Path) -> None:
    absent = run(ask, "no-such-program")
    assert absent.result() == {"exit_code": 127}
    assert b"no-such-program" in absent.all_of(ERRORS)
    (tmp_path / "plain").write_text("")
    assert run(ask, str(tmp_path / "plain")).result() == {"exit_code": 126}
    assert run(ask, "sh", "-c", "kill -9 $$").result() == {"exit_code": 137}


def test_any_amount_of_input_is_given_beforehand(ask: Ask) -> None:
    sent = os.urandom(3 << 20)
    asked = run(ask, "cat", stdin="given")
    for begin in range(0, len(sent), 1 << 16):
        asked.send(INPUT, sent[begin : begin + (1 << 16)])
    asked.send(INPUT_ENDS)
    assert asked.all_of(OUTPUT) == sent


def test_input_is_streamed_to_a_command_that_runs_and_waits_for_it_to_be_read(ask: Ask) -> None:
    asked = run(ask, "sh", "-c", "read first; echo got $first; cat", stdin="stream")
    asked.send(INPUT, b"one\n")
    assert asked.until(OUTPUT) == b"got one\n"
    sent = os.urandom(1 << 20)
    sender = threading.Thread(target=lambda: asked.connection.sendall(frame(INPUT, sent) + frame(INPUT_ENDS)))
    sender.start()
    assert asked.all_of(OUTPUT) == b"got one\n" + sent
    sender.join()


def test_a_daemon_that_is_left_behind_is_not_waited_for(ask: Ask) -> None:
    asked = run(ask, "sh", "-c", "sleep 1000 & echo $!")
    assert asked.result() == {"exit_code": 0}
    os.kill(int(asked.all_of(OUTPUT)), 9)


async def test_a_command_ends_with_whoever_asked_for_it_and_a_daemon_does_not(ask: Ask) -> None:
    asked = run(ask, "sh", "-c", "sleep 1000 & echo $!; setsid -f sh -c 'echo $$; exec sleep 1000'; sleep 1000")
    lines: list[bytes] = []
    while len(lines) < 2:
        asked.frames.clear()
        lines += asked.until(OUTPUT).splitlines()
    child, daemon = map(int, lines)
    asked.connection.close()
    await until(lambda: is_gone(child), within_s=SOON_S, what="the command's child ends")
    assert not is_gone(daemon)
    os.kill(daemon, 9)


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists() or process_state(pid) in "ZX"


def test_a_command_gets_a_terminal_of_the_size_of_ours(ask: Ask) -> None:
    asked = ask(
        do="run", command=["sh", "-c", "tty > /dev/null && stty size; read line; echo $line"],
        stdin="stream", terminal=[31, 97], environment={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    asked.until(STARTED)
    asked.send(INPUT, b"typed\n")
    assert asked.result() == {"exit_code": 0}
    assert b"31 97" in asked.all_of(OUTPUT)
    assert asked.all_of(OUTPUT).rstrip().endswith(b"typed")


def test_files_are_written_whole_and_read(ask: Ask, tmp_path: Path) -> None:
    path, content = tmp_path / "deep/down/file", os.urandom(200_000)
    asked = ask(do="write", path=str(path), mode=0o640)
    asked.send(INPUT, content)
    asked.send(INPUT_ENDS)
    assert asked.result() == {}
    assert path.stat().st_mode & 0o777 == 0o640
    assert ask(do="read", path=str(path)).all_of(OUTPUT) == content
    assert ask(do="read", path=str(tmp_path / "absent")).result()["errno"] == 2


def test_a_tree_comes_with_names_and_the_ends_of_long_files(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"begin-end")
    (tmp_path / "below").mkdir()
    (tmp_path / "below/b").write_bytes(b"b")
    (tmp_path / "link").symlink_to("a")
    asked = ask(do="tree", directory=str(tmp_path), limit_bytes=3)
    assert sorted(asked.result()["sizes"]) == [[str(tmp_path / "a"), 3], [str(tmp_path / "below/b"), 1]]
    assert sorted(asked.all_of(OUTPUT)) == sorted(b"endb")


def test_what_is_torn_is_put_together() -> None:
    sent = frame(OUTPUT, b"abc") + frame(RESULT, b"{}")
    frames = Frames()
    assert [one for byte in sent for one in frames.feed(bytes([byte]))] == [(OUTPUT, b"abc"), (RESULT, b"{}")]


def test_values_are_told_as_they_are() -> None:
    value = {"do": "run", "none": None, "number": -3, "list": ["a", "", "\udcff", "ü;"], "nested": {"x": [1, {}]}}
    assert decode(encode(value)) == value


def test_the_time_is_told_also_when_the_question_comes_with_the_request() -> None:
    ours, theirs = socket.socketpair()
    question = frame(INPUT, QUESTION.pack(7))
    ours.sendall(frame(REQUEST, encode({"do": "watch", "protocols": []})) + question)
    thread = threading.Thread(target=agent.attend, args=(theirs,), daemon=True)
    thread.start()
    ours.settimeout(SOON_S)
    number, said_s = CLOCK.unpack(Asked(ours).until(INPUT))
    assert (number, abs(said_s - time.monotonic()) < SOON_S) == (7, True)
    ours.close()
    thread.join(SOON_S)
