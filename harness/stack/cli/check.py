"""`sfha config-check`: read the configuration as the daemon would."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import CommandFailed

if TYPE_CHECKING:
    from .frame import Subparsers


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    parser = subparsers.add_parser("config-check", help="check config.yml and mesh.json")
    parser.add_argument("--config", type=Path, default=Path("/etc/sfha/config.yml"))
    parser.add_argument("--mesh", type=Path, default=Path("/etc/sfha/mesh.json"))
    parser.set_defaults(function=_check)


def _check(options: argparse.Namespace) -> None:
    from ..config import ConfigError, load_config, load_mesh

    try:
        config, mesh = load_config(options.config), load_mesh(options.mesh)
    except ConfigError as error:
        raise CommandFailed(str(error)) from error
    if config.node != mesh.own.name:
        raise CommandFailed(f"{options.mesh}: name is {mesh.own.name!r}, but node.name is {config.node!r}")
    sys.stdout.write(f"ok: {config.node} in {config.cluster}, {len(mesh.peers)} peers, {len(config.vips)} VIPs\n")
