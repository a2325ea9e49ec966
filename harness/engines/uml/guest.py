"""What a node with a kernel of its own begins with, and what in it does as the harness asks.

The kernel starts this as process 1, on a read-only view of the image. It puts the node's disk over that, mounts what
a node has, leaves an agent behind and becomes the node's real process 1. The agent listens on a network interface in
a namespace of its own, so that the node sees neither; each connection is one request.

This file is copied into the node and runs there: standard modules only, and only those that load quickly, since every
boot waits for them. (So pathlib, json, typing and the like are not among them.)
"""

# ruff: noqa: PTH

import _signal as signal
import _socket
import ctypes
import errno
import fcntl
import os
import select
import struct
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

HOME = "/usr/lib/harness-node"
SETTINGS = f"{HOME}/kernel.settings"
MODULES = f"{HOME}/modules"
"""Where the host shows the kernel's modules."""
ADDRESS, HOST_ADDRESS, PREFIX_LENGTH, PORT = "169.254.77.2", "169.254.77.1", 30, 77
CABLE = "vec1"
"""What the kernel calls the interface that it is given when the node is plugged in."""

# Frames: kind, length, content.
HEADER = struct.Struct("!cI")
REQUEST, INPUT, INPUT_ENDS, SIZE = b"q", b"i", b"e", b"w"
STARTED, OUTPUT, ERRORS, RESULT = b"p", b"o", b"r", b"x"
CHUNK_BYTES = 1 << 16
LAST_PIECES = 256
"""More than fit into a pipe at once."""

_CLONE_NEWNET = 0x40000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND = 2, 4, 8, 4096
_MNT_DETACH = 2
_FINIT_MODULE, _PIVOT_ROOT = 313, 155
_LINK_WITHIN_S = 10.0
_HALT_EVERY_S = 0.25
_WAITS_FOR_CABLE = "/run/harness-cable"
"""A named pipe: the boot script waits for somebody to open it (see boot.sh)."""
_libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """What was asked for cannot be done; the message goes back to whoever asked."""


def encode(value: "Any") -> bytes:
    """None, numbers, texts, lists of such and dictionaries by text, as bytes."""
    if value is None:
        return b"n"
    if isinstance(value, int):
        return b"i%d;" % value
    if isinstance(value, str):
        text = value.encode(errors="surrogateescape")
        return b"s%d;" % len(text) + text
    if isinstance(value, (list, tuple)):
        return b"l%d;" % len(value) + b"".join(map(encode, value))
    pieces = b"".join(encode(name) + encode(one) for name, one in value.items())
    return b"d%d;" % len(value) + pieces


def decode(data: bytes) -> "Any":
    """The value that was encoded."""
    return _decoded(data, 0)[0]


def _decoded(data: bytes, at: int) -> "tuple[Any, int]":
    kind = data[at : at + 1]
    if kind == b"n":
        return None, at + 1
    end = data.index(b";", at)
    number, at = int(data[at + 1 : end]), end + 1
    if kind == b"i":
        return number, at
    if kind == b"s":
        return data[at : at + number].decode(errors="surrogateescape"), at + number
    found = []
    for _ in range(number if kind == b"l" else 2 * number):
        value, at = _decoded(data, at)
        found.append(value)
    return (found if kind == b"l" else dict(zip(found[::2], found[1::2], strict=True))), at


def frame(kind: bytes, content: bytes = b"") -> bytes:
    """One frame, ready to be sent."""
    return HEADER.pack(kind, len(content)) + content


class Frames:
    """Takes apart what is received."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> "Iterator[tuple[bytes, bytes]]":
        """The frames that are complete now."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            kind, length = HEADER.unpack_from(self._buffer)
            if len(self._buffer) < HEADER.size + length:
                return
            content = bytes(self._buffer[HEADER.size : HEADER.size + length])
            del self._buffer[: HEADER.size + length]
            yield kind, content


# --- becoming a node -------------------------------------------------------------------------------------


