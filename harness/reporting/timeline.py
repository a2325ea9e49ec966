"""The page of one run: what happened, in one picture, what it means, and how the address came back."""

from html import escape
from pathlib import Path

from harness.character import Character
from harness.checks.outage import Outage
from harness.checks.story import POWER_CUTS, clock_of, duration, fault_windows
from harness.checks.verdict import Verdict
from harness.events import FaultEffective, FaultHealed, LinkShaped, Note, RunStarted
from harness.history import History
from harness.reporting.drawing import close_up, draw, node_names, whole
from harness.reporting.facts import TIMELINE, RunFacts, StoredRun, dark_words, facts_of
from harness.reporting.page import badge, humanise, outcome_badge, page
from harness.reporting.waterfall import Waterfall, outages_of_all, waterfall_of

MAX_CLOSE_UPS = 6
CLOSE_UP_OF_S = 30.0
"""A close-up of a longer outage would show no more than the whole does."""


def write_timeline(run: StoredRun) -> Path:
    """Write the page into the run's directory; it needs nothing but itself."""
    path = run.directory / TIMELINE
    path.write_text(timeline(run), encoding="utf-8")
    return path


def timeline(run: StoredRun) -> str:
    """The page as text."""
    facts = facts_of(run)
    longest = sorted(outages_of_all(run.history), key=lambda outage: -outage.length_s)
    shown = sorted(_one_for_each_cause(longest)[:MAX_CLOSE_UPS], key=lambda outage: outage.start_s)
    sections = [
        _head(run.history, facts),
        _figures(facts),
        f'<h2>What happened</h2><div class="card scroll">{draw(whole(run.history))}{_legend(run.history)}</div>',
        *(_outage(run.history, waterfall_of(run.history, outage)) for outage in shown),
        _verdicts(run.verdicts),
        _links(run.history),
        _faults(run.history),
        _dark(run.history, facts),
        _notes(run.history),
        f'<p class="soft mono">harness judge {escape(str(run.directory))}</p>',
    ]
    return page(humanise(facts.scenario), "\n".join(section for section in sections if section))


def _one_for_each_cause(longest_first: list[Outage]) -> list[Outage]:
    """The longest outage of each cause; several clients see the same one."""
    found: dict[tuple[str, bool], Outage] = {}
    for outage in longest_first:
        found.setdefault((outage.fault_id, outage.after_heal), outage)
    return list(found.values())


def _head(history: History, facts: RunFacts) -> str:
    chips = "".join(f'<span class="chip">{escape(promise)}</span>' for promise in facts.promises)
    started = next(iter(history.of(RunStarted)), None)
    drawn = str(started.topology.get("name", "")) if started else ""
    about = " · ".join(
        part
        for part in (facts.subject, drawn, f"engine {facts.engine}", f"seed {facts.seed}", duration(facts.duration_s))
        if part
    )
    reason = f'<p style="margin:8px 0 0">{escape(facts.reason)}</p>' if facts.reason else ""
    return (
        f"<h1>{escape(humanise(facts.scenario))} &nbsp;{badge(facts.result)}</h1>"
        f'<div class="soft">{escape(about)}</div>{reason}<div style="margin-top:8px">{chips}</div>'
    )


def _figures(facts: RunFacts) -> str:
    outage = facts.outage
    boxes = [
        (
            "longest outage",
            outage_words(outage),
            outage.cause or "no fault" if outage else "every attempt was answered",
        ),
        (
            "quorum",
            facts.quorum.name.lower() if facts.quorum is not None else "?",
            "where the votes say, and only there",
        ),
        ("acknowledged writes", f"{facts.acknowledged:,}", "before, during and after the faults"),
        ("lost writes", "?" if facts.lost is None else f"{facts.lost:,}", lost_words(facts)),
        ("faults", str(len(facts.faults)), ", ".join(facts.faults) or "none"),
        ("dark without a fault", dark_words(facts.dark), "nobody held the address, and no fault was at work"),
    ]
    return (
        '<div class="figures">'
        + "".join(
            f'<div class="figure"><span>{escape(name)}</span><b>{escape(value)}</b><span>{escape(note)}</span></div>'
            for name, value, note in boxes
        )
        + "</div>"
    )


def lost_words(facts: RunFacts) -> str:
    """What the number of lost writes rests on."""
    if facts.lost is None:
        return "nothing was read back"
    return f"by reading back every member; {POWER_CUTS[facts.power_cut]}"


def outage_words(outage: Outage | None) -> str:
    """The length of an outage as a reader wants it."""
    if outage is None:
        return "none"
    return duration(outage.length_s) if outage.end_s is not None else f"not back after {duration(outage.length_s)}"


def _legend(history: History) -> str:
    swatches = [
        *((f"var(--node{number % 6})", f"{node} holds") for number, node in enumerate(node_names(history))),
        ("var(--good)", "quorate (thin line), answered"),
        ("var(--doubt)", "not quorate, unknown"),
        ("var(--bad)", "failed"),
    ]
    items = "".join(
        f'<span class="nowrap"><span class="swatch" style="background:{fill}"></span>{escape(text)}</span>'
        for fill, text in swatches
    )
    return (
        f'<div class="soft" style="font-size:12.5px;margin-top:6px">{items}'
        '<span class="nowrap" style="margin-left:14px">◇ gratuitous ARP</span>'
        '<span class="nowrap" style="margin-left:14px">pale: address present, gate closed</span>'
        '<span class="nowrap" style="margin-left:14px">hatched: no power</span></div>'
    )


