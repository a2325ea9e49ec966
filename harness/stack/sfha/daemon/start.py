"""Bringing up what a daemon stands on, step by step, before its loop runs: every step waits for the one before."""

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.messages import Message, message
from ..admin.files import corosync_conf, first_roster
from ..config.load import Config, Mesh
from ..datagrams.link import DatagramLink
from ..datagrams.unsealed import UNPAIRED_PATH, Unsealed, allowed
from ..kernel.netlink import AddressTable
from ..kernel.nft import NftError
from ..lease.gate import Gate
from ..logs.event_log import EventLog
from ..membership import corosync, survey
from ..mesh import reach, wireguard
from ..mesh.address_book import EndpointBook, with_addresses
from ..mesh.core import TunnelPeer, render_setconf
from ..roster.core import Acceptor
from ..roster.store import PAIRED, StoreError, restore
from ..vips.core import ADDRESS_LIFE_S
from .tunnel_care import begins_with

if TYPE_CHECKING:
    from ..claim.power_and_disk import PowerAndDisk


class StartError(Exception):
    """The daemon cannot start; ``why`` says why."""

    def __init__(self, why: Message | str) -> None:
        super().__init__(why)
        self.why = why


def only_one(directory: Path) -> None:
    """Hold the pid file's lock for life: two daemons on a node would each think they own the gate.

    Nobody closes it but the kernel, once the last thread has ended: one may still be putting an address.
    """
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / "sfha.pid", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StartError(message("run.twice", file=str(directory / "sfha.pid"))) from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())


def refuse_own(addresses: AddressTable, config: Config, mesh: Mesh, path: Path) -> None:
    """Guarding the address that the others reach this node at would cut the node off.

    Any other address of a VIP that the node was given is guarded and not offered: it may be another node's by now.
    """
    reached_at = {mesh.own.address, mesh.own.endpoint.rpartition(":")[0].strip("[]")}
    lasting = addresses.lasting(ADDRESS_LIFE_S)
    for item in config.vips:
        if item.address in lasting & reached_at:
            raise StartError(message("run.own-address", file=str(path), name=item.name, address=item.address))


def close_first(gate: Gate, config: Config, log: EventLog) -> None:
    """The gate is closed before anything else; where it cannot be put up this node offers nothing, and votes."""
    if not config.vips and not config.resources.services:
        return
    try:
        gate.put_up()
    except NftError as error:
        log("warning", what="gate", message=str(error))


def mesh_up(mesh: Mesh, log: EventLog) -> EndpointBook:
    """Have the tunnel up; returns where peers are known to be. Raises StartError.

    No name is looked up here: what is remembered of it must do, and a peer without an address is left for later.
    """
    book = EndpointBook()
    given = book.given()
    wanted = [TunnelPeer(one.public_key, given.get(one.name, one.endpoint), one.address) for one in mesh.peers]
    peers = with_addresses(wanted, book)
    begin = set(begins_with(mesh))
    try:
        if wireguard.is_up(mesh.interface):
            # A tunnel that is kept has its endpoints, and some of them were learnt: those must not be written over.
            seen = wireguard.peers(mesh.interface)
            known = {key for key, one in seen.items() if one.endpoint}
            begin = {peer.public_key for peer in peers} - known
        waits_for = [peer.public_key for peer in peers if peer.public_key not in begin]
        setconf = render_setconf(mesh.private_key, mesh.port, peers, waits_for)
        how = wireguard.bring_up(mesh.interface, f"{mesh.own.address}/{mesh.prefix}", mesh.mtu, setconf)
    except wireguard.WireGuardError as error:
        raise StartError(message("run.mesh", why=error.why)) from error
    log("mesh-up", interface=mesh.interface, by=how)
    return book


def link_up(mesh: Mesh, log: EventLog) -> tuple[DatagramLink, Unsealed]:
    """What datagrams go over, and the peers that may sign requests as before. Raises StartError."""
    peers = [peer.node_id for peer in mesh.peers]
    try:
        link = DatagramLink(mesh, allowed(peers, log))
        return link, allowed(peers, log, UNPAIRED_PATH, mark=PAIRED)
    except OSError as error:
        raise StartError(f"the mesh address {mesh.own.address} cannot be used: {error.strerror}") from error


def roster(mesh: Mesh) -> Acceptor:
    """Who belongs to the cluster, from the disk. Raises StartError."""
    try:
        return restore(first_roster(mesh))
    except StoreError as error:
        raise StartError(str(error)) from error


def power_and_disk(config: Config, log: EventLog) -> "PowerAndDisk | None":
    if config.stonith is None or not config.stonith.enabled:
        return None
    from ..claim.power_and_disk import PowerAndDisk, UnusableClaim

    try:
        board = PowerAndDisk(config.stonith, log)
        board.claim()
    except UnusableClaim as error:
        raise StartError(str(error)) from error
    return board


def corosync_up(config: Config, mesh: Mesh, log: EventLog, *, within_s: float) -> bool:
    """Have Corosync run, once a peer was reached through the tunnel; False when none was in time. Raises StartError."""
    refuse_foreign_corosync()
    if corosync.running():
        log("corosync-kept")
        return True
    corosync.write_conf(corosync_conf(config, mesh))  # now: the disk is not to be waited for later
    return corosync_after_peer(config, mesh, log, within_s=within_s)


def refuse_foreign_corosync() -> None:
    """Raises StartError where somebody else's Corosync runs, whose quorum is not ours, or has its file in our place."""
    found = survey.look(corosync.DIRECTORY, thorough=False)
    theirs = found.read_described or found.described if found.process_id is not None else found.described
    elsewhere = found.process_id is not None and found.read_file not in (None, found.file)
    if theirs is not None and (elsewhere or theirs.foreign):
        about = {"cluster": theirs.cluster or "?", "path": str(found.read_file or found.file)}
        raise StartError(message("run.foreign-corosync", names=", ".join(theirs.nodes) or "-", **about))


def corosync_after_peer(config: Config, mesh: Mesh, log: EventLog, *, within_s: float) -> bool:
    """The same, where it was not running a moment ago; costs next to nothing while no peer is reached."""
    addresses = [peer.address for peer in mesh.peers]
    if addresses and not reach.wait_until_reached(mesh.interface, addresses, within_s):
        return False
    if corosync.running():
        log("corosync-kept")
        return True
    corosync.write_conf(corosync_conf(config, mesh))
    try:
        pid = corosync.start()
    except corosync.CorosyncError as error:
        raise StartError(f"membership: {error}") from error
    log("corosync-started", pid=pid)
    return True
