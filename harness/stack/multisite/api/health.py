"""How all is: /healthz, /health/..., /metrics."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from pydantic import BaseModel

from . import rows
from .access import READ, Daemon
from .live import BackendState, EdgeState, Live, Overall, overall, without_backends

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """Who is asked answers, or not."""

    status: Literal["ok", "no edge"] = "ok"


class Summary(BaseModel):
    """Of everything."""

    status: Overall
    backends: dict[str, int]
    services_without_backends: list[str]
    edge: EdgeState


@router.get("/healthz")
def alive() -> Alive:
    """Whether the daemon lives. Needs no token and no database."""
    return Alive()


@router.get("/healthz/edge", responses={503: {"model": Alive, "description": "It does not"}})
def edge_alive(daemon: Daemon, response: Response) -> Alive:
    """Whether the edge of this machine answers: for what moves the address of several. Needs no token."""
    if daemon.edge().reachable:
        return Alive()
    response.status_code = 503
    return Alive(status="no edge")


@router.get("/health/summary", dependencies=[READ], responses=rows.PROBLEMS)
def summary(daemon: Daemon) -> Summary:
    """In a few numbers."""
    backends, edge = daemon.backends(), daemon.edge()
    return Summary(
        status=overall(backends, edge),
        backends=dict(Counter(one.verdict for one in backends)),
        services_without_backends=without_backends(backends),
        edge=edge,
    )


@router.get("/health/backends", dependencies=[READ], responses=rows.PROBLEMS)
def backends(daemon: Daemon) -> list[BackendState]:
    """Each backend as it is now, from memory: also when the database is gone."""
    return daemon.backends()


@router.get(
    "/metrics",
    dependencies=[READ],
    response_class=Response,
    responses={**rows.PROBLEMS, 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(daemon: Daemon) -> Response:
    """For Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Collected(daemon))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Collected(Collector):
    """The daemon's state as metrics."""

    def __init__(self, daemon: Live) -> None:
        self._daemon = daemon

    def collect(self) -> Iterable[Metric]:
        labels = ["service", "site", "backend"]
        up = GaugeMetricFamily("multisite_backend_up", "1: believed to work, 0: not, NaN: not known", labels=labels)
        used = GaugeMetricFamily("multisite_backend_in_use", "Whether it takes traffic", labels=labels)
        for one in self._daemon.backends():
            where = [one.service, one.site, one.address]
            up.add_metric(where, {"up": 1.0, "down": 0.0}.get(one.verdict, float("nan")))
            used.add_metric(where, float(one.in_use))
        yield up
        yield used
        edge: dict[str, Any] = asdict(self._daemon.edge())
        yield GaugeMetricFamily("multisite_edge_reachable", "Whether the edge answers", float(edge["reachable"]))
        yield GaugeMetricFamily(
            "multisite_edge_in_order", "Whether it has what it should", float(edge["in_force"] == edge["wanted"])
        )
        yield GaugeMetricFamily(
            "multisite_leads", "Whether this machine takes changes", float(self._daemon.copies.leads())
        )
        for name, value in self._daemon.counters().items():
            yield CounterMetricFamily(f"multisite_{name}", name.replace("_", " "), value)
