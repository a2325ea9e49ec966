"""The summary of a session in a terminal: what was shown, how long clients were without an answer, what was lost."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.checks.story import duration
from harness.checks.verdict import Outcome
from harness.reporting.facts import RunFacts, dark_reasons, dark_words
from harness.reporting.page import humanise
from harness.reporting.power import survived_words
from harness.reporting.promises import STATUSES, PromiseRow, count, listed

RESULT_STYLE = {
    "holds": "green",
    "caught": "green",
    "violated": "bold red",
    "not caught": "bold red",
    "inconclusive": "yellow",
}
OUTCOME_TEXT = {
    Outcome.HOLDS: Text("kept", style="green"),
    Outcome.UNKNOWN: Text("unknown", style="yellow"),
    Outcome.VIOLATED: Text("violated", style="red"),
}
STAGES = {
    "membership re-formed": "members",
    "leader elected": "leader",
    "lease acquired": "lease",
    "address added": "address",
    "gratuitous ARP seen": "ARP",
    "first answer": "answer",
    "first committed write": "write",
}
"""The stages that the summary has room for, with their headings."""


def print_summary(runs: Sequence[RunFacts], rows: Sequence[PromiseRow], report: str, console: Console) -> None:
    """Print everything a person wants to know first; ``report`` is where the rest is."""
    if not runs:
        return
    console.print(_results(runs))
    if any(run.waterfall and run.waterfall.stages for run in runs):
        console.print()
        console.print(Text("how the address came back, in ms after the fault was called for", style="dim"))
        console.print(_stages(runs))
    console.print()
    for run in runs:
        if run.reason and not run.good:
            console.print(
                Text.assemble((run.result, RESULT_STYLE[run.result]), f" {run.scenario}: {run.reason}"), soft_wrap=True
            )
            console.print(Text(f"  harness judge {run.directory}", style="dim"), soft_wrap=True)
    for line in _totals(runs, rows):
        console.print(line, soft_wrap=True)
    console.print(Text.assemble("report: ", (report, "bold")), soft_wrap=True)


def _results(runs: Sequence[RunFacts]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("verdict", no_wrap=True)
    table.add_column("scenario", overflow="fold")
    table.add_column("quorum", no_wrap=True)
    table.add_column("outage", justify="right", no_wrap=True)
    table.add_column("acknowledged", justify="right", no_wrap=True)
    table.add_column("lost", justify="right", no_wrap=True)
    table.add_column("promises", overflow="fold", max_width=24)
    for run in runs:
        table.add_row(
            Text(run.result, style=RESULT_STYLE[run.result]),
            Text(humanise(run.scenario)),
            OUTCOME_TEXT[run.quorum] if run.quorum is not None else Text("-", style="dim"),
            outage_text(run),
            f"{run.acknowledged:,}" if run.acknowledged else Text("-", style="dim"),
            _lost(run),
            " ".join(run.promises),
        )
    return table


def outage_text(run: RunFacts) -> Text:
    """The longest outage of a run."""
    outage = run.outage
    if outage is None:
        return Text("none", style="dim")
    if outage.end_s is None:
        return Text(f"> {duration(outage.length_s)}", style="red")
    return Text(duration(outage.length_s))


def _lost(run: RunFacts) -> Text:
    if run.lost is None:
        return Text("-", style="dim")
    return Text(f"{run.lost:,}", style="red" if run.lost else "green")


def _stages(runs: Sequence[RunFacts]) -> Table:
    seen = [name for name in STAGES if any(run.waterfall is not None and run.waterfall.stage(name) for run in runs)]
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("longest outage of", overflow="fold")
    table.add_column("after", overflow="fold", style="dim")
    for name in seen:
        table.add_column(STAGES[name], justify="right", no_wrap=True)
    for run in runs:
        if run.waterfall is None:
            continue
        stages = [run.waterfall.stage(name) for name in seen]
        cells = [f"{stage.after_s * 1000:.0f}" if stage else Text("-", style="dim") for stage in stages]
        table.add_row(Text(humanise(run.scenario)), Text(run.waterfall.base), *cells)
    return table


def _totals(runs: Sequence[RunFacts], rows: Sequence[PromiseRow]) -> list[Text]:
    results = {word: sum(run.result == word for run in runs) for word in RESULT_STYLE}
    parts = [Text(f"{number} {word}", style=RESULT_STYLE[word]) for word, number in results.items() if number]
    lines = [Text.assemble((f"{len(runs)} scenarios: ", "bold"), Text(", ").join(parts))]
    sabotaged = sum(run.lost or 0 for run in runs if run.result == "caught")
    apart = f" (and {sabotaged:,} on purpose, in sabotages)" if sabotaged else ""
    lost = sum(run.lost or 0 for run in runs if run.result != "caught")
    acknowledged = sum(run.acknowledged for run in runs)
    lines.append(Text(f"writes: {acknowledged:,} acknowledged, {lost:,} of them lost{apart}"))
    if survived := survived_words(runs):
        lines.append(Text(f"  {survived}", style="dim"))
    lines += _dark(runs)
    return lines + _promises(rows)


def _promises(rows: Sequence[PromiseRow]) -> list[Text]:
    """How many promises came to what; those that only scenarios name are told apart."""
    lines, numbers = [], count(rows)
    said = ", ".join(f"{numbers[status]} {status}" for status in STATUSES if numbers[status])
    if said:
        by_death = sum(row.power_cut == "process death" for row in rows if row.status == "shown")
        apart = f" ({by_death} of the shown without a loss of unsynced writes: power cuts were the death of processes)"
        lines.append(Text(f"promises: {said}{apart if by_death else ''}"))
    known = listed(rows)
    if strangers := [row.promise.id for row in rows if row not in known]:
        without = "are not in the table" if said else "cannot be counted: no table of promises was found"
        lines.append(Text(f"promises: {len(strangers)} that scenarios name {without} ({', '.join(strangers)})"))
    return lines


def _dark(runs: Sequence[RunFacts]) -> list[Text]:
    """How often an address was dark without a fault, and in which runs."""
    those = [run for run in runs if run.dark]
    moments = [moment for run in those for moment in run.dark]
    told = dark_words(moments)
    lines = [Text(f"dark without a fault: {told}" + (f", in {len(those)} of {len(runs)} runs" if those else ""))]
    lines += [Text(f"  {reason}") for reason in dark_reasons(moments)]
    return lines + [Text(f"  {run.scenario}: {dark_words(run.dark)}", style="dim") for run in those]