def _outage(history: History, fall: Waterfall) -> str:
    outage = fall.outage
    clock = clock_of(history)
    still = "" if outage.end_s is not None else ", and not back"
    title = f"{duration(outage.length_s)} without an answer{still}: {outage.cause or 'no fault'}"
    ended_s = outage.end_s if outage.end_s is not None else outage.seen_until_s
    picture = ""
    if ended_s - outage.start_s <= CLOSE_UP_OF_S:
        last_s = max([ended_s, *(stage.t_s for stage in fall.stages if stage.t_s <= ended_s + 1.0)])
        picture = draw(close_up(history, min(fall.base_s, outage.start_s), last_s))
    seen = (
        f"{outage.client} to {outage.address}:{outage.port}, from {clock.at(outage.start_s)}, "
        f"± {duration(outage.error_s)}, {outage.failed} failed attempts"
    )
    return (
        f'<h2>{escape(title)}</h2><div class="card scroll">'
        f'<div class="soft" style="margin-bottom:8px">{escape(seen)}</div>'
        f"{picture}{waterfall_table(fall)}</div>"
    )


def waterfall_table(fall: Waterfall) -> str:
    """The stages with bars to scale, each from the stage before it."""
    if not fall.stages:
        return ""
    first_s = fall.stages[0].after_s
    span_s = max(fall.stages[-1].after_s - first_s, 1e-9)
    rows, before_s = [], first_s
    for stage in fall.stages:
        left = (before_s - first_s) / span_s * 100
        width = max((stage.after_s - before_s) / span_s * 100, 0.4)
        rows.append(
            f'<tr><td class="nowrap">{escape(stage.name)}</td><td class="soft">{escape(stage.node)}</td>'
            f'<td class="num">{stage.after_s * 1000:+.1f} ms</td><td class="num soft">'
            f"{(stage.after_s - before_s) * 1000:.1f}</td>"
            f'<td style="width:48%"><svg width="100%" height="14"><rect x="{min(left, 99.6):.2f}%" y="2" '
            f'width="{width:.2f}%" height="10" rx="2" fill="var(--node0)"/></svg></td></tr>'
        )
        before_s = stage.after_s
    return (
        f'<table style="margin-top:12px"><tr><th>stage</th><th></th><th class="num">after {escape(fall.base)}</th>'
        f'<th class="num">step, ms</th><th></th></tr>{"".join(rows)}</table>'
    )


def _verdicts(verdicts: tuple[Verdict, ...]) -> str:
    rows = []
    for verdict in sorted(verdicts, key=lambda verdict: -verdict.outcome):
        text = f'<span class="mono">{escape(verdict.title)}</span><br>{escape(verdict.summary)}'
        if verdict.evidence:
            items = "".join(f"<li>{escape(finding.text)}</li>" for finding in verdict.evidence)
            count = len(verdict.evidence)
            opened = " open" if verdict.outcome else ""
            text += f'<details{opened}><summary class="soft">▸ evidence ({count})</summary><ul>{items}</ul></details>'
        rows.append(f'<div class="verdict"><div>{outcome_badge(verdict.outcome)}</div><div>{text}</div></div>')
    return f'<h2>Verdicts</h2><div class="card">{"".join(rows)}</div>' if rows else ""


def _faults(history: History) -> str:
    clock = clock_of(history)
    bites = {event.fault_id: event.evidence for event in history.of(FaultEffective)}
    heals = {event.fault_id: event.evidence for event in history.of(FaultHealed)}
    rows = []
    for window in fault_windows(history):
        effective = f"{clock.at(window.effective_s)}: {bites[window.fault_id]}" if window.effective_s else "not shown"
        healed = f"{clock.at(window.healed_s)}: {heals[window.fault_id]}" if window.healed_s else "not shown"
        rows.append(
            f"<tr><td>{escape(window.label)}</td><td>{escape(window.without_effect or effective)}</td>"
            f"<td>{escape(healed)}</td></tr>"
        )
    head = "<tr><th>fault</th><th>bites, as seen from outside</th><th>healed</th></tr>"
    return f'<h2>Faults</h2><div class="card"><table>{head}{"".join(rows)}</table></div>' if rows else ""


def _links(history: History) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.link)}</td><td>{escape(one.place)}</td>"
        f"<td>{escape(Character(**one.character).words)}</td><td>{escape(one.driver)}</td></tr>"
        for one in history.of(LinkShaped)
    )
    head = "<tr><th>link</th><th>where</th><th>what it does to packets, one way</th><th>by</th></tr>"
    return f'<h2>Links</h2><div class="card"><table>{head}{rows}</table></div>' if rows else ""


def _dark(history: History, facts: RunFacts) -> str:
    clock = clock_of(history)
    rows = "".join(
        f'<tr><td class="mono">{escape(one.address)}</td><td class="num">{clock.at(one.from_s)}</td>'
        f'<td class="num">{duration(one.length_s)}</td><td>{escape(one.before)}</td><td>{escape(one.after)}</td>'
        f"<td>{escape(one.why.value)}</td></tr>"
        for one in facts.dark
    )
    head = "<tr><th>address</th><th>from</th><th>for</th><th>held before by</th><th>afterwards by</th>"
    head += "<th>why, as its log says</th></tr>"
    return f'<h2>Dark without a fault</h2><div class="card"><table>{head}{rows}</table></div>' if rows else ""


def _notes(history: History) -> str:
    clock = clock_of(history)
    rows = "".join(
        f'<tr><td class="num">{clock.at(note.t_s)}</td><td style="width:100%">{escape(note.text)}</td></tr>'
        for note in history.of(Note)
    )
    return f'<h2>In the scenario\'s words</h2><div class="card"><table>{rows}</table></div>' if rows else ""
