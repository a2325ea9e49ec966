"""Which promises the runs showed: each promise with its status and the scenarios that speak for or against it."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

from harness.checks.story import POWER_CUTS, PowerCut
from harness.errors import UsageError
from harness.reporting.facts import RunFacts
from harness.reporting.page import badge

Status = Literal["shown", "violated", "inconclusive", "not shown here"]

STATUSES: tuple[Status, ...] = ("violated", "inconclusive", "shown", "not shown here")
KEYS, OPTIONAL_KEYS = {"id", "kind", "text"}, {"not_shown"}
HARDEST_FIRST: tuple[PowerCut, ...] = ("power", "process death", "none")
KINDS = ("behaviour", "process")
UNLISTED = "unlisted"
"""The kind of a promise that runs name and no table has: nobody promised it, so it counts as none."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Something the product promises; a ``process`` promise is a rule of work, which no run can show."""

    id: str
    kind: str
    text: str
    not_shown: str = ""
    """Why no run may show it, where there is a reason."""


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """A promise with what the runs say of it."""

    promise: Promise
    status: Status
    scenarios: tuple[str, ...]
    power_cut: PowerCut = "none"
    """The hardest power cut in the runs that show it."""


def load_promises(path: Path) -> tuple[Promise, ...]:
    """Read a file of promises: ``[[promise]]`` tables with id, kind and text, and maybe why they are not shown.

    The table ``[not_shown]`` says it of all those whose id begins with one of its keys. Raises UsageError naming the
    file, the promise and what is wrong with it.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: is not TOML: {error}") from None
    reasons = data.get("not_shown", {})
    found: dict[str, Promise] = {}
    for number, entry in enumerate(data.get("promise", []), start=1):
        where = f"{path}: promise {entry.get('id', f'number {number}')}"
        named = KEYS <= set(entry) <= KEYS | OPTIONAL_KEYS
        if not named or not all(isinstance(value, str) for value in entry.values()):
            raise UsageError(f"{where}: needs id, kind and text, may have not_shown, each a string, and nothing else")
        if entry["kind"] not in KINDS:
            raise UsageError(f"{where}: kind is {entry['kind']!r}; allowed: {', '.join(KINDS)}")
        if entry["id"] in found:
            raise UsageError(f"{where}: is there twice")
        reason = next((why for begins, why in reasons.items() if entry["id"].startswith(begins)), "")
        found[entry["id"]] = Promise(**{"not_shown": reason} | entry)
    for begins, why in reasons.items():
        if not isinstance(why, str) or not any(one.startswith(begins) for one in found):
            raise UsageError(f"{path}: not_shown.{begins}: needs a reason, a string, and promises whose id begins so")
    return tuple(found.values())


def promise_table(promises: Sequence[Promise], runs: Iterable[RunFacts]) -> tuple[PromiseRow, ...]:
    """Every promise with its status; the worst of its runs counts. Unknown ids that runs name come last."""
    by_id: dict[str, list[RunFacts]] = {}
    for run in runs:
        for promise_id in run.promises:
            by_id.setdefault(promise_id, []).append(run)
    known = {promise.id for promise in promises}
    strangers = [Promise(one, UNLISTED, "(not in the list of promises)") for one in sorted(set(by_id) - known)]
    return tuple(_row(promise, by_id.get(promise.id, [])) for promise in [*promises, *strangers])


def _row(promise: Promise, runs: list[RunFacts]) -> PromiseRow:
    scenarios = tuple(dict.fromkeys(run.scenario for run in runs))
    if not runs:
        return PromiseRow(promise, "not shown here", scenarios)
    if any(run.result in {"violated", "not caught"} for run in runs):
        return PromiseRow(promise, "violated", scenarios)
    cuts = {run.power_cut for run in runs}
    hardest: PowerCut = next((cut for cut in HARDEST_FIRST if cut in cuts), "none")
    return PromiseRow(promise, "shown" if all(run.good for run in runs) else "inconclusive", scenarios, hardest)


def listed(rows: Iterable[PromiseRow]) -> list[PromiseRow]:
    """Those that are in the table."""
    return [row for row in rows if row.promise.kind != UNLISTED]


def count(rows: Iterable[PromiseRow]) -> dict[Status, int]:
    """How many promises of the table have each status."""
    found = dict.fromkeys(STATUSES, 0)
    for row in listed(rows):
        found[row.status] += 1
    return found


def promise_html(rows: Sequence[PromiseRow]) -> str:
    """The table for a page; those that nothing here shows are folded away."""
    told = [row for row in rows if row.status != "not shown here"]
    rest = [row for row in rows if row.status == "not shown here"]
    parts = []
    if told:
        parts.append(_table(sorted(told, key=lambda row: STATUSES.index(row.status))))
    if rest:
        heading = f'<summary class="soft">▸ {len(rest)} promises that nothing here shows</summary>'
        parts.append(f"<details>{heading}{_table(rest)}</details>")
    return "".join(parts)


def _table(rows: Sequence[PromiseRow]) -> str:
    lines = "".join(
        f'<tr><td class="mono nowrap">{escape(row.promise.id)}</td><td>{badge(row.status)}</td>'
        f"<td>{escape(row.promise.text)}{_kind(row.promise)}{_reason(row)}</td>"
        f'<td class="soft">{"<br>".join(escape(name) for name in row.scenarios)}</td></tr>'
        for row in rows
    )
    return f"<table><tr><th>promise</th><th></th><th></th><th>scenarios</th></tr>{lines}</table>"


def _reason(row: PromiseRow) -> str:
    told = row.promise.not_shown if row.status == "not shown here" else ""
    if row.status == "shown" and row.power_cut != "none":
        told = POWER_CUTS[row.power_cut]
    return f' <span class="soft">({escape(told)})</span>' if told else ""


def _kind(promise: Promise) -> str:
    return ' <span class="soft">(a rule of work)</span>' if promise.kind == "process" else ""
