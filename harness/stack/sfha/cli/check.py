"""`sfha config-check`: read the configuration as the daemon would."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.messages import message
from ...kit.speech import text
from .errors import CommandFailed
from .frame import add_command

if TYPE_CHECKING:
    from .frame import Subparsers


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    parser = add_command(subparsers, "config-check", _check, data=True)
    parser.add_argument(
        "--config", type=Path, default=Path("/etc/sfha/config.yml"), metavar="FILE", help=text("help.option.config")
    )
    parser.add_argument(
        "--mesh", type=Path, default=Path("/etc/sfha/mesh.json"), metavar="FILE", help=text("help.option.mesh")
    )
    parser.add_argument("--no-mesh", action="store_true", help=text("help.config-check.no-mesh"))


def _check(options: argparse.Namespace) -> None:
    from ..config.load import ConfigError, load_config, load_mesh, other_node
    from ..config.networks import network_of, vip_inside
    from .notices import untold

    output = options.output
    try:
        config = load_config(options.config)
        mesh = None if options.no_mesh else load_mesh(options.mesh)
    except ConfigError as error:
        raise CommandFailed(error.why) from error
    if mesh is not None and config.node != mesh.own.name:
        raise CommandFailed(other_node(config, mesh, options.config, options.mesh))
    if mesh is not None:
        network = network_of(mesh)
        vip = vip_inside(network, config.vips)
        if vip is not None:
            about = {"name": vip.name, "address": vip.address, "network": str(network)}
            raise CommandFailed(message("config.vip-in-mesh", file=str(options.config), **about))
    for name in config.broken():
        output.warn(text("status.warn.broken", name=name))
    if (why := untold(config)) is not None:
        output.warn(why)
    output.done("check.done", node=config.node, cluster=config.cluster, vips=len(config.vips))
    if mesh is not None:
        output.detail("check.mesh", address=mesh.own.address, peers=", ".join(peer.name for peer in mesh.peers) or "-")
    output.document({"ok": True, "cluster": config.cluster, "node": config.node, "vips": len(config.vips)})
