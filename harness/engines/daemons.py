"""The harness's own daemons: Docker and LXD as this harness starts them, beside and apart from anybody else's.

Each lives in a mount and a network namespace of its own, so that the host's mounts, interfaces and packet filter are
never touched and its ``/run`` is not the host's; its data are in the harness's cache. One of each kind a host.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from harness.engines.cgroup import Cgroup, hierarchies
from harness.engines.packages import LOG_LINES, ensure_packages
from harness.engines.pools import PACKAGE, attached, detach, ensure_own_pool, lacks_program
from harness.engines.remains import CGROUP_DRIVER, MONITORS_END, Daemon
from harness.errors import EngineError, HarnessError, HostError, UsageError
from harness.images.progress import Progress
from harness.rundir import ProcessName, cache_directory

Kind = Literal["docker", "lxd"]
KINDS: tuple[Kind, ...] = ("docker", "lxd")
STATE = Path("/run/harness-engines")
PROGRAMS: dict[Kind, str] = {"docker": "dockerd", "lxd": "lxd"}
PACKAGES: dict[Kind, tuple[str, ...]] = {
    "docker": ("docker.io",),
    "lxd": ("lxd", "lxd-client", "squashfs-tools", PACKAGE),
}
VARIABLES: dict[Kind, str] = {"docker": "HARNESS_DOCKER", "lxd": "HARNESS_LXD"}
"""Environment variables that name the socket of a daemon to be used instead of the harness's own."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_READY_S = 60.0
_ENDING_S, _HANGING_S = 60.0, 5.0
_FREE_S = 10.0
_LOOK_EVERY_S = 0.1

