"""The keeper's process: ``python -m harness.watchdog RUN_ID OWNER_PID OWNER_START_TICKS``.

Its own network namespace is the fabric's, and it holds further ones for clients. It outlives the run's owner by as long
as it takes to heal and remove everything. Before it says that it is ready it imports nothing but standard modules, so
that a run can begin at once.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys
import time
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

    from harness.journal import OpenFault
    from harness.rundir import RunDirectory

RUNS = "/run/harness"
SOCKET_NAME = "keeper.socket"
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP_RUNNING = 0x41
_LOOK_AT_JOURNAL_MS = 200
_TRIES_TO_DESTROY = 20
_libc = ctypes.CDLL(None, use_errno=True)


def main(run_id: str, owner_pid: int, owner_start_ticks: int) -> int:
    """Keep the run until it ends or its owner dies; returns the exit code."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_IGN)
    _enter_new_namespace()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"{RUNS}/{run_id}/{SOCKET_NAME}")
    listener.listen(16)
    watchdog = _Watchdog(run_id, listener, _watch_process(owner_pid, owner_start_ticks))
    with contextlib.suppress(OSError):  # an owner that died meanwhile is found out below
        os.write(1, b"ready\n")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    return watchdog.run()


def _enter_new_namespace() -> None:
    if _libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot make a network namespace")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP_RUNNING))


def _watch_process(pid: int, start_ticks: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None when it has ended already."""
    try:
        descriptor = os.pidfd_open(pid)
        with open(f"/proc/{pid}/stat") as stat:
            found = int(stat.read().rpartition(")")[2].split()[19])
    except OSError:
        return None
    if found != start_ticks:
        os.close(descriptor)
        return None
    return descriptor


class _Watchdog:
    def __init__(self, run_id: str, listener: socket.socket, owner: int | None) -> None:
        self._run_id = run_id
        self._listener = listener
        self._owner = owner
        self._persistent = False
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._namespaces: dict[str, int] = {}
        self._connections: dict[int, tuple[socket.socket, bytes]] = {}
        self._relay: subprocess.Popen[bytes] | None = None
        self._journal_size = -1
        self._complained_of: set[str] = set()
        self._poll = select.poll()
        self._poll.register(listener, select.POLLIN)
        if owner is not None:
            self._poll.register(owner, select.POLLIN)

    def run(self) -> int:
        if self._owner is None:
            return self._destroy()
        while True:
            for descriptor, _ in self._poll.poll(_LOOK_AT_JOURNAL_MS):
                if descriptor == self._listener.fileno():
                    self._accept()
                elif descriptor == self._owner:
                    if not self._persistent:
                        return self._destroy()
                elif (code := self._serve(descriptor)) is not None:
                    return code
            try:
                self._heal_for_the_dead()
            except Exception:  # whatever a journal holds, the watch goes on
                traceback.print_exc()

    # --- requests -----------------------------------------------------------------------------------

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        self._connections[connection.fileno()] = (connection, b"")
        self._poll.register(connection, select.POLLIN)

    def _serve(self, descriptor: int) -> int | None:
        """Read what came; returns the exit code when it was the order to end."""
        connection, text = self._connections[descriptor]
        try:
            received = connection.recv(4096)
        except OSError:
            received = b""
        if not received:
            self._poll.unregister(descriptor)
            del self._connections[descriptor]
            connection.close()
            return None
        *lines, rest = (text + received).split(b"\n")
        self._connections[descriptor] = (connection, rest)
        code: int | None = None
        answer: dict[str, str | bool]
        for line in lines:
            try:
                request = json.loads(line)
                if request["do"] == "end":
                    code = self._destroy()
                    answer = {"ended": code == 0} if code == 0 else {"error": "see the keeper's log"}
                else:
                    answer = self._answer(request)
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            with contextlib.suppress(OSError):
                connection.sendall(json.dumps(answer).encode() + b"\n")
        return code

    def _answer(self, request: dict[str, str]) -> dict[str, str | bool]:
        match request["do"]:
            case "namespace":
                return {"path": f"/proc/{os.getpid()}/fd/{self._namespace(request['name'])}"}
            case "relay":
                self._start_relay()
                return {"started": True}
            case "persist":
                self._persist()
                return {"persistent": True}
            case other:
                return {"error": f"unknown request {other!r}"}

    def _namespace(self, name: str) -> int:
        """A descriptor of the network namespace of this name, made when first asked for."""
        if name not in self._namespaces:
            try:
                _enter_new_namespace()
                self._namespaces[name] = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            finally:
                if _libc.setns(self._home, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "cannot return to the fabric's namespace")
        return self._namespaces[name]

    def _start_relay(self) -> None:
        """Start the process through which packets take their detours, when first asked for; it ends with us."""
        import subprocess

        if self._relay is not None:
            if self._relay.poll() is not None:
                raise RuntimeError("the relay has ended, and what it had is lost")
            return
        relay = subprocess.Popen(
            [sys.executable, "-S", "-m", "harness.fabric.relay.process", f"{RUNS}/{self._run_id}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert relay.stdout is not None
        if relay.stdout.readline() != b"ready\n":
            relay.wait()
            raise RuntimeError("the relay did not start: see the keeper's log")
        self._relay = relay

    def _persist(self) -> None:
        from dataclasses import replace

        from harness.rundir import RunDirectory

        run = RunDirectory(self._run_id)
        run.set_owner(replace(run.owner(), persistent=True))
        self._persistent = True
        if self._owner is not None:
            self._poll.unregister(self._owner)

    # --- healing and removing ---------------------------------------------------------------------------

    def _heal_for_the_dead(self) -> None:
        """Heal the faults of injectors that died; cheap while there are none."""
        from harness.journal import FILE_NAME, Journal
        from harness.rundir import RunDirectory

        try:
            size = os.stat(f"{RUNS}/{self._run_id}/{FILE_NAME}").st_size
        except FileNotFoundError:
            return
        if size == self._journal_size:
            return
        run = RunDirectory(self._run_id)
        faults = Journal(run).open_faults()
        for fault in faults:
            if not fault.injector.lives():
                self._try_to_heal(run, fault)
        if not faults:
            self._journal_size = size

    def _try_to_heal(self, run: "RunDirectory", fault: "OpenFault") -> None:
        from harness.journal import heal_fault

        try:
            heal_fault(run, fault)
        except Exception:  # tried again with the next look, but complained of only once
            if fault.fault_id not in self._complained_of:
                self._complained_of.add(fault.fault_id)
                traceback.print_exc()

    def _destroy(self) -> int:
        from harness.reap import destroy
        from harness.rundir import RunDirectory

        if self._relay is not None:
            self._relay.kill()
            self._relay.wait()
        for descriptor in self._namespaces.values():
            os.close(descriptor)
        self._namespaces.clear()
        for attempt in range(_TRIES_TO_DESTROY):
            try:
                destroy(RunDirectory(self._run_id))
                return 0
            except Exception:  # the next reap does it otherwise
                traceback.print_exc()
                time.sleep(0.1 * (attempt + 1))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
