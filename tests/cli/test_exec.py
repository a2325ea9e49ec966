"""`harness exec`: streams, terminals and ends, as a person meets them."""

import asyncio
import fcntl
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.procfs import command_words
from harness.wait import until
from tests.cli.clusters import HARNESS, ROOT, harness, up

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")
SOON_S = 20.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with up("single-site", "--software", "redis") as run_id:
        yield run_id


def command(cluster: str, *words: str) -> list[str]:
    return [*HARNESS, "exec", "--cluster", cluster, "n1", "--", *words]


def running(argument: str) -> list[int]:
    """Sleeping processes of this host, by their argument."""
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())
    return [pid for pid in pids if command_words(pid) == ("sleep", argument)]


def wait_for(condition: Callable[[], object], what: str) -> None:
    asyncio.run(until(condition, within_s=SOON_S, what=what))


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("nonexistent", 127), ("kill -9 $$", 137), ("", 0)])
def test_the_exit_code_is_the_commands(cluster: str, script: str, code: int) -> None:
    assert subprocess.run(command(cluster, "sh", "-c", script), cwd=ROOT, check=False).returncode == code


@pytest.mark.parametrize(
    "loop", ["while read x; do {command}; echo $x; done < list", "cat list | (read x; {command}; cat)"]
)
def test_what_the_command_does_not_read_is_left_in_standard_input(cluster: str, loop: str, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("a\nb\nc\n")
    words = "PYTHONPATH=" + str(ROOT) + " " + " ".join(command(cluster, "hostname"))
    done = subprocess.run(
        ["sh", "-c", loop.format(command=words)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout in ("n1\na\nn1\nb\nn1\nc\n", "n1\nb\nc\n")


def test_it_does_not_wait_for_input_that_nobody_reads(cluster: str) -> None:
    reading, writing = os.pipe()
    try:
        done = subprocess.run(
            command(cluster, "hostname"), cwd=ROOT, stdin=reading, capture_output=True, check=True, timeout=SOON_S
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert done.stdout == b"n1\n"


def test_much_goes_in_and_comes_out(cluster: str, tmp_path: Path) -> None:
    much = os.urandom(20 << 20)
    (tmp_path / "much").write_bytes(much)
    by_pipe = subprocess.run(command(cluster, "cat"), cwd=ROOT, input=much, capture_output=True, check=True)
    with (tmp_path / "much").open("rb") as file:
        from_file = subprocess.run(command(cluster, "cat"), cwd=ROOT, stdin=file, capture_output=True, check=True)
    assert by_pipe.stdout == much
    assert from_file.stdout == much


def test_input_can_be_withheld(cluster: str) -> None:
    done = harness("exec", "--cluster", cluster, "--no-stdin", "n1", "--", "cat", stdin="kept")
    assert (done.returncode, done.stdout) == (0, "")


def test_both_directions_flow_while_it_runs_and_outputs_stay_apart(cluster: str) -> None:
    script = "while read word; do echo got $word; echo heard $word > /dev/stderr; done"
    with subprocess.Popen(
        command(cluster, "sh", "-c", script),
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        for word in ("one", "two"):
            process.stdin.write(f"{word}\n")
            assert process.stdout.readline() == f"got {word}\n"
            assert process.stderr.readline() == f"heard {word}\n"
        process.stdin.close()
        assert process.wait(SOON_S) == 0
        assert process.stdout.read() == ""


def test_a_daemon_left_behind_is_not_waited_for(cluster: str) -> None:
    done = subprocess.run(
        command(cluster, "sh", "-c", "sleep 4321 & echo started"),
        cwd=ROOT,
        capture_output=True,
        timeout=SOON_S,
        check=True,
    )
    assert done.stdout == b"started\n"
    assert len(running("4321")) == 1


def test_a_daemon_that_goes_on_writing_is_not_waited_for(cluster: str) -> None:
    with subprocess.Popen(command(cluster, "sh", "-c", "yes & sleep 0.1"), cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while process.stdout.read(1 << 16):
            pass
        assert process.wait(SOON_S) == 0
    harness("exec", "--cluster", cluster, "n1", "--", "pkill", "-x", "yes")


def test_who_reads_no_more_ends_the_command(cluster: str) -> None:
    with subprocess.Popen(command(cluster, "yes"), cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(SOON_S) == 128 + signal.SIGPIPE


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_command_ends_with_its_caller_and_so_do_its_children(cluster: str, number: signal.Signals) -> None:
    script = "sleep 5001 & (setsid sleep 5002; true) & sh -c 'sleep 5003; true' & echo up; sleep 5004"
    # Whoever runs the tests may ignore signals (nohup, a shell's background), and a program would inherit that.
    words = ["env", "--default-signal", *command(cluster, "sh", "-c", script)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        wait_for(lambda: all(running(f"500{one}") for one in "1234"), "all of them run")
        process.send_signal(number)
        assert process.wait(SOON_S) in (-number, 128 + number)
        wait_for(lambda: not any(running(f"500{one}") for one in "1234"), "all of them have ended")


def test_output_that_cannot_be_written_is_one_line(cluster: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command(cluster, "echo", "x"), cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "No space left on device" in done.stderr


# Shows the command no run but $2, in namespaces of its own; $1 is an empty directory.
ALONE = """
mount -t tmpfs none "$1"
mkdir "$1/$2"
mount --bind "/run/harness/$2" "$1/$2"
mount --rbind "$1" /run/harness
shift 2
exec "$@"
"""


def test_the_cluster_is_named_where_the_caller_did_not(cluster: str, tmp_path: Path) -> None:
    private = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", ALONE, "sh", str(tmp_path), cluster]
    words = ["exec", "n1", "--", "sh", "-c", "echo said >&2"]
    done = subprocess.run([*private, *HARNESS, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"harness: n1 of cluster {cluster}\nsaid\n"
    done = harness("exec", "--cluster", cluster, "n1", "--", "true")
    assert done.stderr == ""


class Terminal:
    """A terminal with `harness exec` in it, and what it has shown so far."""

    def __init__(self, master: int, pid: int) -> None:
        self.master, self.pid, self.shown = master, pid, ""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def until(self, text: str) -> None:
        while text not in self.shown:
            try:
                piece = os.read(self.master, 4096)
            except OSError:
                piece = b""
            assert piece, f"no {text!r} in {self.shown!r}"
            self.shown += piece.decode(errors="replace").replace("\r", "")

    def exit_code(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@contextmanager
def terminal(words: list[str]) -> Iterator[Terminal]:
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        termios.tcsetwinsize(0, (31, 97))
        os.execvpe(words[0], words, {**os.environ, "TERM": "xterm"})
    try:
        yield Terminal(master, pid)
    finally:
        os.close(master)


def test_a_shell_in_a_terminal_is_a_shell(cluster: str) -> None:
    with terminal(command(cluster, "sh")) as person:
        person.until("# ")
        person.type("tty; stty size; echo $TERM; echo joined-$((40 + 2))\n")
        person.until("joined-42")
        assert "/dev/pts/" in person.shown
        assert "31 97" in person.shown
        assert "xterm" in person.shown
        termios.tcsetwinsize(person.master, (40, 120))
        os.kill(person.pid, signal.SIGWINCH)
        person.type("stty size; echo resized\n")
        person.until("40 120")
        person.type("sleep 6001\n")
        wait_for(lambda: running("6001"), "the command runs")
        person.type("\x03")
        wait_for(lambda: not running("6001"), "Ctrl-C has ended the command")
        person.type("echo still-$((1 + 1))\n")
        person.until("still-2")
        person.type("(exit 3)\n\x04")
        assert person.exit_code() == 3


def test_a_terminal_that_goes_away_takes_the_command_with_it(cluster: str) -> None:
    with terminal(command(cluster, "sh", "-c", "echo up; trap '' HUP; sleep 6002; sleep 6003")) as person:
        person.until("up")
        wait_for(lambda: running("6002"), "the command runs")
        os.kill(person.pid, signal.SIGKILL)
        os.waitpid(person.pid, 0)
        wait_for(lambda: not running("6002") + running("6003"), "the command has ended")


def test_a_window_that_is_closed_is_an_end_and_no_fault_of_ours(cluster: str) -> None:
    with terminal(["env", "--default-signal", *command(cluster, "sh", "-c", "echo up; sleep 6004")]) as person:
        person.until("up")
    assert person.exit_code() == 128 + signal.SIGHUP
    wait_for(lambda: not running("6004"), "the command has ended")


def test_our_terminal_is_as_it_was(cluster: str) -> None:
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        command(cluster, "stty", "-a"), cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    assert process.wait(SOON_S) == 0
    assert termios.tcgetattr(slave) == before
    fcntl.fcntl(master, fcntl.F_SETFL, os.O_NONBLOCK)
    assert b"speed" in os.read(master, 4096)
    os.close(master)
    os.close(slave)
