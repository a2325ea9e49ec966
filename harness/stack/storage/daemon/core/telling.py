"""Which alerts there are, by what is known. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from ...incidents.core.declared import Incident
from ...incidents.core.engine import Known, Stage
from .alerts import Alert
from .requests import Request, State

_WHY = {
    Stage.TOLD: "a person has to: {said}",
    Stage.NOT_ALLOWED: "nothing is done, for {said}",
    Stage.ASKED: "a person has to approve: {said}",
    Stage.MENDING: "it is being mended",
    Stage.TRIED: "tried: {said}",
    Stage.GIVEN_UP: "given up, the last try said: {said}; {advice}",
}


def alerts_of(
    known: Known, catalogue: Mapping[str, Incident], requests: Iterable[Request], troubles: Sequence[str]
) -> list[Alert]:
    """Of incidents that were seen often enough, of questions that wait, and of what keeps us from looking."""
    found = [Alert("host", trouble.split(":")[0], "critical", trouble) for trouble in troubles]
    for watched in known.values():
        incident = catalogue[watched.case.incident]
        if watched.times < incident.patience and not watched.tries:
            continue
        template = _WHY.get(watched.stage, incident.advice)
        why = template.format(said=watched.said, advice=incident.advice)
        found.append(Alert(incident.name, watched.case.subject, incident.severity, f"{watched.case.seen}; {why}"))
    for one in requests:
        if one.state is State.WAITING:
            reasons = "; ".join(one.reasons)
            found.append(Alert("approval-wanted", one.id, "warning", f"'{one.act}' waits for a person: {reasons}"))
    return found
