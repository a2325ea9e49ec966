"""The HA stack of this product, as its users install it: package, configuration files, one daemon."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from harness.addresses import PREFIX_LENGTH, AddressPlan
from harness.engines.engine import NodeFile
from harness.images import ensure_stack_layer
from harness.software.boot import EXECUTABLE
from harness.topology import Topology

WIREGUARD_PORT = 51820
AUTHKEY_BYTES = 128
SECRET, READ_ONLY_SECRET = 0o600, 0o400

# What a unit would do: the daemon in the foreground, started again when it fails. When it is told to stop, it
# first, so that it hands its addresses over, then Corosync, so that the others see it leave. It boots last, and
# so is stopped first: an address is to leave a node before the services behind it do.
_BOOT = """\
#!/bin/sh
stopping=
trap 'stopping=yes; kill -TERM "$daemon"' TERM
while :; do
    /usr/bin/sfha run &
    daemon=$!
    wait "$daemon" && break
    wait "$daemon" && break
    [ -z "$stopping" ] || break
    sleep 0.1
done
[ -r /run/sfha/corosync.pid ] && read -r corosync < /run/sfha/corosync.pid || exit 0
kill -TERM "$corosync"
while kill -0 "$corosync" 2>/dev/null; do sleep 0.01; done
"""


# The same for a node on which sfha is only installed: what `sfha init` and `sfha join` start is stopped in good order.
_BOOT_UNCONFIGURED = """\
#!/bin/sh
stop() {
    for name in sfha corosync; do
        [ -r /run/sfha/$name.pid ] && read -r pid < /run/sfha/$name.pid && kill -TERM "$pid" 2>/dev/null || continue
        while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
    done
    exit 0
}
trap stop TERM
[ -e /etc/sfha/mesh.json ] && /usr/bin/sfha run &
while :; do sleep 3600 & wait $!; done
"""


@dataclass(frozen=True)
class Sfha:
    """sfha on every node. The ``unsafe`` settings each take one protection out, for sabotage."""

    name: str = "sfha"
    service_port: int = 0
    profile: str = "fast"
    announce: bool = True
    guard_egress: bool = True
    quorum_guard: bool = True
    release_on_loss: bool = True
    broken_on: tuple[str, ...] = ()
    """The nodes whose protections are taken out; empty for all."""

    @property
    def has_membership(self) -> bool:
        """It runs Corosync."""
        return True

    @property
    def settles_by_itself(self) -> bool:
        """The nodes are a cluster as soon as they have booted."""
        return True

    def layers(self, image: Path) -> Sequence[Path]:
        """The package."""
        return (ensure_stack_layer(image),)

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Configuration, keys and the start script of one node."""
        authkey = b"".join(_secret(plan, f"authkey {part}") for part in range(AUTHKEY_BYTES // 32))
        return (
            NodeFile("/etc/sfha/config.yml", json.dumps(self._config(node, topology, plan), indent=2).encode()),
            NodeFile("/etc/sfha/mesh.json", json.dumps(_mesh(node, topology, plan), indent=2).encode(), SECRET),
            NodeFile("/etc/corosync/authkey", authkey, READ_ONLY_SECRET),
            NodeFile("/etc/boot.d/60-sfha", _BOOT.encode(), EXECUTABLE),
        )

    def _config(self, node: str, topology: Topology, plan: AddressPlan) -> dict[str, Any]:
        config: dict[str, Any] = {
            "cluster": {"name": "harness", "profile": self.profile},
            "node": {"name": node},
            "vips": [
                {"name": vip.name, "ip": f"{plan.vip(vip.name)}/{PREFIX_LENGTH}", "interface": vip.interface}
                for vip in topology.vips
            ],
        }
        broken = {key: False for key, kept in self._protections.items() if not kept}
        if broken and (not self.broken_on or node in self.broken_on):
            config["unsafe"] = broken
        return config

    @cached_property
    def _protections(self) -> dict[str, bool]:
        return {
            "announce": self.announce,
            "guard_egress": self.guard_egress,
            "quorum_guard": self.quorum_guard,
            "release_on_loss": self.release_on_loss,
        }

    def configuration_paths(self) -> Sequence[str]:
        """The same on every node: Corosync's configuration, which the daemon writes."""
        return ("/etc/corosync/corosync.conf",)

    def log_path(self) -> str | None:
        """One JSON object a line."""
        return "/var/log/sfha.log"

    def first_look(self) -> str:
        """Its own status."""
        return "sfha status"

    def settings(self) -> Mapping[str, Any]:
        """Profile and protections."""
        return {"profile": self.profile, "broken_on": self.broken_on} | self._protections


def _secret(plan: AddressPlan, purpose: str) -> bytes:
    # Derived, so that every node's files agree and a run can be had again; secret from nobody who could care.
    return hashlib.sha256(f"{plan.run_id} {purpose}".encode()).digest()


def _private_key(plan: AddressPlan, node: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(_secret(plan, f"wireguard {node}"))


def _mesh(node: str, topology: Topology, plan: AddressPlan) -> dict[str, Any]:
    def about(name: str) -> dict[str, Any]:
        one = topology.node(name)
        return {"name": name, "node_id": one.id, "votes": one.votes}

    peers = [
        about(peer)
        | {
            "public_key": b64encode(_private_key(plan, peer).public_key().public_bytes_raw()).decode(),
            "endpoint": f"{plan.address(peer)}:{WIREGUARD_PORT}",
            "address": plan.mesh_address(peer),
        }
        for peer in topology.node_names
        if peer != node
    ]
    return about(node) | {
        "private_key": b64encode(_private_key(plan, node).private_bytes_raw()).decode(),
        "port": WIREGUARD_PORT,
        "address": f"{plan.mesh_address(node)}/{PREFIX_LENGTH}",
        "peers": peers,
    }


class UnconfiguredSfha(Sfha):
    """sfha as its package leaves it: no key, no mesh; a config.yml with the topology's addresses on the first node.

    What the others have, they have from `sfha join`.
    """

    @property
    def settles_by_itself(self) -> bool:
        """Somebody has to call `sfha init` and `sfha join`."""
        return False

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """The start script, and what an administrator would write by hand."""
        boot = NodeFile("/etc/boot.d/60-sfha", _BOOT_UNCONFIGURED.encode(), EXECUTABLE)
        if node != topology.node_names[0]:
            return (boot,)
        config = json.dumps(self._config(node, topology, plan), indent=2).encode()
        return (NodeFile("/etc/sfha/config.yml", config), boot)

    def first_look(self) -> str:
        """There is no cluster yet: this founds it."""
        return "sfha init --name harness"

    def configuration_paths(self) -> Sequence[str]:
        """None: nodes that have not joined, or have left, have none."""
        return ()


class PackagedSfha(UnconfiguredSfha):
    """A system without sfha: somebody has to install the package. The first node has a config.yml for it."""

    def layers(self, image: Path) -> Sequence[Path]:
        """None: the package comes by apt."""
        return ()

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """What the administrator has brought along."""
        if node != topology.node_names[0]:
            return ()
        return (NodeFile("/root/config.yml", json.dumps(self._config(node, topology, plan), indent=2).encode()),)

    def first_look(self) -> str:
        """There is nothing yet but what was brought along."""
        return "cat /root/config.yml"
