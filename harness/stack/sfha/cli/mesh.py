"""`sfha mesh up|down|add-peer|remove-peer`: the tunnel by hand, for when the automatic way does not work."""

import argparse
from typing import TYPE_CHECKING

from ...kit.messages import message
from ...kit.speech import text
from .asking import call
from .errors import PARTIAL, CommandFailed
from .frame import add_command, add_group

if TYPE_CHECKING:
    from ..config.load import Mesh
    from .frame import Subparsers


def register(subparsers: "Subparsers") -> None:
    """Add the commands."""
    mesh = add_group(subparsers, "mesh")
    up = add_command(mesh, "mesh up", _up, data=True)
    up.add_argument("--wait", type=float, default=0.0, metavar="S", help=text("help.mesh.up.wait"))
    add_command(mesh, "mesh down", _down, data=True)
    add = add_command(mesh, "mesh add-peer", _add, data=True)
    add.add_argument("reply", metavar="REPLY", help=text("help.mesh.add-peer.reply"))
    endpoint = add_command(mesh, "mesh endpoint", _endpoint, data=True)
    endpoint.add_argument("name", metavar="NODE", help=text("help.mesh.endpoint.name"))
    endpoint.add_argument("endpoint", metavar="HOST:PORT", help=text("help.mesh.endpoint.endpoint"))
    remove = add_command(mesh, "mesh remove-peer", _remove, data=True)
    remove.add_argument("name", metavar="KEY", help=text("help.mesh.remove-peer.name"))


def _mesh() -> "Mesh":
    from ..config.load import ConfigError, load_mesh

    try:
        return load_mesh()
    except ConfigError as error:
        raise CommandFailed(error.args[0]) from error


def _up(options: argparse.Namespace) -> int | None:
    from ..admin.files import tunnel_peers
    from ..mesh.address_book import EndpointBook, with_addresses
    from ..mesh.core import render_setconf
    from ..mesh.reach import wait_until_reached
    from ..mesh.wireguard import WireGuardError, bring_up, condition

    mesh = _mesh()
    book, peers = EndpointBook(), tunnel_peers(mesh)
    book.refresh(peer.endpoint for peer in peers)
    setconf = render_setconf(mesh.private_key, mesh.port, with_addresses(peers, book))
    try:
        how = bring_up(mesh.interface, f"{mesh.own.address}/{mesh.prefix}", mesh.mtu, setconf)
    except WireGuardError as error:
        raise CommandFailed(error.why) from error
    if not condition(mesh.interface).serves(mesh.own.address):
        raise CommandFailed(message("mesh.not-up", interface=mesh.interface, address=mesh.own.address))
    options.output.done("mesh.up", interface=mesh.interface, how=how)
    addresses = [peer.address for peer in mesh.peers]
    reached = not options.wait or not addresses or wait_until_reached(mesh.interface, addresses, options.wait)
    if not reached:
        options.output.warn(message("mesh.nobody-reached", seconds=options.wait))
    options.output.document({"ok": reached, "interface": mesh.interface, "by": how})
    return None if reached else PARTIAL


def _down(options: argparse.Namespace) -> None:
    from ..admin.founding import INTERFACE
    from ..config.load import MESH_PATH
    from ..membership import survey
    from ..mesh.wireguard import WireGuardError, condition, take_down
    from ..wall import wall

    interface = _mesh().interface if MESH_PATH.exists() else INTERFACE
    found = survey.look(thorough=False)
    # A Corosync of somebody else does not pass through this tunnel, and through one that is not up nothing does.
    if found.process_id is not None and found.ours_runs and condition(interface).up and MESH_PATH.exists():
        raise CommandFailed(message("mesh.in-use"))
    try:
        take_down(interface)
    except WireGuardError as error:
        raise CommandFailed(error.why) from error
    wall.remove()
    options.output.done("mesh.down", interface=interface)
    options.output.document({"ok": True, "interface": interface})


def _add(options: argparse.Namespace) -> None:
    answer = call("mesh-add-peer", timeout_s=30.0, reply=options.reply)
    options.output.done("mesh.added", name=answer["name"])
    options.output.document({"ok": True, "name": answer["name"]})


def _endpoint(options: argparse.Namespace) -> int | None:
    answer = call("mesh-endpoint", timeout_s=30.0, name=options.name, endpoint=options.endpoint)
    if not answer["resolved"]:
        options.output.warn(message("mesh.endpoint.unresolved", endpoint=options.endpoint))
    if answer["agreed"]:
        options.output.done("mesh.endpoint.agreed", name=options.name, endpoint=options.endpoint)
    else:
        options.output.partial("mesh.endpoint.here", name=options.name, endpoint=options.endpoint)
    facts = {key: answer[key] for key in ("agreed", "resolved")}
    options.output.document({"ok": True, "name": options.name, "endpoint": options.endpoint} | facts)
    return None if answer["agreed"] else PARTIAL


def _remove(options: argparse.Namespace) -> None:
    from ..mesh.wireguard import WireGuardError, peer_keys, remove_peer

    mesh = _mesh()
    member = next((peer.name for peer in mesh.peers if options.name in (peer.name, peer.public_key)), None)
    if member is not None:
        raise CommandFailed(message("mesh.is-member", name=member))
    try:
        if options.name not in peer_keys(mesh.interface):
            raise CommandFailed(message("mesh.no-such-peer", name=options.name))
        remove_peer(mesh.interface, options.name)
    except WireGuardError as error:
        raise CommandFailed(error.why) from error
    options.output.done("mesh.removed", name=options.name)
    options.output.document({"ok": True, "key": options.name})
