"""The HA stack of this product, as its users install it: package, configuration files, one daemon."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from harness.addresses import PREFIX_LENGTH, AddressPlan
from harness.checks.expected import Expected, each_address
from harness.checks.loop import BLOCKED_BESIDE_OTHERS_S
from harness.conditions import Condition, held_by_one_of, quorate
from harness.engines.engine import Engine, NodeFile
from harness.history import Recorder
from harness.images.program_layer import ensure_program_layer
from harness.subjects.boot import EXECUTABLE
from harness.subjects.sfha.membership import MembershipMonitors
from harness.subjects.sfha.operator import operator_actions
from harness.subjects.sfha.rosters import RosterWatch
from harness.subjects.subject import Gate, OperatorAction, Probe, Subject
from harness.topology import Topology

WIREGUARD_PORT = 51820
AUTHKEY_BYTES = 128
BLOCKED_IN_SLOW_KERNEL_S = 1.0
HELD_WITHOUT_QUORUM_S = {"fast": 0.35, "lan": 0.35, "steady": 1.0, "wan": 1.2}
"""By profile: for how long an address may be held after quorum was lost, which is the life of a lease, and 0.2 s."""
SECRET, READ_ONLY_SECRET = 0o600, 0o400

# What a unit would do: the daemon in the foreground, started again when it fails. When it is told to stop, it
# first, so that it hands its addresses over, then Corosync, so that the others see it leave. It boots last, and
# so is stopped first: an address is to leave a node before the services behind it do.
# On a node that is no member (any more) it waits for `sfha join`, and looks after the daemon that this starts.
_BOOT = """\
#!/bin/sh
stopping= daemon= member=
trap 'stopping=yes; [ -z "$daemon" ] || kill -TERM "$daemon"' TERM
[ ! -e /etc/sfha/mesh.json ] || member=yes
while [ -z "$stopping" ]; do
    if [ -n "$member" ]; then
        /usr/bin/sfha run &
        daemon=$!
        wait "$daemon" || wait "$daemon" || { sleep 0.1; continue; }
        [ ! -e /etc/sfha/mesh.json ] || break
        member=
    fi
    daemon=
    sleep 0.1
    [ -s /run/sfha/sfha.pid ] && read -r daemon < /run/sfha/sfha.pid && kill -0 "$daemon" 2>/dev/null || continue
    while kill -0 "$daemon" 2>/dev/null; do sleep 0.1; done
    [ ! -e /etc/sfha/mesh.json ] || member=yes
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
class Sfha(Subject):
    """sfha on every node. The ``unsafe`` settings each take one protection out, for sabotage."""

    name = "sfha"
    gate = Gate("sfha")
    log_path = "/var/log/sfha.log"
    log_stages = MappingProxyType(
        {"leader-elected": "leader elected", "lease-acquired": "lease acquired", "vip-added": "address reported"}
    )
    configuration_paths: ClassVar[Sequence[str]] = ("/etc/corosync/corosync.conf",)  # which the daemon writes
    first_look = "sfha status"
    defects = MappingProxyType(
        {
            "announce": "a new holder announces itself on the wire",
            "guard_egress": "the kernel drops what a node without the lease sends from the address",
            "quorum_guard": "only a part of the cluster that has quorum holds the address",
            "release_on_loss": "a holder that loses quorum gives the address up",
        }
    )

    service_port: int = 0
    profile: Literal["fast", "lan", "steady", "wan"] = "fast"
    blocked_s: float = BLOCKED_BESIDE_OTHERS_S
    """For how long its daemon's loop may be blocked."""
    announce: bool = True
    guard_egress: bool = True
    quorum_guard: bool = True
    release_on_loss: bool = True
    broken_on: tuple[str, ...] = ()
    """The nodes whose protections are taken out; empty for all."""
    apart: tuple[str, ...] = ()
    """Nodes that have the program and are no members, until an operator has them join."""

    def suited(self, *, own_kernels: bool) -> Subject:
        """A kernel that is a program of this host does not always get a processor within the lease of ``fast``."""
        if not own_kernels:
            return self
        slow = replace(self, blocked_s=max(self.blocked_s, BLOCKED_IN_SLOW_KERNEL_S))
        return replace(slow, profile="steady") if self.profile == "fast" else slow

    @property
    def standing(self) -> Sequence[Expected]:
        """What every run of it is judged by."""
        return (
            each_address("one_holder"),
            each_address("never_without_quorum", tolerance_s=HELD_WITHOUT_QUORUM_S[self.profile]),
            Expected("loop_not_blocked", {"limit_s": self.blocked_s}),
            Expected("agree_afterwards"),
        )

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """All see each other, and the lowest holds each address: a hand-back on return has taken place as well."""
        members = tuple(name for name in up if name not in self.apart)
        return [quorate(members, members), *(held_by_one_of(plan.vip(vip.name), members[:1]) for vip in topology.vips)]

    def operator_actions(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[OperatorAction]:
        """What `sfha` and an editor do."""
        addresses = tuple(plan.vip(vip.name) for vip in topology.vips)
        return operator_actions(node, addresses, member=node not in self.apart)

    def probes(self, topology: Topology, engine: Engine, recorder: Recorder) -> Sequence[Probe]:
        """What each node's Corosync says of quorum and members, and who votes, by what is on the disks."""
        members = [node for node in topology.nodes if node.name not in self.apart]
        monitors = MembershipMonitors(engine.spawn, recorder, {one.id: one.name for one in members}, engine.clock)
        votes = {one.name: one.votes for one in members} if self.apart else None
        rosters = RosterWatch(engine, recorder, monitors.nodes_are_called, votes)
        return (monitors, rosters)

    def layers(self, image: Path) -> Sequence[Path]:
        """The package."""
        return (ensure_program_layer(image, "sfha"),)

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Configuration, keys and the start script of one node."""
        boot = NodeFile("/etc/boot.d/60-sfha", _BOOT.encode(), EXECUTABLE)
        if node in self.apart:
            return (boot,)
        authkey = b"".join(_secret(plan, f"authkey {part}") for part in range(AUTHKEY_BYTES // 32))
        return (
            NodeFile("/etc/sfha/config.yml", json.dumps(self._config(node, topology, plan), indent=2).encode()),
            NodeFile("/etc/sfha/mesh.json", json.dumps(self._mesh(node, topology, plan), indent=2).encode(), SECRET),
            NodeFile("/etc/corosync/authkey", authkey, READ_ONLY_SECRET),
            boot,
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
        broken = {name: False for name in self.defects if not getattr(self, name)}
        if broken and (not self.broken_on or node in self.broken_on):
            config["unsafe"] = broken
        return config

    def _mesh(self, node: str, topology: Topology, plan: AddressPlan) -> dict[str, Any]:
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
            if peer not in (node, *self.apart)
        ]
        return about(node) | {
            "private_key": b64encode(_private_key(plan, node).private_bytes_raw()).decode(),
            "port": WIREGUARD_PORT,
            "address": f"{plan.mesh_address(node)}/{PREFIX_LENGTH}",
            "peers": peers,
        }


def _secret(plan: AddressPlan, purpose: str) -> bytes:
    # Derived, so that every node's files agree and a run can be had again; secret from nobody who could care.
    return hashlib.sha256(f"{plan.run_id} {purpose}".encode()).digest()


def _private_key(plan: AddressPlan, node: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(_secret(plan, f"wireguard {node}"))


class UnconfiguredSfha(Sfha):
    """sfha as its package leaves it: no key, no mesh; a config.yml with the topology's addresses on the first node.

    What the others have, they have from `sfha join`.
    """

    settles_by_itself = False  # somebody has to call `sfha init` and `sfha join`
    first_look = "sfha init --name harness"
    configuration_paths = ()  # nodes that have not joined, or have left, have none

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """The start script, and what an administrator would write by hand."""
        boot = NodeFile("/etc/boot.d/60-sfha", _BOOT_UNCONFIGURED.encode(), EXECUTABLE)
        if node != topology.node_names[0]:
            return (boot,)
        config = json.dumps(self._config(node, topology, plan), indent=2).encode()
        return (NodeFile("/etc/sfha/config.yml", config), boot)


class PackagedSfha(UnconfiguredSfha):
    """A system without sfha: somebody has to install the package. The first node has a config.yml for it."""

    first_look = "cat /root/config.yml"  # there is nothing yet but what was brought along

    def layers(self, image: Path) -> Sequence[Path]:
        """None: the package comes by apt."""
        return ()

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """What the administrator has brought along."""
        if node != topology.node_names[0]:
            return ()
        return (NodeFile("/root/config.yml", json.dumps(self._config(node, topology, plan), indent=2).encode()),)
