"""The parts of config.yml that every node shares: services, health checks and constraints between them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from ...kit.messages import message
from ...kit.settings import Section
from ..constraints.core import Colocation, Constraint, ConstraintError, Order, Plan, plan

CheckType = Literal["tcp", "http", "command", "systemd"]
CHECK_TYPES: tuple[CheckType, ...] = ("tcp", "http", "command", "systemd")
ServiceType = Literal["systemd", "process"]
SERVICE_TYPES: tuple[ServiceType, ...] = ("systemd", "process")
MAX_MS = 3_600_000
HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Check:
    """How to find out whether something works, and how often it has to say so before it is believed."""

    type: CheckType
    target: str
    interval_s: float = 5.0
    timeout_s: float = 2.0
    failures_before_unhealthy: int = 3
    successes_before_healthy: int = 2


@dataclass(frozen=True, slots=True)
class Service:
    """Something that runs where the addresses are. ``exclusive``: never on two nodes, not even for an instant."""

    name: str
    type: ServiceType
    unit: str = ""
    command: tuple[str, ...] = ()
    critical: bool = False
    restart_service: bool = True
    exclusive: bool = False
    stop_timeout_s: float = 10.0
    healthcheck: Check | None = None


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A check of its own. ``restart_service`` names a service to restart first, when it fails."""

    name: str
    check: Check
    critical: bool = False
    restart_service: str = ""


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything a leader runs besides its addresses."""

    services: tuple[Service, ...] = ()
    health_checks: tuple[HealthCheck, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    plan: Plan = field(default_factory=Plan)


def read_resources(top: Section, vips: Sequence[str]) -> Resources:
    """The three sections of config.yml. Raises ConfigError."""
    services = tuple(map(_service, _each(top, "services", vips)))
    names = [service.name for service in services]
    checks = tuple(_health_check(section, names) for section in _each(top, "health_checks", ()))
    sections = top.sections("constraints")
    constraints = tuple(map(_constraint, sections))
    try:
        return Resources(services, checks, constraints, plan(vips, names, constraints))
    except ConstraintError as error:
        raise sections[error.index].wrong(error.key, error.why) from error


def _each(top: Section, key: str, taken: Sequence[str]) -> list[Section]:
    sections = top.sections(key)
    names = list(taken)
    for section in sections:
        name = section.text("name")
        if not name or any(char.isspace() or char == "/" for char in name):
            raise section.wrong("name", message("config.not-name", given=name))
        if name in names:
            raise section.wrong("name", message("config.taken", given=name))
        names.append(name)
    return sections


def _service(section: Section) -> Service:
    kind = _one_of(section, "type", SERVICE_TYPES, "systemd")
    service = Service(
        name=section.text("name"),
        type=kind,
        unit=section.text("unit", ""),
        command=_command(section, "command", section.text("command", "")),
        critical=section.flag("critical", False),
        restart_service=section.flag("restart_service", True),
        exclusive=section.flag("exclusive", False),
        stop_timeout_s=section.number("stop_timeout_ms", 10_000, 0, MAX_MS) / 1000,
        healthcheck=_healthcheck(section),
    )
    needed, unwanted = ("unit", "command") if kind == "systemd" else ("command", "unit")
    if not getattr(service, needed):
        raise section.wrong(needed, message("config.service-needs", kind=kind))
    if getattr(service, unwanted):
        raise section.wrong(unwanted, message("config.service-without", kind=kind))
    section.done()
    return service


def _healthcheck(section: Section) -> Check | None:
    if section.take("healthcheck") is None:
        return None
    inner = section.section("healthcheck")
    check = _check(inner)
    inner.done()
    return check


def _health_check(section: Section, services: Sequence[str]) -> HealthCheck:
    found = HealthCheck(
        name=section.text("name"),
        check=_check(section),
        critical=section.flag("critical", False),
        restart_service=section.text("restart_service", ""),
    )
    if found.restart_service and found.restart_service not in services:
        raise section.wrong("restart_service", message("config.no-service", given=found.restart_service))
    section.done()
    return found


def _check(section: Section) -> Check:
    kind = _one_of(section, "type", CHECK_TYPES, None)
    target = section.text("target")
    _check_target(section, kind, target)
    return Check(
        type=kind,
        target=target,
        interval_s=_milliseconds(section, "interval", 5000, 50),
        timeout_s=_milliseconds(section, "timeout", 2000, 10),
        failures_before_unhealthy=section.number("failures_before_unhealthy", 3, 1, 100),
        successes_before_healthy=section.number("successes_before_healthy", 2, 1, 100),
    )


def _milliseconds(section: Section, key: str, default: int, lowest: int) -> float:
    """``interval_ms``, or ``interval``, which is in milliseconds as well."""
    short = section.number(key, 0, lowest, MAX_MS)
    long = section.number(f"{key}_ms", 0, lowest, MAX_MS)
    if short and long:
        raise section.wrong(key, message("config.twice-ms", other=f"{key}_ms"))
    return (short or long or default) / 1000


def _check_target(section: Section, kind: CheckType, target: str) -> None:
    match kind:
        case "tcp":
            host, _, port = target.rpartition(":")
            if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) <= HIGHEST_PORT:
                raise section.wrong("target", message("config.not-host-port", given=target))
        case "http":
            from urllib.parse import urlsplit

            wrong = section.wrong("target", message("config.not-url", given=target))
            try:
                url = urlsplit(target)
                if url.scheme not in ("http", "https") or not url.hostname or url.port == 0:
                    raise wrong
            except ValueError as error:
                raise wrong from error
        case "command":
            _command(section, "target", target)


def _command(section: Section, key: str, text: str) -> tuple[str, ...]:
    import shlex

    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise section.wrong(key, message("config.not-command", reason=str(error))) from error


def _constraint(section: Section) -> Constraint:
    """``{colocation: resource, with: other}`` or ``{order: first, then: other}``."""
    order, colocation = section.text("order", ""), section.text("colocation", "")
    then, other = section.text("then", ""), section.text("with", "")
    section.done()
    if order and then and not (colocation or other):
        return Order(order, then)
    if colocation and other and not (order or then):
        return Colocation(colocation, other)
    raise section.wrong("", message("config.not-constraint"))


Choice = TypeVar("Choice", bound=str)


def _one_of(section: Section, key: str, allowed: Sequence[Choice], default: Choice | None) -> Choice:
    given = section.text(key, default)
    for choice in allowed:
        if given == choice:
            return choice
    raise section.wrong(key, message("config.one-of", allowed=", ".join(allowed), given=given))
