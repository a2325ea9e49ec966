"""The inventory as a configuration of Caddy. Pure: the same inventory gives the same bytes.

Every backend is in its pool, healthy or not: health reaches Caddy as the answer to its own checks, which it asks of a
site in itself (``verdicts``). That site asks our daemon, and, when the daemon is dead, looks for the files it left:
``SERVICE/HOST:PORT.down`` for a backend, ``SERVICE/all.down`` for a service that has nobody. So nothing is reloaded
when a backend dies, and nothing changes when the daemon does. Options: caddyserver.com/docs/json.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import gcd
from typing import Any, Literal

from ..inventory.snapshot import Backend, Service, Snapshot

ALL_DOWN = "all.down"
RETRIES = 8
RETRY_EVERY_MS = 50
DIAL_TIMEOUT_MS = 250
ASK_AT_LEAST_EVERY_MS = 500
QUESTIONS_PER_S = 200
"""Each costs the edge a third of a millisecond; how quickly news gets there does not depend on it."""
HELD_INTERVALS = 2.2
"""So long the daemon holds an answer back: the edge always has another question open meanwhile."""
MOST_SHARES = 10
"""Of one backend: what a weight is worth is rounded to this many parts."""
IDEMPOTENT = ("GET", "HEAD")
"""Doing it twice is doing it once (RFC 9110, 9.2.2), and nobody makes changes by it."""
SERVICE_HEADER, BACKEND_HEADER, VERSION_HEADER = "X-Service", "X-Backend", "X-Version"
INTERVAL_HEADER = "X-Interval-Ms"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are on the edge. ``tls``: certificates of Caddy's own authority, of a public one, or none.

    ``listen`` is Caddy's (":443"), ``verdict_site`` and ``oracle`` are HOST:PORT on loopback. ``try_again``: methods
    that may be asked of another backend where one may have begun to do it.
    """

    admin: str
    listen: tuple[str, ...]
    verdict_site: str
    oracle: str
    verdict_folder: str
    storage: str
    tls: Literal["none", "internal", "automatic"] = "none"
    try_again: tuple[str, ...] = IDEMPOTENT


@dataclass(frozen=True, slots=True)
class Asking:
    """How the edge asks for verdicts: how often, and for which configuration."""

    every_ms: int
    version: str = ""

    @property
    def held_ms(self) -> int:
        """The daemon answers within this time, news or not."""
        return int(self.every_ms * HELD_INTERVALS)


def configuration(snapshot: Snapshot, layout: Layout) -> Json:
    """The whole configuration."""
    asking = Asking(ask_every_ms(sum(len(shares(one.backends)) for one in snapshot.services)))
    document = _document(snapshot, layout, asking)
    # A new configuration begins by asking for every verdict; the daemon knows by its name that it is a new one.
    return _document(snapshot, layout, replace(asking, version=digest(document)[:16]))


