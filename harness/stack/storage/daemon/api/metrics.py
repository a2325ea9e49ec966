"""/metrics, for Prometheus."""

import time
from collections import Counter
from collections.abc import Iterable

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from ..autonomy import Autonomy
from .access import PROBLEMS, Daemon, Reader

router = APIRouter(tags=["metrics"], responses=PROBLEMS)
PREFIX = "mfs_autonomy"


class Latency:
    """How long answers take."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        buckets = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
        self._histogram = Histogram(f"{PREFIX}_api_seconds", "Answers", buckets=buckets, registry=self.registry)
        ProcessCollector(registry=self.registry)

    def observe(self, took_s: float) -> None:
        """One answer."""
        self._histogram.observe(took_s)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request, daemon: Daemon, _who: Reader) -> Response:
    """As they are at the last look."""
    registry = CollectorRegistry()
    registry.register(_Collected(daemon))
    latency: Latency = request.app.state.latency
    return Response(generate_latest(registry) + generate_latest(latency.registry), media_type=CONTENT_TYPE_LATEST)


class _Collected(Collector):
    def __init__(self, daemon: Autonomy) -> None:
        self._daemon = daemon

    def collect(self) -> Iterable[Metric]:
        daemon, facts = self._daemon, self._daemon.facts
        yield GaugeMetricFamily(f"{PREFIX}_level", "Of autonomy, 1 to 5", float(daemon.level))
        yield CounterMetricFamily(f"{PREFIX}_looks", "At the host", daemon.looks)
        yield GaugeMetricFamily(f"{PREFIX}_look_seconds", "How long the last took", daemon.look_took_s)
        age_s = time.time() - daemon.looked_at_s if daemon.looked_at_s else float("nan")
        yield GaugeMetricFamily(f"{PREFIX}_look_age_seconds", "Since the last", age_s)
        views, records = (facts.views, facts.records) if facts else ((), ())
        yield _counted("devices", "Indexes of the pool", "state", [one.ownership.value for one in views])
        yield _counted("volumes", "Recorded mappings", "stage", [one.stage.value for one in records])
        yield _counted("incidents", "That are there", "name", [one.case.incident for one in daemon.known.values()])
        waiting = [one.state.value for one in daemon.store.state.requests.by_id.values()]
        yield _counted("requests", "Remembered", "state", waiting)
        yield _counted("alerts", "That last", "severity", [one.alert.severity for one in daemon.firing.values()])
        yield GaugeMetricFamily(f"{PREFIX}_unfinished_moves", "Moves without an end", len(facts.moves) if facts else 0)
        yield from _peers(daemon)
        yield from _cared_for(daemon)
        yield _counted("migrations", "Of volumes", "state", [one.state for one in daemon.migrating.every])
        tried = CounterMetricFamily(f"{PREFIX}_remedies", "Tried", labels=["incident"])
        for name, count in daemon.remedies.items():
            tried.add_metric([name], count)
        yield tried
        over = CounterMetricFamily(f"{PREFIX}_incidents_over", "After a remedy", labels=["incident", "cured"])
        for (name, cured), count in daemon.cured.items():
            over.add_metric([name, str(cured).lower()], count)
        yield over


def _peers(daemon: Autonomy) -> Iterable[Metric]:
    """Of a host without peers, none."""
    if daemon.peering is None:
        return
    view = daemon.peering.view()
    standings = view.standings(view.written_at_s)
    yield _counted("peers", "Other hosts of the cluster", "state", [one.state for one in standings])
    age = GaugeMetricFamily(f"{PREFIX}_peer_age_seconds", "Since a peer stood by what it said", labels=["peer"])
    for one in standings:
        age.add_metric([one.name], float("nan") if one.age_s is None else one.age_s)
    yield age
    yield CounterMetricFamily(f"{PREFIX}_peer_messages_refused", "Not taken", sum(view.refused.values()))


def _cared_for(daemon: Autonomy) -> Iterable[Metric]:
    """Snapshots and storage classes; of who has no settings of them, none."""
    if (snapshotting := daemon.snapshotting) is not None:
        taken: list[str] = [one.kind for seen in snapshotting.seen.values() for one in seen.taken]
        yield _counted("snapshots", "Of volumes, that are there", "kind", taken)
        yield CounterMetricFamily(f"{PREFIX}_snapshots_made", "Since the start", snapshotting.made)
        yield CounterMetricFamily(f"{PREFIX}_snapshots_deleted", "Since the start", snapshotting.dropped)
    if (tiering := daemon.tiering) is not None:
        classes = [one.storage_class or "several" for one in tiering.seen.volumes]
        yield _counted("tiered_volumes", "By their storage class", "storage_class", classes)
        due = len(tiering.seen.plan.changes)
        yield GaugeMetricFamily(f"{PREFIX}_tiering_due", "Volumes that are to get another class now", due)
        waits = float(bool(tiering.seen.plan.waits))
        yield GaugeMetricFamily(f"{PREFIX}_tiering_waits", "Nothing is changed now (/v1/tiering says why)", waits)


def _counted(name: str, what: str, label: str, values: list[str]) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", what, labels=[label])
    for value, count in sorted(Counter(values).items()):
        family.add_metric([value], count)
    return family
