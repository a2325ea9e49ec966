"""The parts of a bundle: each a name and a text, which is scrubbed before it is written."""

import json
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from .. import VERSION
from ..daemon.audit import AuditLog
from ..daemon.settings import KEY_FILE
from ..incidents.catalogue import BY_NAME, EVERY
from ..incidents.gather import Gatherer
from ..mapping.records import Records
from ..moves.running import target_of, unfinished
from ..peers.migrations import Migrations
from ..places import Places
from ..preflight.checks import EVERY as CHECKS
from ..preflight.operation import Operation
from ..preflight.run import run
from ..preflight.trying import files_of_ours
from . import looking
from .core.scrubbing import LEFT_OUT
from .core.settings_shown import secrets_in, shown

JOURNALS = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the bundle is of."""

    places: Places
    config: Path
    hours: float
    logs: tuple[Path, ...] = ()


def secrets_of(wanted: Wanted) -> set[str]:
    """Those that are known here: they are taken out of every part, wherever they come from."""
    found: set[str] = set()
    document = _settings(wanted.config)
    if isinstance(document, Mapping):
        found |= set(secrets_in(document))
        cluster = document.get("cluster")
        key_file = cluster.get("key_file") if isinstance(cluster, Mapping) else None
        found |= _lines(Path(key_file)) if isinstance(key_file, str) else set()
    return found | _lines(KEY_FILE)


def parts(wanted: Wanted) -> dict[str, Callable[[], str]]:
    """Name of the file -> how its text is made. Each may raise; then that is said in its place."""
    places = wanted.places
    found: dict[str, Callable[[], str]] = {
        "versions.json": _versions,
        "settings.json": lambda: _json(_settings_shown(wanted.config)),
        "tokens.json": lambda: _tokens(places),
        "mappings.json": lambda: _mappings(places),
        "requests.json": lambda: _text(places.state / "daemon" / "state.json"),
        "audit.jsonl": lambda: AuditLog(places.state / "daemon").content().decode(errors="replace"),
        "audit-verification.json": lambda: _audit(places),
        "incidents.json": lambda: _incidents(places),
        "preflight.json": lambda: _preflight(places),
        "cluster.json": lambda: _text(places.run / "cluster.json"),
        "migrations.json": lambda: _json([asdict(one) for one in Migrations(places.migrations).every()]),
        "kernel.txt": looking.kernel,
        "log/kernel.txt": lambda: looking.kernel_log(wanted.hours),
        "log/daemon.jsonl": lambda: looking.daemon_log(wanted.hours, wanted.logs),
    }
    newest = sorted(places.journals.glob("*.journal"), key=lambda one: one.name)[-JOURNALS:]
    return found | {f"moves/{one.name}": lambda one=one: one.read_text(errors="replace") for one in newest}


def _json(document: object) -> str:
    return json.dumps(document, indent=1, default=str) + "\n"


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else "there is none\n"


def _lines(path: Path) -> set[str]:
    try:
        return {line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()}
    except OSError:
        return set()


def _settings(config: Path) -> object:
    """As they are written, known keys or not; None where they cannot be read."""
    try:
        return yaml.safe_load(config.read_text())
    except (OSError, yaml.YAMLError, ValueError):
        return None


def _settings_shown(config: Path) -> object:
    if not config.exists():
        return {"file": str(config), "settings": "there is none: everything is as by default"}
    document = _settings(config)
    known = shown(document) if isinstance(document, Mapping) else "it cannot be understood"
    return {"file": str(config), "settings": known}


def _versions() -> str:
    known = {
        "mfs-autonomy": VERSION,
        "python": sys.version,
        "kernel": platform.release(),
        "machine": platform.machine(),
    }
    return _json(known | {"packages": looking.packages()})


def _tokens(places: Places) -> str:
    """Whose there are; not even their digests."""
    path = places.state / "daemon" / "tokens.json"
    rows = json.loads(path.read_text()) if path.exists() else []
    return _json([{"name": row["name"], "role": row["role"]} for row in rows])


def _mappings(places: Places) -> str:
    """Records have a block of the volume in them while it is being proven: that stays here."""
    records, bad = Records(places.mappings).readable()
    rows = [
        {
            "volume": one.volume,
            "file": one.file,
            "index": one.index,
            "stage": one.stage.value,
            "driver": one.driver,
            "boot": one.boot,
            "offset": one.offset,
            "original": LEFT_OUT if one.original else "",
        }
        for one in records
    ]
    routes = {path.name: path.read_text(errors="replace") for path in sorted(places.routes.glob("*.json"))}
    links = {link.name: str(link.readlink()) for link in sorted(places.links.glob("*")) if link.is_symlink()}
    return _json({"records": rows, "unreadable": [str(one) for one in bad], "routes": routes, "links": links})


def _audit(places: Places) -> str:
    """Of the log as it is here: what is in the bundle was scrubbed, and does not verify."""
    log = AuditLog(places.state / "daemon")
    faults = [asdict(one) for one in log.verify()]
    return _json({"whole": not faults, "faults": faults, "head": asdict(head) if (head := log.head()) else None})


def _incidents(places: Places) -> str:
    facts = Gatherer(places).look()
    cases = [case for one in EVERY for case in one.cases(facts)]
    return _json([asdict(case) | {"advice": BY_NAME[case.incident].advice} for case in cases])


def _preflight(places: Places) -> str:
    """Of the first unfinished move; else of one that nobody asked for, within our own folder: what the host is like."""
    move = next((one.move for one in unfinished(places) if one.move is not None), None)
    if move is not None:
        return _preflight_of(places, Path(move.source), Path(move.target))
    places.journals.mkdir(parents=True, exist_ok=True)
    with files_of_ours(places.journals) as (file, other):
        file.write_bytes(bytes(4096))
        return _preflight_of(places, file, other)


def _preflight_of(places: Places, source: Path, target: Path) -> str:
    result = run(CHECKS, Operation(source, target_of(source, target), places))
    findings = [asdict(one) | {"weight": one.weight.value, "outcome": one.outcome.value} for one in result.findings]
    known = {"source": str(source), "target": str(target), "passed": result.passed, "total": result.total}
    return _json(known | {"risk_level": result.risk.value, "findings": findings})
