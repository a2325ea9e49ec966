"""Talking to a run's keeper: the process whose namespace is the fabric, and which cleans up whatever becomes of us."""

import asyncio
import json
import os
import select
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from harness.errors import HarnessError
from harness.reap import destroy
from harness.rundir import CACHE_VARIABLES, ProcessName, RunDirectory
from harness.wait import until
from harness.watchdog import SOCKET_NAME

_READY_S = 10.0
_END_S = 60.0


class Keeper:
    """The keeper of one run, as seen by the run's owner or by any later process."""

    def __init__(self, run: RunDirectory, process: ProcessName) -> None:
        self.run = run
        self.process = process
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def namespace(self) -> Path:
        """The fabric's network namespace."""
        return Path(f"/proc/{self.process.pid}/ns/net")

    @classmethod
    def start(cls, run: RunDirectory) -> "Keeper":
        """Start the keeper of a run that this process owns, before anything else of the run exists.

        From here on the run is removed when this process dies. Raises HarnessError when the keeper does not start.
        """
        owner = run.owner().owner
        command = [sys.executable, "-S", "-m", "harness.watchdog", run.run_id, str(owner.pid), str(owner.start_ticks)]
        # Found by the same path as we are, whatever the working directory; without site-packages it starts quickly.
        environment = {"PATH": os.environ.get("PATH", os.defpath)}
        environment |= {name: os.environ[name] for name in ("HOME", *CACHE_VARIABLES) if name in os.environ}
        environment["PYTHONPATH"] = str(Path(__file__).parent.parent)
        with (run.path / "keeper.log").open("ab") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        assert child.stdout is not None
        with child.stdout:
            said = child.stdout.readline() if select.select([child.stdout], [], [], _READY_S)[0] else b""
        if said != b"ready\n":
            child.kill()
            child.wait()
            reason = (run.path / "keeper.log").read_text().strip().splitlines()
            raise HarnessError(f"the keeper did not start: {reason[-1] if reason else 'no reason given'}")
        keeper = cls(run, ProcessName.of(child.pid))
        keeper._child = child
        run.set_owner(replace(run.owner(), keeper=keeper.process))
        return keeper

    @classmethod
    def of(cls, run: RunDirectory) -> "Keeper":
        """The keeper of a run that somebody else started. Raises HarnessError when it has none."""
        process = run.owner().keeper
        if process is None or not process.lives():
            raise HarnessError(f"run {run.run_id} has no keeper any more: harness reap removes what is left of it")
        return cls(run, process)

    def add_namespace(self, name: str) -> Path:
        """The path of another network namespace, made when first asked for. It lives as long as the keeper."""
        return Path(str(self._ask({"do": "namespace", "name": name}, _READY_S)["path"]))

    def start_relay(self) -> None:
        """Start the relay of the fabric's detours; it runs until the keeper ends."""
        self._ask({"do": "relay"}, _READY_S)

    def persist(self) -> None:
        """From here on the run outlives its owner; :meth:`end` ends it."""
        self._ask({"do": "persist"}, _READY_S)

    async def end(self) -> None:
        """Remove everything of the run; returns when the keeper is gone as well. No error for a run that has ended.

        Raises HarnessError when something could not be removed.
        """
        if self.process.lives():
            try:
                await asyncio.to_thread(self._ask, {"do": "end"}, _END_S)
            except HarnessError:
                if self.process.lives():
                    raise
            await until(lambda: not self.process.lives(), within_s=_READY_S, what=f"keeper {self.process.pid} ends")
        if self._child is not None:
            self._child.wait(_READY_S)
        if self.run.path.exists():  # the keeper was killed: then it is for us to do
            await asyncio.to_thread(destroy, self.run)

    def _ask(self, request: dict[str, str], within_s: float) -> dict[str, object]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(within_s)
            try:
                connection.connect(str(self.run.path / SOCKET_NAME))
                connection.sendall(json.dumps(request).encode() + b"\n")
                line = connection.makefile("rb").readline()
            except OSError as error:
                raise HarnessError(f"the keeper of run {self.run.run_id} does not answer: {error}") from error
        answer: dict[str, object] = json.loads(line) if line else {"error": "it ended"}
        if "error" in answer:
            raise HarnessError(f"the keeper of run {self.run.run_id}: {answer['error']}")
        return answer
