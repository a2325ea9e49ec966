"""`sfha config-example`: a configuration file to start from."""

import argparse
import sys
from typing import TYPE_CHECKING

from .frame import add_command

if TYPE_CHECKING:
    from .frame import Subparsers

EXAMPLE = """\
# /etc/sfha/config.yml - see sfha(8). Check it with: sfha config-check
# What is commented out shows the default, or how it could look. Times end in _ms (milliseconds).

cluster:
  name: demo                   # the same on every node
  # profile: fast              # fast: up to some 50 ms between sites; lan: one LAN; wan: slow or lossy lines
  # quorum_required: true
  # poll_interval_ms: 2000

node:
  name: n1                     # this node, as in the mesh
  # priority: 0

# Addresses that exactly one node holds: the leader.
vips:
  - name: web
    ip: 192.0.2.100/24         # or ip: 192.0.2.100 and cidr: 24; IPv6 as well
    interface: eth0
    # lease: true              # false: the kernel cannot guard it here; it waits for fencing instead
    # announce_every_s: 5      # how often neighbours are told where it is

# Services that run where the addresses are, started after them in the order of the constraints.
# services:
#   - name: proxy
#     type: systemd            # or process, with command: instead of unit:
#     unit: haproxy.service
#     critical: true           # restarted when unhealthy, then another node takes over
#     restart_service: true
#     exclusive: false         # true: starts only when no other node can possibly run it (see stonith)
#     stop_timeout_ms: 10000
#     healthcheck:
#       type: http             # tcp, http, command or systemd
#       target: http://127.0.0.1:8080/health
#       interval_ms: 5000
#       timeout_ms: 2000
#       failures_before_unhealthy: 3
#       successes_before_healthy: 2

# Checks that belong to no service.
# health_checks:
#   - name: upstream
#     type: tcp
#     target: 192.0.2.1:443
#     interval_ms: 5000
#     critical: false
#     restart_service: proxy

# constraints:
#   - {order: web, then: proxy}
#   - {colocation: proxy, with: web}

# Fencing powers off a node that was lost, before what must never run twice is started elsewhere.
# stonith:
#   enabled: true
#   provider: proxmox          # proxmox, webhook or command
#   proxmox:
#     url: https://pve.example:8006
#     token_id: sfha@pve!fencing
#     token_secret: 00000000-0000-0000-0000-000000000000
#     verify_tls: true
#   nodes:
#     n1: {type: lxc, vmid: 101}
#     n2: {type: lxc, vmid: 102}
#     n3: {type: qemu, vmid: 103}
#   safety:
#     require_quorum: true
#     min_delay_between_fence: 60
#     max_fences_per_5min: 2
#     startup_grace_period: 120
#     fence_delay_on_node_left: 10
#   notify:                    # called as: PROGRAM fenced NODE, PROGRAM returned NODE, on every node that is up
#     program: /usr/local/sbin/dead-node
#     timeout_ms: 20000
"""


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    add_command(subparsers, "config-example", _print)


def _print(_options: argparse.Namespace) -> None:
    sys.stdout.write(EXAMPLE)
