"""The page of a session: every run with its figures and a link to its timeline, and the promises."""

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path

from harness.checks.story import duration
from harness.reporting.facts import TIMELINE, RunFacts, dark_reasons, dark_words
from harness.reporting.page import badge, humanise, outcome_badge, page
from harness.reporting.power import survived_words
from harness.reporting.promises import PromiseRow, count, listed, promise_html
from harness.reporting.timeline import outage_words

INDEX = "index.html"


def write_index(session: Path, runs: Sequence[RunFacts], rows: Sequence[PromiseRow]) -> Path:
    """Write the page into the session's directory."""
    path = session / INDEX
    path.write_text(index(session, runs, rows), encoding="utf-8")
    return path


def index(session: Path, runs: Sequence[RunFacts], rows: Sequence[PromiseRow]) -> str:
    """The page as text; links are relative to the session's directory."""
    head = (
        '<tr><th></th><th>scenario</th><th>quorum</th><th class="num">longest outage</th>'
        '<th class="num">acknowledged</th><th class="num">lost</th><th>promises</th></tr>'
    )
    lines = "".join(_line(session, run) for run in runs)
    promises = f'<h2>Promises</h2><div class="card">{promise_html(rows)}</div>' if rows else ""
    body = (
        f"<h1>{len(runs)} scenarios</h1>"
        f'<div class="soft">{escape(session.name)}</div>{_figures(runs, rows)}'
        f'<div class="card scroll"><table>{head}{lines}</table></div>'
        f'<p class="soft">{escape(survived_words(runs))}</p>{promises}'
    )
    return page(f"Scenarios {session.name}", body)


def _line(session: Path, run: RunFacts) -> str:
    link = escape(os.path.relpath(run.directory / TIMELINE, session), quote=True)
    reason = f'<div class="soft">{escape(run.reason)}</div>' if run.reason else ""
    lost = "" if run.lost is None else f"{run.lost:,}"
    chips = "".join(f'<span class="chip">{escape(promise)}</span>' for promise in run.promises)
    dark = [f"dark without a fault: {dark_words(run.dark)}", *dark_reasons(run.dark)] if run.dark else []
    reason += "".join(f'<div class="soft">{escape(line)}</div>' for line in dark)
    about = f"{run.subject}, {', '.join(run.faults) or 'no fault'}, {duration(run.duration_s)}"
    return (
        f'<tr><td>{badge(run.result)}</td><td><a href="{link}">{escape(humanise(run.scenario))}</a>'
        f'<div class="soft" style="font-size:12.5px">{escape(about)}</div>{reason}</td>'
        f'<td>{outcome_badge(run.quorum)}</td><td class="num">{escape(outage_words(run.outage))}</td>'
        f'<td class="num">{run.acknowledged:,}</td><td class="num">{lost}</td><td>{chips}</td></tr>'
    )


def _figures(runs: Sequence[RunFacts], rows: Sequence[PromiseRow]) -> str:
    outages = [run.outage for run in runs if run.outage is not None and run.good]
    longest = max((outage.length_s for outage in outages if outage.end_s is not None), default=None)
    boxes = [
        ("came out as they should", f"{sum(run.good for run in runs)} of {len(runs)}"),
        ("longest outage among them", duration(longest) if longest is not None else "none"),
        ("acknowledged writes", f"{sum(run.acknowledged for run in runs):,}"),
        ("lost, sabotages apart", f"{sum(run.lost or 0 for run in runs if run.result != 'caught'):,}"),
        ("dark without a fault", dark_words([moment for run in runs for moment in run.dark])),
    ]
    if known := listed(rows):
        boxes.append(("promises shown", f"{count(rows)['shown']} of {len(known)}"))
    elif rows:
        boxes.append(("promises shown", "no table of promises was found"))
    return (
        '<div class="figures">'
        + "".join(
            f'<div class="figure"><span>{escape(name)}</span><b>{escape(value)}</b></div>' for name, value in boxes
        )
        + "</div>"
    )