def main() -> None:
    """From the kernel's first process to the node's."""
    _mount("proc", "/proc", "proc")
    settings = decode(_read_file(SETTINGS).encode())
    load_module("overlay")
    _mount("/dev/ubda", "/mnt", "ext4", data="noinit_itable")
    _mount("overlay", "/mnt/root", "overlay", data="lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work")
    _check(_libc.syscall(_PIVOT_ROOT, b"/mnt/root", b"/mnt/root/mnt"), "change the root")
    os.chdir("/")
    _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    _check(_libc.umount2(b"/mnt", _MNT_DETACH), "let go of the image")
    _mount_everything(settings["shm_bytes"])
    _console()
    os.umask(0o022)
    os.environ.clear()
    os.environ.update(settings["environment"])
    _socket.sethostname(settings["hostname"])
    _offer_modules()
    for module in settings["modules"]:
        load_module(module)
    for name, value in settings["sysctls"].items():
        try:
            _write_file("/proc/sys/" + name.replace(".", "/"), value)
        except OSError:  # a kernel without it
            continue
    _limit_files(settings["nofile"])
    any_socket = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    _set_up(any_socket, "lo")
    any_socket.close()
    os.mkfifo(_WAITS_FOR_CABLE)
    listener = _listen()
    if os.fork() == 0:
        _serve(listener)
        os._exit(1)
    listener.close()
    os.execv(settings["process_1"][0], settings["process_1"])


def _read_file(path: str) -> str:
    with open(path) as stream:
        return stream.read()


def _write_file(path: str, text: str) -> None:
    with open(path, "w") as stream:
        stream.write(text)


def _make_directories(path: str) -> None:
    os.makedirs(path, exist_ok=True)


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot {what}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    result = _libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode())
    _check(result, f"mount {kind} on {target}")


def _mount_everything(shm_bytes: int) -> None:
    safe = _MS_NOSUID | _MS_NODEV
    _mount("sysfs", "/sys", "sysfs", safe | _MS_NOEXEC)
    _mount("devtmpfs", "/dev", "devtmpfs", _MS_NOSUID)
    for name in ("pts", "shm", "mqueue"):
        _make_directories(f"/dev/{name}")
    _mount("devpts", "/dev/pts", "devpts", _MS_NOSUID | _MS_NOEXEC, "ptmxmode=0666,mode=0620,gid=5")
    _mount("tmpfs", "/dev/shm", "tmpfs", safe, f"mode=1777,size={shm_bytes}")
    _mount("mqueue", "/dev/mqueue", "mqueue", safe | _MS_NOEXEC)
    _mount("tmpfs", "/run", "tmpfs", safe, "mode=755")
    _mount("tmpfs", "/tmp", "tmpfs", safe, "mode=1777")
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        if not os.path.lexists(f"/dev/{name}"):
            os.symlink(f"/proc/self/{target}", f"/dev/{name}")


def _console() -> None:
    console = os.open("/dev/console", os.O_RDWR)
    for number in range(3):
        os.dup2(console, number)
    if console > 2:
        os.close(console)


def _limit_files(wanted: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))


def _offer_modules() -> None:
    """Have the kernel find its modules: by kmod(8) where the image has it, by this program where not."""
    release = os.uname().release
    place = f"/lib/modules/{release}"
    if not os.path.lexists(place):
        _make_directories("/lib/modules")
        os.symlink(f"{MODULES}/{release}", place)
    if not os.path.exists("/sbin/modprobe"):
        _write_file("/proc/sys/kernel/modprobe", f"{HOME}/modprobe")


