"""What the daemon knows of its peers, in a file for commands of this host that have to know it as well."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..mounts import Mount, master_of, mounts
from ..places import Places
from .core.advice import Advice, advised, twice
from .core.identity import identity_of
from .core.merge import Heard, Known
from .core.report import BadReport, from_json, to_json
from .core.standing import Standing, silent_after_s, standings
from .migrations import Migrations

FILE = "cluster.json"


@dataclass(frozen=True, slots=True)
class View:
    """At one moment."""

    name: str
    """Of this host."""
    written_at_s: float
    every_s: float = 1.0
    peers: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    known: Known = field(default_factory=dict)
    answered_at_s: Mapping[str, float] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    """Why a message was not taken -> how often."""

    @property
    def after_s(self) -> float:
        """How long a peer may say nothing."""
        return silent_after_s(self.every_s)

    def standings(self, at_s: float) -> tuple[Standing, ...]:
        """Of all peers."""
        return standings(self.peers, self.known, self.answered_at_s, at_s, self.after_s)


def now_s() -> float:
    """A clock that all processes of this host share, and that runs on while the host sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def write(places: Places, view: View) -> None:
    """Whole or not at all; it need not outlive a power cut. Raises OSError."""
    document = {
        "name": view.name,
        "written_at_s": view.written_at_s,
        "every_s": view.every_s,
        "peers": view.peers,
        "shared": view.shared,
        "known": [{"at_s": one.at_s, "report": to_json(one.report)} for one in view.known.values()],
        "answered_at_s": dict(view.answered_at_s),
        "refused": dict(view.refused),
    }
    file = places.run / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{FILE}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(document, out, separators=(",", ":"))
    fresh.replace(file)


def read(places: Places) -> View | None:
    """None where no daemon ever wrote one, or it is of another boot or cannot be understood: nothing is known then."""
    try:
        found = json.loads((places.run / FILE).read_text())
        reports = [(from_json(one["report"]), float(one["at_s"])) for one in found["known"]]
        view = View(
            name=str(found["name"]),
            written_at_s=float(found["written_at_s"]),
            every_s=float(found["every_s"]),
            peers=tuple(map(str, found["peers"])),
            shared=tuple(map(str, found["shared"])),
            known={report.node: Heard(report, at_s) for report, at_s in reports},
            answered_at_s={str(name): float(at_s) for name, at_s in found["answered_at_s"].items()},
            refused={str(why): int(count) for why, count in found["refused"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BadReport):
        return None
    return view if view.written_at_s <= now_s() else None


def advice(places: Places, volume: str) -> Advice:
    """Whether to map it here."""
    view = read(places)
    if view is None:
        return Advice("clear")
    at_s, known_as = now_s(), identity(volume, view.shared)
    declared = Migrations(places.migrations).open(time.time())
    said = advised(known_as, view.name, view.known, declared=declared, now_s=at_s, after_s=view.after_s)
    if known_as and at_s - view.written_at_s > view.after_s and said.verdict == "clear":
        age_s = at_s - view.written_at_s
        return Advice("warned", (f"the daemon has said nothing for {age_s:.0f} s: what other hosts have is not known",))
    return said


def elsewhere(places: Places) -> dict[str, str]:
    """Volume of ours -> who else has it."""
    view = read(places)
    if view is None:
        return {}
    declared = Migrations(places.migrations).open(time.time())
    return twice(view.name, view.known, declared, now_s(), view.after_s)


def silent(places: Places) -> dict[str, float]:
    """Peer -> for how long it has been silent; -1 where it was never heard."""
    view, at_s = read(places), now_s()
    if view is None or at_s - view.written_at_s > view.after_s:
        return {}
    found = [one for one in view.standings(at_s) if one.state != "well"]
    return {one.name: -1.0 if one.age_s is None else one.age_s for one in found}


def identity(volume: str, shared: Sequence[str], table: Sequence[Mount] | None = None) -> str:
    """What a volume is called on every host; empty where no other can reach it. Raises OSError."""
    rows = mounts() if table is None else table
    path = Path(volume)
    found = [one for one in rows if path == one.point or one.point in path.parents]
    if not found:
        return identity_of(volume, shared, "/", "")
    mount = max(reversed(found), key=lambda one: len(one.point.parts))
    return identity_of(volume, shared, str(mount.point), _name_of(mount))


def _name_of(mount: Mount) -> str:
    if mount.is_moosefs:
        host, port = master_of(mount)
        return f"moosefs:{host}:{port}"
    return f"{mount.kind}:{mount.device}" if mount.is_remote else ""
