"""The daemon as a process: all that it is made of, step by step, and then its loop."""

import os
import time
from contextlib import suppress
from pathlib import Path

from .. import VERSION
from ..admin.files import mesh_with
from ..config.load import (
    CONFIG_PATH,
    MESH_PATH,
    ConfigError,
    load_config,
    load_mesh,
    other_node,
)
from ..kernel.netlink import AddressTable
from ..kernel.nft import NftError
from ..lease.gate import Gate
from ..logs.event_log import LOG_PATH, EventLog
from ..node.node import Node
from ..node.ports import Ports
from ..services.service_thread import ServiceThread
from ..vips.arp import ArpAnnouncer
from ..vips.host_addresses import HostAddresses
from ..vips.links import LinkWatch
from ..vips.order_thread import OrderThread
from ..wall.wall import Wall
from . import node_selector, restart, start
from .daemon import RUN_DIRECTORY, Daemon

NICENESS = -15


QUICK_REACH_S = 0.3
"""A peer that is up answers in milliseconds; where none is, the daemon goes on and asks now and then."""


def run(config_path: Path = CONFIG_PATH, mesh_path: Path = MESH_PATH, log_path: Path = LOG_PATH) -> None:
    """Run the daemon until SIGTERM or SIGINT. Raises ConfigError and StartError."""
    config, mesh = load_config(config_path), load_mesh(mesh_path)
    if config.node != mesh.own.name:
        raise ConfigError(other_node(config, mesh, config_path, mesh_path))
    acceptor = start.roster(mesh)
    mesh = mesh_with(mesh, acceptor.current) if acceptor.current.epoch else mesh
    start.only_one(RUN_DIRECTORY)
    log = EventLog(config.node, log_path)
    log("daemon-started", version=VERSION, pid=os.getpid(), profile=config.profile.name)
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)  # absolute: a restart in place must not add to it
    guarded = [item for item in config.vips if item.guarded]
    gate = Gate(
        [item.address for item in guarded],
        [item.interface for item in guarded],
        config.profile.lease_s,
        guard_egress=config.unsafe.guard_egress,
    )
    table, links = AddressTable(), LinkWatch()
    order_thread = OrderThread(HostAddresses(table, gate.index))
    service_thread = ServiceThread(log)
    start.refuse_own(table, config, mesh, config_path)
    start.close_first(gate, config, log)
    wall = Wall(mesh, log)
    wall.try_to()
    book = start.mesh_up(mesh, log)
    membership_is_up = start.corosync_up(config, mesh, log, within_s=QUICK_REACH_S)
    link, older = start.link_up(mesh, log)
    power = start.power_and_disk(config, log)
    ports = Ports(
        time.monotonic,
        log,
        link,
        gate,
        NftError,
        order_thread,
        ArpAnnouncer(),
        services=service_thread,
        links=links,
        power=power,
    )
    node = Node(config, mesh, ports, incarnation=int.from_bytes(os.urandom(6)))
    voting = acceptor.voting()
    node.voting_changed(voting.view, voting.groups, voting.floor)
    node.start()
    import asyncio  # noqa: F401 - 40 ms of processor time, spent while Corosync is forming its ring

    daemon = Daemon(node, link, log)
    daemon.service_thread, daemon.links, daemon.order_thread = service_thread, links, order_thread
    daemon.cluster, daemon.book, daemon.older, daemon.wall = (config, mesh, acceptor), book, older, wall
    if not membership_is_up:
        daemon.start_membership = lambda: start.corosync_after_peer(config, daemon.mesh(), log, within_s=0)
    if power is not None:
        daemon.wire_fencing(power)
    node_selector.run(daemon.prepared().run)
    if power is not None:
        power.close()
    if daemon.again:
        restart.execute_again()