def load_module(name: str) -> None:
    """Load a module, by its name or an alias of it, and what it needs. Refused when the kernel has none."""
    directory = f"{MODULES}/{os.uname().release}"
    wanted = name.replace("-", "_")
    needs: dict[str, list[str]] = {}
    for line in _read_file(f"{directory}/modules.dep").splitlines():
        path, _, others = line.partition(":")
        needs[path] = others.split()
    by_name = {_module_name(path): path for path in needs}
    if wanted not in by_name:
        if any(_module_name(path) == wanted for path in _read_file(f"{directory}/modules.builtin").split()):
            return
        import fnmatch

        aliases = (line.split() for line in _read_file(f"{directory}/modules.alias").splitlines())
        wanted = next((row[2] for row in aliases if row[:1] == ["alias"] and fnmatch.fnmatchcase(name, row[1])), "")
    if wanted not in by_name:
        raise Refused(f"this kernel ({os.uname().release}) has no module {name}")
    path = by_name[wanted]
    for one in (*reversed(needs[path]), path):
        _insert(f"{directory}/{one}")


def _module_name(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0].replace("-", "_")


def _insert(module: str) -> None:
    descriptor = os.open(module, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.syscall(_FINIT_MODULE, descriptor, b"", 0) < 0 and ctypes.get_errno() != errno.EEXIST:
            raise Refused(f"module {module}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(descriptor)


# --- interfaces ------------------------------------------------------------------------------------------

_SIOCADDRT, _SIOCSIFNAME, _SIOCSIFFLAGS = 0x890B, 0x8923, 0x8914
_SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCSIFHWADDR, _SIOCGIFFLAGS = 0x8916, 0x891C, 0x8924, 0x8913
_IFF_UP = 1
_RTM_NEWLINK, _NLM_F_REQUEST_ACK = 16, 5
_IFLA_OPERSTATE, _IFLA_LINKMODE, _IFLA_NET_NS_PID = 16, 17, 19
_OPER_UP, _MODE_DORMANT = 6, 1


def _listen() -> _socket.socket:
    """A socket in a namespace of its own, in which the interface to the harness is, too."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    netlink = _netlink()
    _check(_libc.unshare(_CLONE_NEWNET), "make a network namespace")
    _set_link(netlink, "vec0", struct.pack("HHI", 8, _IFLA_NET_NS_PID, os.getpid()))
    netlink.close()
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    _set_address(listener, "vec0", ADDRESS, PREFIX_LENGTH)
    _set_up(listener, "vec0")
    listener.bind((ADDRESS, PORT))
    listener.listen(128)
    _check(_libc.setns(home, _CLONE_NEWNET), "return to the node's network")
    os.close(home)
    return listener


def _netlink() -> _socket.socket:
    return _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, 0)


def _set_link(netlink: _socket.socket, name: str, *attributes: bytes) -> None:
    index = _index_in(name)
    content = struct.pack("BxHiII", 0, 0, index, 0, 0) + b"".join(attributes)
    netlink.send(struct.pack("IHHII", 16 + len(content), _RTM_NEWLINK, _NLM_F_REQUEST_ACK, 1, 0) + content)
    number = -struct.unpack_from("i", netlink.recv(4096), 16)[0]
    if number:
        raise OSError(number, f"cannot change {name}: {os.strerror(number)}")


def _index_in(name: str) -> int:
    return int(_read_file(f"/sys/class/net/{name}/ifindex"))


def _request(name: str, content: bytes = b"") -> bytes:
    return struct.pack("16s24s", name.encode(), content)


def _internet(address: str) -> bytes:
    return struct.pack("Hxx4s", _socket.AF_INET, _socket.inet_aton(address))


def _set_up(any_socket: _socket.socket, name: str) -> None:
    flags = struct.unpack_from("H", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, _request(name)), 16)[0]
    fcntl.ioctl(any_socket, _SIOCSIFFLAGS, _request(name, struct.pack("H", flags | _IFF_UP)))


def _set_address(any_socket: _socket.socket, name: str, address: str, prefix_length: int) -> None:
    mask = _socket.inet_ntoa(struct.pack("!I", 0xFFFFFFFF << 32 - prefix_length & 0xFFFFFFFF))
    fcntl.ioctl(any_socket, _SIOCSIFADDR, _request(name, _internet(address)))
    fcntl.ioctl(any_socket, _SIOCSIFNETMASK, _request(name, _internet(mask)))


def _plug(request: "dict[str, Any]") -> None:
    """Give the new interface its name and addresses. It is not up in the eyes of the node until the cable is in."""
    name, deadline_s = request["interface"], time.monotonic() + _LINK_WITHIN_S
    while not os.path.exists(f"/sys/class/net/{CABLE}"):
        if time.monotonic() > deadline_s:
            raise Refused(f"the kernel has no interface {CABLE} after {_LINK_WITHIN_S:g} s")
        time.sleep(0.001)
    any_socket, netlink = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM), _netlink()
    try:
        mac = struct.pack("H6s", 1, bytes.fromhex(request["mac"].replace(":", "")))
        fcntl.ioctl(any_socket, _SIOCSIFNAME, _request(CABLE, name.encode()))
        fcntl.ioctl(any_socket, _SIOCSIFHWADDR, _request(name, mac))
        _set_link(netlink, name, struct.pack("HHBxxx", 5, _IFLA_LINKMODE, _MODE_DORMANT))
        _set_address(any_socket, name, request["address"], request["prefix_length"])
        _set_up(any_socket, name)
        if gateway := request["gateway"]:
            anywhere, up_by_gateway = _internet("0.0.0.0"), 3
            # struct rtentry
            route = struct.pack(
                "8x16s16s16sH2x4x8x8xh6xPQQH6x",
                anywhere, _internet(gateway), anywhere, up_by_gateway, 0, 0, 0, 0, 0,
            )  # fmt: skip
            fcntl.ioctl(any_socket, _SIOCADDRT, route)
    finally:
        any_socket.close()
        netlink.close()


def _cable_is_in(request: "dict[str, Any]") -> None:
    netlink = _netlink()
    _set_link(netlink, request["interface"], struct.pack("HHBxxx", 5, _IFLA_OPERSTATE, _OPER_UP))
    netlink.close()
    if os.path.exists(_WAITS_FOR_CABLE):
        # For reading, too: that never blocks, whether somebody waits or not.
        descriptor = os.open(_WAITS_FOR_CABLE, os.O_RDWR)
        os.unlink(_WAITS_FOR_CABLE)
        os.close(descriptor)


# --- the agent -------------------------------------------------------------------------------------------


def _serve(listener: _socket.socket) -> None:
    import _thread

    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    while True:
        connection = _socket.socket(fileno=listener._accept()[0])  # type: ignore[attr-defined]
        connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        _thread.start_new_thread(_attend, (connection,))


def _attend(connection: _socket.socket) -> None:
    """One request, from its first byte to its answer."""
    try:
        incoming = _Incoming(connection)
        request = decode(incoming.next()[1])
        try:
            result = _ANSWERS[request["do"]](incoming, request)
        except (OSError, Refused) as error:
            number = error.errno if isinstance(error, OSError) else None
            result = {"error": str(error), "errno": number}
        connection.sendall(frame(RESULT, encode(result)))
    except OSError:  # whoever asked has gone
        pass
    finally:
        connection.close()


class _Incoming:
    """What the other side sends."""

    def __init__(self, connection: _socket.socket) -> None:
        self.connection = connection
        self._frames = Frames()
        self._waiting: list[tuple[bytes, bytes]] = []

    def receive(self) -> list[tuple[bytes, bytes]]:
        """What is complete after one more look. ConnectionError when the other side has gone."""
        if self._waiting:
            found, self._waiting = self._waiting, []
            return found
        data = self.connection.recv(CHUNK_BYTES)
        if not data:
            raise ConnectionError("the other side has gone")
        return list(self._frames.feed(data))

    def next(self) -> tuple[bytes, bytes]:
        """The next frame, waited for."""
        while not self._waiting:
            self._waiting = self.receive()
        return self._waiting.pop(0)

    def pending(self) -> bool:
        """Whether frames were received that nobody has looked at."""
        return bool(self._waiting)

    def everything(self, into: int) -> None:
        """Write all input that is sent into a file."""
        while (one := self.next())[0] == INPUT:
            left = memoryview(one[1])
            while left:
                left = left[os.write(into, left) :]


def _hello(_: _Incoming, __: "dict[str, Any]") -> "dict[str, Any]":
    return {}


def _read(incoming: _Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    descriptor = os.open(os.path.join("/", request["path"]), os.O_RDONLY | os.O_CLOEXEC)
    try:
        while chunk := os.read(descriptor, CHUNK_BYTES):
            incoming.connection.sendall(frame(OUTPUT, chunk))
    finally:
        os.close(descriptor)
    return {}


def _write(incoming: _Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    path = os.path.join("/", request["path"])
    _make_directories(os.path.dirname(path))
    path = os.path.realpath(path)
    fresh = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.fresh")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        incoming.everything(descriptor)
        os.fchmod(descriptor, request["mode"])
    finally:
        os.close(descriptor)
    os.replace(fresh, path)
    return {}


def _tree(incoming: _Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    """The regular files below a directory, one after the other; of longer ones, the end. Gives names and sizes."""
    sizes: list[tuple[str, int]] = []
    for parent, _, names in os.walk(request["directory"]):
        for path in (os.path.join(parent, name) for name in names):
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as stream:
                stream.seek(max(0, os.fstat(stream.fileno()).st_size - request["limit_bytes"]))
                content = stream.read()
            sizes.append((path, len(content)))
            for begin in range(0, len(content), CHUNK_BYTES):
                incoming.connection.sendall(frame(OUTPUT, content[begin : begin + CHUNK_BYTES]))
    return {"sizes": sizes}


def _answer_plug(_: _Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    _plug(request)
    return {}


def _answer_cable(_: _Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    _cable_is_in(request)
    return {}


def _answer_module(_: _Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    load_module(request["name"])
    return {}


def _answer_halt(_: _Incoming, __: "dict[str, Any]") -> "dict[str, Any]":
    """Have process 1 shut the node down. There is no answer to this but the node's end."""
    # systemd(1) takes TERM for a request to execute itself again.
    number = signal.SIGRTMIN + 3 if _read_file("/proc/1/comm").strip() == "systemd" else signal.SIGTERM
    while True:  # a process 1 that has not set up its signals yet ignores them
        os.kill(1, number)
        time.sleep(_HALT_EVERY_S)


def _run(incoming: _Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
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


def _carried(incoming: _Incoming, streams: "_Streams", child: int) -> int:
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

    def files(self, incoming: _Incoming, stdin: str) -> tuple[int, int, int]:
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

    def carry(self, incoming: _Incoming, process: int) -> None:
        """Carry everything until the process has ended. OSError when the other side goes before that."""
        connection = incoming.connection
        while True:
            if incoming.pending() and not self._waiting:
                self._take(incoming)
            ready = self._poll(connection, process)
            for source in [each for each in self._sources if ready.get(each, 0) & ~select.POLLOUT]:
                self._pass_on(connection, source)
            if self._sink is not None and ready.get(self._sink, 0) & ~select.POLLIN:
                self._offer()
            events = ready.get(connection.fileno(), 0)
            if events & select.POLLIN:
                self._take(incoming)
            elif events:
                raise ConnectionError("the other side has gone")
            if process in ready:
                break
        for source in list(self._sources):  # what was written before the end; a daemon may be writing still
            for _ in range(LAST_PIECES):
                if not self._pass_on(connection, source):
                    break

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

    def _take(self, incoming: _Incoming) -> None:
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
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                fields = _read_file(f"/proc/{name}/stat").rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            if fields[0] not in "ZX":
                yield int(name), int(fields[1]), int(fields[3])


_ANSWERS = {
    "hello": _hello,
    "run": _run,
    "read": _read,
    "write": _write,
    "tree": _tree,
    "plug": _answer_plug,
    "cable": _answer_cable,
    "module": _answer_module,
    "halt": _answer_halt,
}

if __name__ == "__main__":
    main()