# $1 directory of sockets, $2 directory of data, $3 the first directory on the way to it that ordinary users cannot
# enter, then the daemon's command line. Root of an unprivileged node is such a user, and has to get at its disk: on
# that way, the daemon sees directories that anybody can enter, and nothing else in them.
_LAUNCH = """set -eu
umask 022
mkdir -p "$2/state"
mount --bind "$1" "$2/state"
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p "$1" /run/lock
mount --move "$2/state" "$1"
if [ -n "$3" ]; then
    mkdir /run/data
    mount --bind "$2" /run/data
    mount -t tmpfs -o mode=711 tmpfs "$3"
    mkdir -p "$2"
    mount --move /run/data "$2"
fi
ip link set lo up
shift 3
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class OwnDaemon:
    """One of the harness's own daemons, running or not."""

    kind: Kind

    @property
    def directory(self) -> Path:
        """Its sockets and who it is."""
        return STATE / self.kind

    @property
    def data(self) -> Path:
        """Its images and containers."""
        return cache_directory() / "engines" / self.kind

    @property
    def log(self) -> Path:
        """What it writes."""
        return self.data / "daemon.log"

    @property
    def daemon(self) -> Daemon:
        """How it is talked to."""
        return Daemon(self.kind, str(self.directory / "socket"))

    def process(self) -> ProcessName | None:
        """Its process, if it runs."""
        try:
            process = ProcessName(**json.loads((self.directory / "process.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return process if process.lives() else None

    def start(self) -> None:
        """Start it and wait until it answers; one that runs is no error. HostError, with its last words, otherwise."""
        if os.geteuid() != 0:
            raise HostError(f"starting {self.kind} needs root: sudo harness engine start {self.kind}")
        program = shutil.which(PROGRAMS[self.kind], path=_PATH)
        if program is None:
            raise HostError(f"{self.kind} is not installed: harness engine install {self.kind}")
        hierarchies()
        for directory in (self.directory, self.data):
            directory.mkdir(parents=True, exist_ok=True)
        with (STATE / f"{self.kind}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._start(program)

    def _start(self, program: str) -> None:
        if self.process() is not None:
            if not self.daemon.serves():
                stop = f"harness engine stop {self.kind}"
                raise HostError(f"{self.kind} runs, but does not answer: {stop} (log: {self.log})")
            # Whoever started it may have been interrupted, or have lacked a program. Runs in it have a pool already.
            if not self.daemon.runs() and (copied := self._ensure_pool()):
                Progress(f"{self.kind} runs already").done(copied)
            return
        self._end_remains()
        self._await_free_disks()
        progress = Progress(f"starting {self.kind} (data in {self.data})")
        process = self._launch(program)
        (self.directory / "process.json").write_text(json.dumps(asdict(ProcessName.of(process.pid))))
        try:
            self._await_answer(process, progress)
        except BaseException:
            process.kill()
            progress.done("failed")
            raise
        copied = self._ensure_pool()
        progress.done(f"running; {copied}" if copied else "running")

    def _ensure_pool(self) -> str:
        """Have a pool for disks, where it takes one; what is to be said of it, if anything."""
        copied = ensure_own_pool(self.daemon) if self.kind == "lxd" else None
        return f"every node's disk is a whole copy ({copied})" if copied else ""

    def _end_remains(self) -> None:
        """End what a daemon that was killed has left: it lives among mounts that its successor does not see."""
        for directory in Path("/proc").iterdir():
            if directory.name.isdecimal() and self._is_ours(directory):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(directory.name), signal.SIGKILL)
        # Its process id there would be taken for that of a containerd that lives.
        shutil.rmtree(self.directory / "exec", ignore_errors=True)

    def _await_free_disks(self) -> None:
        """Its disks are in a file that may be mounted once only; the kernel lets go of it after the last process."""
        detach(self.data / "disks")
        deadline_s = time.monotonic() + _FREE_S
        while devices := attached(self.data / "disks"):
            if time.monotonic() > deadline_s:
                held = f"{self.data} is still in use ({', '.join(devices)})"
                raise HostError(f"{held}: nodes of the last daemon live; end them: harness down, or harness reap")
            time.sleep(_LOOK_EVERY_S)

    def _is_ours(self, process: Path) -> bool:
        try:
            program = (process / "exe").readlink().name
            if not program.startswith(("dockerd", "containerd", "lxd")):
                return False
            if (process / "ns/pid").readlink() != Path("/proc/self/ns/pid").readlink():
                return False  # of a container on this host, where the same places are others
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            return False
        return any(str(place).encode() in words for place in (self.directory, self.data))

    def _launch(self, program: str) -> subprocess.Popen[bytes]:
        socket = self.directory / "socket"
        socket.unlink(missing_ok=True)
        command, variables = self._docker(program) if self.kind == "docker" else self._lxd(program)
        launch = ["unshare", "--mount", "--net", "--propagation", "private", "/bin/sh", "-c", _LAUNCH, "sh"]
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [*launch, str(self.directory), str(self.data), self._closed(), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": _PATH, "HOME": "/root", **variables},
                cwd="/",
                start_new_session=True,
            )

    def _closed(self) -> str:
        closed = (path for path in reversed(self.data.parents) if not path.stat().st_mode & stat.S_IXOTH)
        return str(next(closed, "")) if self.kind == "lxd" else ""

    def _docker(self, program: str) -> tuple[list[str], dict[str, str]]:
        (self.directory / "docker.pid").unlink(missing_ok=True)
        settings = self.data / "daemon.json"  # an empty one of our own: the host's is for its own daemon
        settings.write_text("{}\n")
        places = ["--data-root", str(self.data / "data"), "--exec-root", str(self.directory / "exec")]
        places += ["--pidfile", str(self.directory / "docker.pid"), "--host", f"unix://{self.directory / 'socket'}"]
        network = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
        groups = ["--exec-opt", f"native.cgroupdriver={CGROUP_DRIVER}"]
        return [program, *places, *network, *groups, "--config-file", str(settings)], {}

    def _lxd(self, program: str) -> tuple[list[str], dict[str, str]]:
        (self.directory / "socket").symlink_to(self.data / "unix.socket")
        return [program, "--group", "root"], {"LXD_DIR": str(self.data)}

    def _await_answer(self, process: subprocess.Popen[bytes], progress: Progress) -> None:
        deadline_s = time.monotonic() + _READY_S
        while not self.daemon.serves():
            if process.poll() is not None:
                raise HostError(f"{self.kind} ended with exit code {process.returncode}:\n{self._last_words()}")
            if time.monotonic() > deadline_s:
                raise HostError(f"{self.kind} does not answer within {_READY_S:g} s:\n{self._last_words()}")
            progress.at(self._last_words(1).strip())
            time.sleep(_LOOK_EVERY_S)

    def _last_words(self, lines: int = LOG_LINES) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])

    def stop(self) -> None:
        """End it; one that does not run is no error. UsageError while runs have containers in it.

        One that hangs does not say what it has, and is killed.
        """
        if os.geteuid() != 0:
            raise HostError(f"stopping {self.kind} needs root: sudo harness engine stop {self.kind}")
        process = self.process()
        if process is None:
            return
        serves, runs = self.daemon.serves(), set[str]()
        if serves:
            try:
                runs = self.daemon.runs()
            except HarnessError:  # it began to hang after its first answer
                serves = False
        if runs:
            raise UsageError(
                f"{self.kind} keeps nodes of {', '.join(sorted(runs))}: "
                "end them first (harness down; if dead, harness reap)"
            )
        progress = Progress(f"stopping {self.kind}")
        if serves and self.kind == "lxd":
            self.daemon.stop_others()
        patience_s = _ENDING_S if serves else _HANGING_S
        if not any(self._end(process, how, patience_s, progress) for how in (signal.SIGTERM, signal.SIGKILL)):
            progress.done("failed")
            raise HarnessError(f"{self.kind} (process {process.pid}) does not end within {patience_s:g} s")
        shutil.rmtree(self.directory, ignore_errors=True)
        with contextlib.suppress(HarnessError):
            Cgroup(MONITORS_END).remove()
        progress.done("stopped")

    def _end(self, process: ProcessName, how: signal.Signals, within_s: float, progress: Progress) -> bool:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, how)
        deadline_s = time.monotonic() + within_s
        while process.lives():
            if time.monotonic() > deadline_s:
                return False
            progress.at(f"waiting for its end ({how.name})")
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
            time.sleep(_LOOK_EVERY_S)
        return True

    def clear(self) -> None:
        """Remove its data: images, and containers if any. UsageError while it runs."""
        if self.process() is not None:
            raise UsageError(f"{self.kind} runs: harness engine stop {self.kind}")
        detach(self.data / "disks")
        shutil.rmtree(self.data, ignore_errors=True)


