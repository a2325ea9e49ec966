"""Commands that talk to the API."""

import argparse
import os
from pathlib import Path
from typing import Any

import httpx

from . import site_file
from .failed import CommandFailed
from .output import say

DIFFERENT = 3
TIMEOUT_S = 60.0
SIGNS = {"add": "+", "change": "~", "remove": "-"}


def apply(options: argparse.Namespace) -> int:
    """Make the inventory what the file says."""
    changes = _put(options, dry_run=False)
    say(f"{len(changes)} change{'' if len(changes) == 1 else 's'}" if changes else "nothing to do")
    return 0


def diff(options: argparse.Namespace) -> int:
    """Show what that would take."""
    return DIFFERENT if _put(options, dry_run=True) else 0


def export(options: argparse.Namespace) -> int:
    """Print the inventory."""
    say(site_file.written(_ask(options, "GET", "/inventory")).rstrip("\n"))
    return 0


def status(options: argparse.Namespace) -> int:
    """Show how all is."""
    summary, backends = _ask(options, "GET", "/health/summary"), _ask(options, "GET", "/health/backends")
    edge = summary["edge"]
    state = "in order" if edge["reachable"] and edge["in_force"] == edge["wanted"] else "NOT in order"
    why = f" ({edge['error']})" if edge["error"] else ""
    say(f"{summary['status']}; edge {state}{why}{', a version is held' if edge['held'] else ''}")
    for one in backends:
        use = "in use" if one["in_use"] else "draining" if one["draining"] else "not in use"
        say(f"{one['service']:<20} {one['site']:<15} {one['address']:<28} {one['verdict']:<8} {use}")
    return 0


def machines(options: argparse.Namespace) -> int:
    """Show the machines."""
    for one in _ask(options, "GET", "/machines"):
        how = "alive" if one["alive"] else f"silent for {one['silent_s']:.0f} s"
        size = f"{one['cpu_millis'] / 1000:g} cores, {one['memory_mb']} MB"
        say(f"{one['name']:<15} {one['site']:<15} {one['address']:<20} {how:<18} {one['replicas']:>3} placed  {size}")
    return 0


def tunnels(options: argparse.Namespace) -> int:
    """Show the tunnels."""
    for one in _ask(options, "GET", "/tunnels"):
        heard = "never" if one["handshake_s"] is None else f"{one['handshake_s']:.0f} s ago"
        where = one["endpoint"] or "-"
        say(f"{one['machine']:<15} {one['site']:<15} {one['address']:<16} {where:<24} {heard:<12} {one['public_key']}")
    return 0


def rotate(options: argparse.Namespace) -> int:
    """Have a machine, or the hub, change its key."""
    _ask(options, "POST", f"/tunnels/{options.name}/rotate")
    return 0


def service(options: argparse.Namespace) -> int:
    """Change what is given, and show what runs."""
    path, given = f"/services/{options.name}", {"replicas": options.replicas, "image": options.image}
    wanted = {key: value for key, value in given.items() if value is not None}
    entry = _ask(options, "GET", path)
    if entry["deploy"] is None:
        raise CommandFailed(
            f"service {options.name} has no `deploy`, so nothing is placed for it; see `multisite apply`"
        )
    if wanted:
        entry = _ask(options, "PATCH", path, json={"deploy": entry["deploy"] | wanted})
    say(f"{options.name}: {entry['deploy']['replicas']} of {entry['deploy']['image']}")
    for one in _ask(options, "GET", "/replicas"):
        if one["service"] == options.name:
            say(f"{one['id']:>6} {one['machine']:<15} {one['address']:<28} {one['state']:<10} {one['revision']}")
    return 0


def _put(options: argparse.Namespace, dry_run: bool) -> list[dict[str, Any]]:
    try:
        text = options.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{options.file}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    wanted = site_file.declared(str(options.file), text).model_dump(mode="json")
    answer = _ask(options, "PUT", "/inventory", json=wanted, params={"dry_run": str(dry_run).lower()})
    changes: list[dict[str, Any]] = answer["changes"]
    for one in changes:
        fields = "; ".join(f"{name}: {before} -> {after}" for name, (before, after) in one["fields"].items())
        told = f" ({fields})" if one["what"] == "change" else ""
        say(f"{SIGNS[one['what']]} {one['kind']} {one['name']}{told}")
    return changes


def _ask(options: argparse.Namespace, method: str, path: str, **arguments: Any) -> Any:
    headers = {"X-API-Token": _token(options.token_file)}
    try:
        answer = httpx.request(method, options.url.rstrip("/") + path, headers=headers, timeout=TIMEOUT_S, **arguments)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CommandFailed(f"{options.url}: {error}; is `multisite serve` running there?") from error
    if answer.is_success:
        return answer.json() if answer.content else None
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = f"status {answer.status_code}"
    raise CommandFailed(detail if isinstance(detail, str) else f"refused: {detail}")


def _token(file: Path | None) -> str:
    try:
        token = file.read_text(encoding="utf-8") if file else os.environ.get("MULTISITE_TOKEN", "")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not token.strip():
        raise CommandFailed("no token: give --token-file or MULTISITE_TOKEN; `multisite token create` makes one")
    return token.strip()
