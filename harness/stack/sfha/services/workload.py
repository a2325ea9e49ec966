"""What runs here besides addresses: services and health checks, fed by the node and done by a port.

Nothing here waits: the port reports back through ``service`` and ``probed`` when something has come of it.
"""

from collections.abc import Mapping

from ...kit.ports import Log
from ..config.resources import Check, Resources
from ..health import core as health
from . import core as services
from .idle import SHORTEST_HAND_OVER_S
from .ports import ServicePort
from .status import HealthStatus, ServiceStatus

FIRST_AILING_S, LAST_AILING_S = 60.0, 3600.0
HAND_OVER_SPARE_S = 2.0


class Workload:
    """The services and checks of one node."""

    def __init__(self, resources: Resources, port: ServicePort, log: Log) -> None:
        self._port, self._log = port, log
        self._health = health.HealthCore()
        self._services = services.ServicesCore()
        self._conditions = services.Conditions(run=False)
        self._ailing_until_s = 0.0
        self._given_up = 0
        self._why_ailing: str | None = None
        self._resources = Resources()
        self.configure(resources, 0.0)

    @property
    def wake_s(self) -> float | None:
        """When ``wake`` wants to be called."""
        times = [self._services.wake_s, self._health.wake_s, self._ailing_until_s if self._why_ailing else None]
        return min((time_s for time_s in times if time_s is not None), default=None)

    @property
    def busy(self) -> bool:
        """Whether a service runs, or is on its way up or down."""
        return self._services.busy

    @property
    def exclusive_stopped(self) -> bool:
        """Whether it is certain that no exclusive service runs here."""
        return self._services.exclusive_stopped

    @property
    def has_exclusive(self) -> bool:
        """Whether any service must never run twice."""
        return any(one.exclusive for one in self._resources.services)

    @property
    def patience_s(self) -> float:
        """How long a hand-over may take at most: what the slowest service is given, one after the other."""
        stops_s = sum(one.stop_timeout_s for one in self._resources.services)
        return max(SHORTEST_HAND_OVER_S, stops_s + HAND_OVER_SPARE_S)

    def ailing(self, now_s: float) -> bool:
        """Whether something critical failed here lately, so that other nodes should lead."""
        return now_s < self._ailing_until_s

    def forgive(self) -> None:
        """An administrator says that this node is well again."""
        self._ailing_until_s, self._given_up, self._why_ailing = 0.0, 0, None

    # --- what the node reports ---

    def configure(self, resources: Resources, now_s: float) -> None:
        """Other services and checks from now on; what stays the same goes on undisturbed."""
        before = {one.name: one for one in self._resources.services}
        self._resources = resources
        plan = resources.plan
        by_name = {one.name: one for one in resources.services}
        critical = {check.restart_service for check in resources.health_checks if check.critical} | plan.binding
        items = [
            services.Item(
                name=name,
                after=plan.after[name],
                along_with=plan.along_with[name],
                critical=by_name[name].critical or name in critical,
                restarts=by_name[name].restart_service,
                exclusive=by_name[name].exclusive,
            )
            for name in plan.order
        ]
        changed = {name for name, one in before.items() if name in by_name and _runs(one) != _runs(by_name[name])}
        # What is to be run differently is stopped as it was (the port remembers how it was started), and started anew.
        self._port.configure(resources.services)
        self._do(self._services.configure(items, now_s), now_s)
        for name in sorted(changed):
            self._do(self._services.restart(name, now_s), now_s)
        self._watch(now_s)

    def conditions(
        self, *, run: bool, vips_up: frozenset[str], exclusive_permitted: bool, abrupt: bool, now_s: float
    ) -> None:
        """Whether to run anything, and which addresses are up (services/core.py)."""
        conditions = services.Conditions(run, vips_up, exclusive_permitted, abrupt)
        if conditions != self._conditions:
            self._conditions = conditions
            self._step(conditions, now_s)

    def service(self, signal: services.Signal, now_s: float) -> None:
        """The port reports what became of a service."""
        match signal:
            case services.Started(name, None):
                self._log("service-started", service=name)
            case services.Stopped(name, None):
                self._log("service-stopped", service=name)
            case services.Stopped(name, error):
                self._log("service-stop-failed", service=name, error=error)
        self._step(signal, now_s)

    def probed(self, name: str, round_: int, error: str | None, now_s: float) -> None:
        """A look at the health of something has ended."""
        self._health_step(self._health.answered(name, round_, error, now_s), now_s)

    def wake(self, now_s: float) -> None:
        """The time of ``wake_s`` has come."""
        if self._why_ailing and not self.ailing(now_s):
            self._log("ailing", ailing=False, why="")
            self._why_ailing = None
        self._step(services.Wake(), now_s)
        self._health_step(self._health.wake(now_s), now_s)

    def service_status(self) -> tuple[ServiceStatus, ...]:
        """Every service as it stands here."""
        return tuple(
            ServiceStatus(
                name=one.name,
                type=one.type,
                state=self._services.state(one.name).value,
                healthy=self._health.healthy(one.name),
                critical=one.critical,
                exclusive=one.exclusive,
                error=self._services.error(one.name),
            )
            for one in self._resources.services
        )

    def health_status(self) -> tuple[HealthStatus, ...]:
        """Every check as it stands here; None where it is not being done."""
        return tuple(
            HealthStatus(name, check.type, check.target, self._health.healthy(name), self._health.why(name) or None)
            for name, check in self._checks().items()
        )

    # --- what follows ---

    def _step(self, signal: services.Signal, now_s: float) -> None:
        self._do(self._services.step(signal, now_s), now_s)
        self._watch(now_s)

    def _do(self, actions: list[services.Action], now_s: float) -> None:
        for action in actions:
            match action:
                case services.Start(name):
                    self._log("service-starting", service=name)
                    self._port.start(name)
                case services.Stop(name, kill):
                    self._log("service-stopping", service=name, kill=kill)
                    self._port.stop(name, kill=kill)
                case services.Failure(name, why, restarting):
                    self._log("service-failed", service=name, error=why, restarting=restarting)
                case services.GiveUp(name, why):
                    self._give_up(name, why, now_s)

    def _give_up(self, name: str, why: str, now_s: float) -> None:
        ailing_s = min(LAST_AILING_S, FIRST_AILING_S * 2 ** min(self._given_up, 10))
        self._given_up += 1
        self._ailing_until_s, self._why_ailing = now_s + ailing_s, f"{name}: {why}"
        self._log("ailing", ailing=True, why=self._why_ailing, for_s=ailing_s)

    def _checks(self) -> Mapping[str, Check]:
        own = {one.name: one.healthcheck for one in self._resources.services if one.healthcheck is not None}
        return own | {one.name: one.check for one in self._resources.health_checks}

    def _watch(self, now_s: float) -> None:
        """Check what is to be up: a service's own check while it runs, the others while anything is to run."""
        running = self._services.running()
        wanted = {one.name for one in self._resources.services} & running
        if self._conditions.run:
            for one in self._resources.health_checks:
                if not one.restart_service or one.restart_service in running:
                    wanted.add(one.name)
        rhythms = {
            name: health.Rhythm(
                check.interval_s, check.timeout_s, check.failures_before_unhealthy, check.successes_before_healthy
            )
            for name, check in self._checks().items()
            if name in wanted
        }
        self._health_step(self._health.watch(rhythms, now_s), now_s)

    def _health_step(self, actions: list[health.Action], now_s: float) -> None:
        for action in actions:
            match action:
                case health.Probe(name, round_):
                    self._port.probe(name, round_, self._checks()[name])
                case health.Changed(name, healthy, why):
                    self._log("health-changed", check=name, healthy=healthy, error=why or None)
                    if not healthy:
                        self._unhealthy(name, why, now_s)

    def _unhealthy(self, name: str, why: str, now_s: float) -> None:
        alone = next((one for one in self._resources.health_checks if one.name == name), None)
        if alone is None or alone.restart_service:
            service = alone.restart_service if alone else name
            self._step(services.Unhealthy(service, f"unhealthy: {why}"), now_s)
        elif alone.critical:
            self._give_up(name, why, now_s)


def _runs(service: object) -> tuple[object, ...]:
    return tuple(getattr(service, key) for key in ("type", "unit", "command"))