def chosen_daemon(kind: Kind) -> Daemon:
    """The daemon to be used: that of the environment, else the harness's own."""
    if socket := os.environ.get(VARIABLES[kind]):
        return Daemon(kind, socket.removeprefix("unix://"))
    return OwnDaemon(kind).daemon


def known_daemons() -> set[Daemon]:
    """Where this user's runs may have containers: the harness's own daemons, and those of the environment."""
    return {find(kind) for kind in KINDS for find in (chosen_daemon, lambda one: OwnDaemon(one).daemon)}


def why_not(kind: Kind) -> str | None:
    """What keeps this engine from being used here, and what to do about it; None when nothing does."""
    daemon = chosen_daemon(kind)
    silence = daemon.why_silent()
    if silence is None:
        try:
            return daemon.why_unfit()
        except EngineError as error:
            return f"{kind} does not answer ({error})"
    if isinstance(silence, PermissionError):
        return f"{kind} at {daemon.socket} is for root only: run this with sudo"
    if os.environ.get(VARIABLES[kind]):
        return f"nothing answers at ${VARIABLES[kind]} ({daemon.socket})"
    if shutil.which(PROGRAMS[kind], path=_PATH) is None:
        return f"{kind} is not installed: harness engine install {kind}; harness engine start {kind}"
    return f"{kind} is not running: harness engine start {kind}"


def install(kind: Kind, say: Callable[[str], None]) -> None:
    """Install it from Debian; its service is neither started nor enabled. HostError, with the log's end, on failure."""
    lacking = kind == "lxd" and lacks_program()
    installed = shutil.which(PROGRAMS[kind], path=_PATH) is not None and not lacking
    ensure_packages(kind, PACKAGES[kind], installed=installed, say=say)
