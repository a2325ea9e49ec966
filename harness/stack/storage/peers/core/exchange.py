"""What one message has in it: reports with their ages, so that each is as old for whoever hears of it as it is."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .merge import Heard, Known
from .report import BadReport, Report, canonical, from_json, to_json

MOST_REPORTS = 64
ROW_BYTES = 64


def told(own: Report, known: Known, now_s: float, most_bytes: int) -> dict[str, object]:
    """Our own report, and what we know of others as far as it fits: they say it themselves as well."""
    own = _short(own, most_bytes // 2)
    rows = [{"age_s": 0.0, "report": to_json(own)}]
    left_bytes = most_bytes - len(canonical(own))
    for name, one in sorted(known.items()):
        left_bytes -= len(canonical(one.report)) + ROW_BYTES
        if name != own.node and left_bytes > 0 and len(rows) < MOST_REPORTS:
            rows.append({"age_s": max(0.0, now_s - one.at_s), "report": to_json(one.report)})
    return {"reports": rows}


def _short(report: Report, most_bytes: int) -> Report:
    """The first volumes of so many that they do not fit; how many are missing is in it."""
    while len(canonical(report)) > most_bytes and report.volumes:
        kept = report.volumes[: len(report.volumes) // 2]
        report = replace(report, volumes=kept, more=report.more + len(report.volumes) - len(kept))
    return report


def understood(document: object, expected: Iterable[str], asked_s: float) -> dict[str, Heard]:
    """Reports of hosts that we expect; of others, nothing is kept. Raises BadReport.

    ``asked_s`` is when our side gave its nonce: what was said was said after that, so ages count from there.
    """
    rows = document.get("reports") if isinstance(document, Mapping) else None
    if not isinstance(rows, list) or len(rows) > MOST_REPORTS:
        raise BadReport(f"reports: not a list of {MOST_REPORTS} at most")
    wanted, found = set(expected), {}
    for row in rows:
        age_s = row.get("age_s") if isinstance(row, Mapping) else None
        if not isinstance(age_s, int | float) or isinstance(age_s, bool) or not 0 <= age_s < 1e10:
            raise BadReport("age_s: not a number of seconds")
        report = from_json(row.get("report"))
        if report.node in wanted:
            found[report.node] = Heard(report, asked_s - float(age_s))
    return found
