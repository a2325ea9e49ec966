"""Commands in the node, with what they read and write."""

import _signal as signal  # type: ignore[import-not-found]
import _socket
import errno
import fcntl
import os
import select
import struct

from .system import read_file
from .wire import CHUNK_BYTES, ERRORS, INPUT, INPUT_ENDS, OUTPUT, SIZE, STARTED, Incoming, frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_LAST_PIECES = 256
"""More than fit into a pipe at once."""


def run(incoming: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    """A command, with what it reads and writes; what it leaves behind in the background is not waited for."""
    command, streams, own_session = request["command"], _Streams(), True
    try:
        if (size := request.get("terminal")) is not None:
            command, own_session = ["setsid", "-c", *command], False
            ends = streams.terminal(size)
        else:
            ends = streams.files(incoming, request["stdin"])
        incoming.connection.sendall(frame(STARTED))
        try:
            child = os.posix_spawnp(
                command[0], command, os.environ | request.get("environment", {}),
                file_actions=[(os.POSIX_SPAWN_DUP2, end, number) for number, end in enumerate(ends)],
                setsid=own_session,
                setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ),
            )  # fmt: skip
        except OSError as error:
            words = f"{command[0]}: {os.strerror(error.errno or 0)}\n"
            incoming.connection.sendall(frame(ERRORS, words.encode()))
            return {"exit_code": 127 if error.errno == errno.ENOENT else 126}
        streams.close_theirs()
        code = _carried(incoming, streams, child)
        return {"exit_code": code if code >= 0 else 128 - code}
    finally:
        streams.close()


def _carried(incoming: Incoming, streams: "_Streams", child: int) -> int:
    """See a command to its end; with the one who asked for it, it ends as well."""
    process = os.pidfd_open(child)
    try:
        streams.carry(incoming, process)
    except OSError:
        _kill_all_of(child)
        raise
    finally:
        os.close(process)
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


class _Streams:
    """A command's streams: our ends, and until it has been started, its own."""

    def __init__(self) -> None:
        self._sources: dict[int, bytes] = {}
        self._sink: int | None = None
        self._is_terminal = False
        self._theirs: set[int] = set()
        self._waiting = b""
        self._ends = False

    def close_theirs(self) -> None:
        """The command has its own now."""
        while self._theirs:
            os.close(self._theirs.pop())

    def close(self) -> None:
        """No more."""
        self.close_theirs()
        for descriptor in {*self._sources, *(() if self._sink is None else (self._sink,))}:
            os.close(descriptor)
        self._sources, self._sink = {}, None

    def terminal(self, size: list[int]) -> tuple[int, int, int]:
        """One terminal for all."""
        ours, theirs = os.openpty()
        self._theirs.add(theirs)
        os.set_blocking(ours, False)
        self._sources[ours], self._sink, self._is_terminal = OUTPUT, ours, True
        self._resize(struct.pack("!HH", *size))
        return theirs, theirs, theirs

    def _resize(self, content: bytes) -> None:
        if self._is_terminal and self._sink is not None:
            import termios

            rows, columns = struct.unpack("!HH", content)
            fcntl.ioctl(self._sink, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def files(self, incoming: Incoming, stdin: str) -> tuple[int, int, int]:
        """Pipes for what it writes; its input given beforehand, streamed, or none."""
        if stdin == "given":
            # A file rather than a pipe: a command that does not read its input cannot block anybody.
            source = os.memfd_create("stdin")
            self._theirs.add(source)
            incoming.everything(source)
            os.lseek(source, 0, os.SEEK_SET)
        elif stdin == "stream":
            source, self._sink = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(self._sink, False)
        else:
            source = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self._theirs.add(source)
        return source, self._output(OUTPUT), self._output(ERRORS)

    def _output(self, kind: bytes) -> int:
        source, end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(source, False)
        self._sources[source] = kind
        self._theirs.add(end)
        return end

    def carry(self, incoming: Incoming, process: int) -> None:
        """Carry everything until the process has ended. OSError when the other side goes before that."""
        connection = incoming.connection
        while True:
            if incoming.pending() and not self._waiting:
                self._take(incoming)
            ready = self._poll(connection, process)
            self._move(incoming, ready)
            if process in ready:
                break
        for source in list(self._sources):  # what was written before the end; a daemon may be writing still
            for _ in range(_LAST_PIECES):
                if not self._pass_on(connection, source):
                    break

    def _move(self, incoming: Incoming, ready: dict[int, int]) -> None:
        for source in [each for each in self._sources if ready.get(each, 0) & ~select.POLLOUT]:
            self._pass_on(incoming.connection, source)
        if self._sink is not None and ready.get(self._sink, 0) & ~select.POLLIN:
            self._offer()
        events = ready.get(incoming.connection.fileno(), 0)
        if events & select.POLLIN:
            self._take(incoming)
        elif events:
            raise ConnectionError("the other side has gone")

    def _poll(self, connection: _socket.socket, process: int) -> dict[int, int]:
        poll, wanted = select.poll(), dict.fromkeys(self._sources, select.POLLIN)
        wanted[process] = select.POLLIN
        # Input that the command has not taken yet keeps the rest waiting where it comes from.
        wanted[connection.fileno()] = select.POLLRDHUP | (0 if self._waiting else select.POLLIN)
        if self._waiting and self._sink is not None:
            wanted[self._sink] = wanted.get(self._sink, 0) | select.POLLOUT
        for descriptor, events in wanted.items():
            poll.register(descriptor, events)
        return dict(poll.poll())

    def _pass_on(self, connection: _socket.socket, source: int) -> bool:
        try:
            chunk = os.read(source, CHUNK_BYTES)
        except BlockingIOError:
            return False
        except OSError:  # of a terminal: nobody has its other end
            chunk = b""
        if chunk:
            connection.sendall(frame(self._sources[source], chunk))
        else:
            del self._sources[source]
            if source == self._sink:
                self._sink = None
            os.close(source)
        return bool(chunk)

    def _take(self, incoming: Incoming) -> None:
        for kind, content in incoming.receive():
            if kind == INPUT:
                self._waiting += content
            elif kind == INPUT_ENDS:
                self._ends = True
            elif kind == SIZE:
                self._resize(content)
        self._offer()

    def _offer(self) -> None:
        try:
            while self._waiting and self._sink is not None:
                self._waiting = self._waiting[os.write(self._sink, self._waiting) :]
        except BlockingIOError:
            return
        except OSError:  # nobody reads it any more
            self._waiting = b""
        if self._sink is None:
            self._waiting = b""
        elif self._ends and not self._waiting and not self._is_terminal:
            os.close(self._sink)
            self._sink = None


def _kill_all_of(leader: int) -> None:
    """SIGKILL a command, all in its session, and all descendants of these; a daemon that has left both stays."""
    doomed: set[int] = set()
    found = {leader}
    while found:
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:  # it has ended
                continue
        doomed |= found
        found = {pid for pid, parent, session in _processes() if {parent, session} & doomed} - doomed


def _processes() -> "Iterator[tuple[int, int, int]]":
    """Of each that lives: its id, its parent's and its session's."""
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                fields = read_file(f"/proc/{name}/stat").rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            if fields[0] not in "ZX":
                yield int(name), int(fields[1]), int(fields[3])
