"""What others put in front of the same backends, to compare with: Caddy and HAProxy, plain and as users tune them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.addresses import AddressPlan
from harness.conditions import Condition
from harness.engines.engine import NodeFile
from harness.errors import UsageError
from harness.subjects.boot import starts_at_boot
from harness.subjects.multisite.caddy import ensure_caddy_layer
from harness.subjects.multisite.subject import EDGE_PORT, WEB_PORT, edge_of
from harness.subjects.subject import Subject
from harness.topology import Topology

_CADDY = {
    "plain": "",
    # Round robin, retries for five seconds, passive and active checks: what platforms that drive Caddy write.
    "tuned": """\
        lb_policy round_robin
        lb_try_duration 5s
        fail_duration 10s
        health_uri /health
        health_interval 2s
""",
}
_HAPROXY = {
    "plain": ("timeout server 30s", "", "check"),
    # Quick checks, requests of dead servers sent to others (only those that can be repeated). Ended sessions
    # (on-marked-down shutdown-sessions) would be quicker, but HAProxy 3.0 repeats none of those, also no GET.
    "tuned": (
        "timeout server 1s",
        """\
    option httpchk GET /health
    option redispatch 1
    retries 3
    retry-on all-retryable-errors
    http-request disable-l7-retry if METH_POST
""",
        "check inter 100ms fastinter 100ms downinter 100ms fall 2 rise 2",
    ),
}


def backends(topology: Topology, plan: AddressPlan) -> list[tuple[str, str]]:
    """Name and HOST:PORT of every web server."""
    return [(node, f"{plan.address(node)}:{WEB_PORT}") for node in topology.node_names if node != edge_of(topology)]


def known(style: str, styles: Sequence[str]) -> None:
    """Raises UsageError for a style that is none."""
    if style not in styles:
        raise UsageError(f"style is {style!r}; allowed: {', '.join(styles)}")


class Other(Subject):
    """A program on the edge with a file of its own, and no daemon beside it."""

    image = "platform"
    standing = ()

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """Nothing to wait for."""
        return ()


@dataclass(frozen=True, slots=True)
class Caddy(Other):
    """Its `reverse_proxy` with a list of backends (caddyserver.com/docs/caddyfile/directives/reverse_proxy)."""

    name = "caddy"

    style: str = "plain"

    def layers(self, image: Path) -> Sequence[Path]:
        """Caddy itself."""
        return (ensure_caddy_layer(),)

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """A Caddyfile."""
        known(self.style, list(_CADDY))
        if node != edge_of(topology):
            return ()
        upstreams = " ".join(address for _, address in backends(topology, plan))
        text = f":{EDGE_PORT} {{\n    reverse_proxy {upstreams} {{\n{_CADDY[self.style]}    }}\n}}\n"
        command = "caddy run --adapter caddyfile --config /etc/caddy/Caddyfile"
        return (
            NodeFile("/etc/caddy/Caddyfile", text.encode()),
            starts_at_boot(30, self.name, "export HOME=/root", command),
        )


@dataclass(frozen=True, slots=True)
class Haproxy(Other):
    """A frontend and a backend (docs.haproxy.org)."""

    name = "haproxy"

    style: str = "plain"

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """haproxy.cfg."""
        known(self.style, list(_HAPROXY))
        if node != edge_of(topology):
            return ()
        timeout, options, how = _HAPROXY[self.style]
        servers = "\n".join(f"    server {name} {address} {how}" for name, address in backends(topology, plan))
        text = f"""\
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    {timeout}
frontend visitors
    bind :{EDGE_PORT}
    default_backend web
backend web
    balance roundrobin
{options}{servers}
"""
        return (
            NodeFile("/etc/haproxy/haproxy.cfg", text.encode()),
            starts_at_boot(30, self.name, "/usr/sbin/haproxy -db -f /etc/haproxy/haproxy.cfg"),
        )
