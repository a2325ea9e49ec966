"""Asks a master whether it lives, makes one of a metalogger, and looks at what it has."""

import contextlib
import fcntl
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from ...kit.durable import write_durably
from ..mapping.drivers.commands import run
from ..mapping.ports import PortFailed
from ..moosefs import CLIENTS_PORT, MasterSilent, Summary, silence_of, summary
from .core import Candidate, Heard
from .metadata import candidate_of

START_WITHIN_S, CHECK_WITHIN_S = 120.0, 60.0


@dataclass(frozen=True, slots=True)
class Master:
    """What this host may become: the address that clients have, and the folder of the metalogger here."""

    address: str
    folder: Path = Path("/var/lib/mfs")
    config: Path = Path("/etc/mfs/mfsmaster.cfg")
    port: int = CLIENTS_PORT

    def heard(self) -> Heard:
        """One heartbeat. Raises OSError."""
        answers, here = not silence_of(self.address, self.port), _has(self.address)
        candidate = self.candidate() if here and not answers else None
        return Heard(time.monotonic(), answers, here, self._runs(), candidate)

    def candidate(self) -> Candidate:
        """The metadata here. Raises OSError."""
        return candidate_of(self.folder)

    def promote(self) -> str:
        """End the metalogger, start a master on what it has. What it said. Raises PortFailed, OSError."""
        run(["mfsmetalogger", "stop"], within_s=30)
        found = self.candidate()  # it writes no more
        if found.problems:
            raise PortFailed("; ".join(found.problems))
        said = run(["mfsmaster", "-c", str(self._configured()), "-a", "start"], within_s=START_WITHIN_S)
        if silence_of(self.address, self.port):
            raise PortFailed(f"the new master does not answer: {' '.join(said.split())[-200:]}")
        return f"metadata {found.version}, changes up to {found.last}"

    def was_made_here(self) -> bool:
        """Whether an earlier life of ours has made one: then it is ours to stop."""
        return self._promoted.exists() and self._runs()

    def step_down(self) -> str:
        """Stop the master that we made. Raises PortFailed."""
        run(["mfsmaster", "-c", str(self._configured()), "stop"], within_s=START_WITHIN_S)
        return "it has stopped"

    def check(self, least_version: int) -> str:
        """All chunks are there, and no change was lost. What was seen. Raises PortFailed where not in time."""
        end_s = time.monotonic() + CHECK_WITHIN_S
        while True:
            try:
                seen = summary(self.address, self.port)
            except MasterSilent as error:
                seen = Summary(0, (), {}, {})
                said = str(error)
            else:
                said = ""
            servers, missing = len(seen.chunkservers), int(seen.chunks.get("missing", "0"))
            if servers and not missing and seen.version >= least_version:
                endangered = seen.chunks.get("endangered", "?")
                return f"{servers} chunkservers, no chunk missing, {endangered} endangered, version {seen.version}"
            if time.monotonic() > end_s:
                raise PortFailed(said or f"{servers} chunkservers, {missing} chunks missing, version {seen.version}")
            time.sleep(0.5)

    def _configured(self) -> Path:
        """The settings of the master with the metalogger's folder: its own words, and ours last."""
        with contextlib.suppress(FileNotFoundError):
            own = self.config.read_text()
            lines = [line for line in own.splitlines() if not line.replace(" ", "").startswith("DATA_PATH=")]
            write_durably(self._promoted, "\n".join([*lines, f"DATA_PATH = {self.folder}", ""]), mode=0o644)
            return self._promoted
        raise PortFailed(f"{self.config} is not there: give this host the settings of a master")

    @property
    def _promoted(self) -> Path:
        return self.config.with_name("mfsmaster-promoted.cfg")

    def _runs(self) -> bool:
        """Whether a master runs on this folder: it keeps a lock."""
        try:
            descriptor = os.open(self.folder / ".mfsmaster.lock", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        else:
            return False
        finally:
            os.close(descriptor)


def _has(address: str) -> bool:
    """Whether an interface of this host has the address: nobody else's can be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        try:
            one.bind((address, 0))
        except OSError:
            return False
    return True