def ask_every_ms(questions: int) -> int:
    """How often the edge asks for each of so many verdicts."""
    return max(ASK_AT_LEAST_EVERY_MS, questions * 1000 // QUESTIONS_PER_S)


def start_configuration(layout: Layout) -> Json:
    """What an edge starts with before it was ever told anything: it can be told."""
    return {"admin": _admin(layout), "storage": {"module": "file_system", "root": layout.storage}}


def canonical(document: Mapping[str, Any]) -> str:
    """One spelling for one meaning."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical spelling."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()


def _document(snapshot: Snapshot, layout: Layout, asking: Asking) -> Json:
    domains = sorted(domain for service in snapshot.services for domain in service.domains)
    public: Json = {
        "listen": list(layout.listen),
        "routes": [_route(service, layout, asking) for service in snapshot.services] + [_unknown_domain()],
        "errors": {
            "routes": [_second_chance(service, layout) for service in snapshot.services if shares(service.backends)]
            + [_when_nobody_is_there()]
        },
    }
    if layout.tls == "none":
        public["automatic_https"] = {"disable": True}
    apps: Json = {
        "http": {
            "grace_period": _ms(30_000),
            "metrics": {},
            "servers": {"public": public, "verdicts": _verdict_site(layout, asking)},
        }
    }
    if layout.tls == "internal":
        apps["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
        if domains:
            policy = {"subjects": domains, "issuers": [{"module": "internal"}]}
            apps["tls"] = {"automation": {"policies": [policy]}}
    return start_configuration(layout) | {"apps": apps}


def _admin(layout: Layout) -> Json:
    # It starts from the file that we wrote; what it saved by itself would be a second truth.
    return {"listen": layout.admin, "config": {"persist": False}}


def _route(service: Service, layout: Layout, asking: Asking) -> Json:
    handlers: list[Json] = []
    if service.headers:
        values = {name: [value.replace("{", "\\{")] for name, value in service.headers.items()}
        handlers.append({"handler": "headers", "response": {"set": values, "deferred": True}})
    nobody = {
        "match": [{"file": _all_down(service, layout)}],
        "handle": [{"handler": "error", "status_code": 503}],
    }
    routes: list[Json] = [{"handle": handlers}] if handlers else []
    routes += [nobody, {"handle": [_proxy(service, layout, asking)]}]
    return {
        "match": [{"host": list(service.domains)}],
        "handle": [{"handler": "subroute", "routes": routes}],
        "terminal": True,
    }


def _second_chance(service: Service, layout: Layout) -> Json:
    """Caddy believes that nobody is there, and we do not say so: then it is asked to go and see, without checks.

    While a configuration is replaced, the checks of the old one are broken off, and count as failures for whoever is
    still served by it. Nothing has been sent yet: any method may be tried.
    """
    return {
        "match": [
            {
                "host": list(service.domains),
                "expression": "{http.error.status_code} == 503",
                "not": [{"file": _all_down(service, layout)}],
            }
        ],
        "handle": [_plain_proxy(service, layout)],
        "terminal": True,
    }


def _all_down(service: Service, layout: Layout) -> Json:
    return {"root": layout.verdict_folder, "try_files": [f"/{service.name}/{ALL_DOWN}"]}


def _plain_proxy(service: Service, layout: Layout) -> Json:
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": address} for address in shares(service.backends)],
        "load_balancing": {
            "selection_policy": {"policy": "round_robin"},
            "retries": RETRIES,
            "try_interval": _ms(RETRY_EVERY_MS),
            # A connection that could not be made is tried again in any case: nothing was sent.
            "retry_match": [
                {"method": list(layout.try_again), "expression": "{http.reverse_proxy.is_transport_error} == true"}
            ],
        },
        # Long connections outlive a change of the configuration.
        "stream_close_delay": _ms(24 * 3_600_000),
        "transport": {"protocol": "http", "dial_timeout": _ms(DIAL_TIMEOUT_MS)},
    }


def _proxy(service: Service, layout: Layout, asking: Asking) -> Json:
    return _plain_proxy(service, layout) | {
        "health_checks": {
            "active": {
                "uri": "/",
                "upstream": layout.verdict_site,
                "headers": {
                    SERVICE_HEADER: [service.name],
                    BACKEND_HEADER: ["{http.reverse_proxy.active.target_upstream}"],
                    VERSION_HEADER: [asking.version],
                    INTERVAL_HEADER: [str(asking.every_ms)],
                },
                "interval": _ms(asking.every_ms),
                "timeout": _ms(asking.held_ms + 3000),
            }
        },
    }


def shares(backends: Sequence[Backend]) -> list[str]:
    """The addresses of a pool, each as often as its weight says, mixed: who goes around meets them in proportion.

    Caddy's own weights are of no use here: those of backends that are down fall to whoever is next in the list.
    Weights count among backends of one priority, the others take no traffic at that time; weight 0 never does.
    """
    found: list[str] = []
    for priority in sorted({one.priority for one in backends if one.weight > 0}):
        found += _mixed([one for one in backends if one.priority == priority and one.weight > 0])
    return found


def _mixed(backends: Sequence[Backend]) -> list[str]:
    weights = [one.weight for one in backends]
    divisor = reduce(gcd, weights)
    heaviest = max(weights) // divisor
    scale = min(1.0, MOST_SHARES / heaviest)
    counts = [max(1, round(weight / divisor * scale)) for weight in weights]
    # Everybody gains by his count, the richest is taken and pays for all: each as evenly spread as it can be.
    credit, order = [0] * len(counts), list[str]()
    for _ in range(sum(counts)):
        credit = [have + count for have, count in zip(credit, counts, strict=True)]
        richest = credit.index(max(credit))
        credit[richest] -= sum(counts)
        order.append(backends[richest].address)
    return order


def _verdict_site(layout: Layout, asking: Asking) -> Json:
    # The port of the site is its own address as well: the browser's rules for host names do not apply on loopback.
    left = {
        "root": layout.verdict_folder,
        "try_files": [f"/{{http.request.header.{SERVICE_HEADER}}}/{{http.request.header.{BACKEND_HEADER}}}.down"],
    }
    ask = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": layout.oracle}],
        "transport": {
            "protocol": "http",
            "dial_timeout": _ms(200),
            "response_header_timeout": _ms(asking.held_ms + 500),
        },
    }
    return {
        "listen": [layout.verdict_site],
        "automatic_https": {"disable": True},
        "routes": [{"handle": [ask]}],
        "errors": {
            "routes": [
                {
                    "match": [{"file": left}],
                    "handle": [{"handler": "static_response", "status_code": 503}],
                    "terminal": True,
                },
                {"handle": [{"handler": "static_response", "status_code": 200}]},
            ]
        },
    }


def _unknown_domain() -> Json:
    return {"handle": [{"handler": "static_response", "status_code": 404, "body": "no such domain here\n"}]}


def _when_nobody_is_there() -> Json:
    # 502 stays 502: what was asked may have been done. 503: it was not.
    return {
        "match": [{"expression": "{http.error.status_code} == 503"}],
        "handle": [
            {"handler": "headers", "response": {"set": {"Retry-After": ["1"]}}},
            {"handler": "static_response", "status_code": 503, "body": "no backend\n"},
        ],
    }


def _ms(milliseconds: int) -> int:
    """Caddy counts nanoseconds."""
    return milliseconds * 1_000_000
