"""`sfha config-example`: a configuration file to start from."""

import argparse
import sys
from typing import TYPE_CHECKING

from .frame import add_command

if TYPE_CHECKING:
    from .frame import Subparsers

EXAMPLE = """\
# /etc/sfha/config.yml - see sfha(8). Check it with: sfha config-check
# What is commented out shows the default, or how it could look.

cluster:
  name: demo                   # the same on every node
  # profile: fast              # fast: sites up to ~50 ms apart; lan: one LAN; wan: slow or lossy lines
  # quorum_required: true
  # poll_interval_ms: 2000

node:
  name: n1                     # this node, as in the mesh
  # priority: 0

# Addresses that exactly one node holds.
vips:
  - name: web
    ip: 192.0.2.100/24         # or ip: 192.0.2.100 and cidr: 24
    interface: eth0
"""


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    add_command(subparsers, "config-example", _print)


def _print(_options: argparse.Namespace) -> None:
    sys.stdout.write(EXAMPLE)
