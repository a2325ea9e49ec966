"""The daemon: brings mesh and Corosync up, then has one loop feed the node with what happens, until it is stopped."""

import gc
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.messages import message
from ..config.load import (
    Config,
    Mesh,
)
from ..datagrams.link import DatagramLink
from ..datagrams.unsealed import Unsealed
from ..logs.event_log import EventLog
from ..mesh.address_book import EndpointBook
from ..node.node import Node
from ..roster.core import Acceptor
from ..services.service_thread import ServiceThread
from ..vips.links import LinkWatch
from ..vips.order_thread import OrderThread
from ..wall.wall import Wall
from . import node_selector, restart, start
from .loop_guard import LoopGuard, Slow
from .start import StartError
from .tunnel_care import LOOK_EVERY_S, TunnelCare, TunnelRepair

if TYPE_CHECKING:
    from ...kit.messages import Message
    from ..admin.service import AdminService
    from ..claim.power_and_disk import PowerAndDisk
    from ..control.server import Body, Command
    from ..membership.core import Report
    from ..services.core import Signal
    from ..shared_config.shared_config import SharedConfig

RUN_DIRECTORY = Path("/run/sfha")
SWITCH_EVERY_S = 0.0005
"""How long a thread may keep the interpreter when the loop wants it back: ten times less than usual.

The loop gives it up with each system call, so that a thread that computes, reading a configuration for instance,
would cost it five milliseconds a call: many calls make a renewal.
"""
REACH_RETRY_S = 0.02
"""A look costs a fifth of a millisecond, and who starts first should not come in last for having looked rarely."""
REACH_COMPLAIN_AFTER_S = 10.0
AT_ONCE = ("status", "life", "restart", "standby", "unstandby", "stonith")
"""Commands that do not wait for the admin service; the others come right after a start, too (`init`, then `token`)."""
ADMIN_AFTER_S = 0.3
"""What only people wait for is loaded when the address is about to be up."""


class Daemon:
    """Feeds a Node from sockets, signals and the clock."""

    def __init__(self, node: Node, link: DatagramLink, log: EventLog) -> None:
        self._node, self._link, self._log = node, link, log
        self._life = os.urandom(8).hex()
        self.cluster: tuple[Config, Mesh, Acceptor] | None = None
        self.book, self.older = EndpointBook(), Unsealed()
        self._guard = LoopGuard()
        self.start_membership: Callable[[], bool] | None = None
        """What is still to be called until it says True: the tunnel had reached nobody yet."""
        self.admin: AdminService | None = None
        self.shared_config: SharedConfig | None = None
        self.service_thread = ServiceThread(log)
        self.links: LinkWatch | None = None
        self.care: TunnelCare | None = None
        self.order_thread: OrderThread | None = None
        self.wall: Wall | None = None
        self.commands: dict[str, Command] = {
            "status": self._status,
            "life": self._tell_life,
            "restart": self._restart,
            "standby": self._standby,
            "unstandby": self._standby,
            "stonith": self._no_stonith,
        }
        """What can be asked on the control socket, by name; parts of the daemon add theirs."""
        self.again = False
        """Whether to start anew, with the program that is installed by then, when ``run`` has ended."""

    def prepared(self) -> "Daemon":
        """Having done what takes its time, before the loop runs."""
        from ...kit.threads import OwnThreads

        self._threads = OwnThreads()
        gc.collect()
        gc.freeze()  # nothing of the start is ever garbage; collections stay short
        return self

    async def run(self, selector: node_selector.NodeSelector) -> None:
        """Until told to stop, in a loop with this selector."""
        import asyncio

        from ...kit.tasks import Tasks
        from ..control.server import ControlServer
        from ..membership.link import CorosyncLink
        from ..reluctance import watch as reluctance
        from .stopping import Stopping

        sys.setswitchinterval(SWITCH_EVERY_S)
        self._log.write_elsewhere()
        self._guard = selector.guard
        self._guard.keep_looking()
        self._loop = asyncio.get_running_loop()
        self._tasks = Tasks(self._log)
        self._loop.set_default_executor(self._threads)
        self._stopped = asyncio.Event()
        stopping = Stopping(self._node, self._log)
        self._heed_signals()
        self.service_thread.report_to(self._service_reported, self._probed)
        for name in await self.service_thread.clear():
            self._log("service-left-over", service=name)
        if self.order_thread is not None:
            self.order_thread.report_to(stopping.answered)
        selector.serve(self._link.fileno(), self)
        if self.links is not None:
            self._loop.add_reader(self.links.fileno(), self._links_readable)
            self._links_readable()  # what happened since they were read
        CorosyncLink(self._membership_reported, self._log).connect()
        self._control = ControlServer(self.commands, self._log, at_once=AT_ONCE)
        await self._control.open()
        self._care_for_tunnel()
        if self.wall is not None:
            self._tasks.start("wall", self.wall.watch())
        looks = reluctance.watch(reluctance.reasons(), self._node.reluctant_for)
        self._tasks.start("reluctance", looks)
        self._tasks.start("membership", self._start_membership())
        self._tasks.start("p2p", self._start_admin())
        await self._stopped.wait()
        await stopping.hand_over()
        await stopping.let_go()
        self._control.close()
        if self.admin is not None:
            self.admin.close()
        self._log.flush()

    def _heed_signals(self) -> None:
        import signal

        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stopped.set)
        self._loop.add_signal_handler(signal.SIGUSR1, self._set_standby, True)
        self._loop.add_signal_handler(signal.SIGUSR2, self._set_standby, False)
        self._loop.add_signal_handler(signal.SIGHUP, lambda: self._tasks.start("reload", self._reload()))

    def mesh(self) -> Mesh:
        """As it is now: peers come and go."""
        assert self.cluster is not None
        return self.cluster[1] if self.admin is None else self.admin.applied.mesh

    def _care_for_tunnel(self) -> None:
        if self.cluster is None:
            return
        silent_after_s = self.cluster[0].profile.suspect_after_s
        repair = TunnelRepair(partial(start.mesh_up, log=self._log), self._log)
        self.care = care = TunnelCare(
            self._node, self._log, self.mesh, repair, silent_after_s=silent_after_s, book=self.book
        )

        def look() -> None:
            self._loop.call_later(LOOK_EVERY_S, look)
            care.look()

        look()

    async def _start_membership(self) -> None:
        """Start Corosync as soon as the tunnel reaches somebody."""
        import asyncio

        waiting_since_s, said = time.monotonic(), False
        while self.start_membership is not None and not await asyncio.to_thread(self._start_membership_now):
            if not said and time.monotonic() - waiting_since_s > REACH_COMPLAIN_AFTER_S:
                said = True
                self._log("no-peer-reached", seconds=round(REACH_COMPLAIN_AFTER_S))
            await asyncio.sleep(REACH_RETRY_S)

    def _start_membership_now(self) -> bool:
        assert self.start_membership is not None
        try:
            return self.start_membership()
        except (StartError, OSError) as error:
            self._log("warning", what="membership", message=str(error))
            self._loop.call_soon_threadsafe(self._stopped.set)
            return True

    async def _start_admin(self) -> None:
        import asyncio

        await asyncio.sleep(ADMIN_AFTER_S)
        if self.cluster is None:
            self._control.complete()
            return
        try:
            self.admin = await asyncio.to_thread(self._load_admin, *self.cluster)
        except OSError as error:
            self._log("warning", what="p2p", message=f"{error.filename}: {error.strerror}")
            self._control.complete()
            return
        finally:
            gc.freeze()  # programs are never garbage either
            gc.enable()
        self.admin.applied.give_up_tunnel = self._give_up_tunnel
        self.commands |= self.admin.commands()
        self._share_config(self.admin)
        self._control.complete()
        await self.admin.start()
        self._guard.watch(self._slow)

    async def _give_up_tunnel(self) -> None:
        import asyncio

        if self.care is not None:
            await self.care.end()
        if self.wall is not None:
            await asyncio.to_thread(self.wall.end)

    def _load_admin(self, config: Config, mesh: Mesh, acceptor: Acceptor) -> "AdminService":
        """In a thread: programs are read from the disk, those as well that the first service would have to wait for."""
        gc.disable()  # until these programs are known not to be garbage: looking through all of them takes its time
        from ..admin.service import AdminService
        from ..health import probes  # noqa: F401
        from ..services import (
            runner,  # noqa: F401
            workload,  # noqa: F401
        )
        from ..shared_config import commands, shared_config  # noqa: F401

        def end() -> None:
            self._stopped.set()

        node, link, log, book, older = self._node, self._link, self._log, self.book, self.older
        return AdminService(config, mesh, acceptor, node=node, link=link, log=log, end=end, book=book, older=older)

    def wire_fencing(self, power: "PowerAndDisk") -> None:
        """Have the power switch report to the node, in the loop, and people ask for fencings."""
        from .fencing_commands import stonith

        assert self._node.arbiter is not None
        power.connect(self._node.arbiter, self._deliver)
        self.commands["stonith"] = lambda request: stonith(self._node, request)

    def _deliver(self, report: Callable[[], None]) -> None:
        """Called by any thread: have a report taken in the loop (and forget it when that has ended)."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._delivered, report)

    def _delivered(self, report: Callable[[], None]) -> None:
        report()
        self._node.arbiter_reported()

    def _share_config(self, admin: "AdminService") -> None:
        from ..config.networks import network_of
        from ..shared_config.commands import SharedConfigCommands
        from ..shared_config.shared_config import SharedConfig

        self.shared_config = SharedConfig(self._node, admin.peers, self._log, mesh_network=network_of(self.mesh()))
        commands = SharedConfigCommands(self._node, self.shared_config)
        self.commands |= commands.commands()
        admin.server.routes |= commands.routes()
        admin.config_changed = self._reload

    async def _reload(self, revision: int | None = None) -> "Message | None":
        """Take up config.yml, as this revision; returns why that cannot be done, which is in the log as well."""
        from ..shared_config.shared_config import ChangeRefused

        try:
            if self.shared_config is not None:
                await self.shared_config.reload(revision)
        except ChangeRefused as refused:
            return refused.why
        return None

    def _slow(self, slow: Slow) -> None:
        wall_ms, blocked_ms = round(slow.wall_s * 1000, 1), round(slow.blocked_s * 1000, 1)
        self._log("slow-callback", name=slow.name, blocked_ms=blocked_ms, wall_ms=wall_ms, where=slow.where)

    def _service_reported(self, signal: "Signal") -> None:
        self._node.service_reported(signal)

    def _probed(self, name: str, round_: int, error: str | None) -> None:
        self._node.probed(name, round_, error)

    # --- served without asyncio ---

    def due_s(self) -> float:
        """When ``wake`` wants to be called."""
        return self._node.wake_s

    def wake(self) -> None:
        """The node's time has come."""
        self._node.wake()

    def failed(self, error: Exception) -> None:
        """As asyncio would have it: it is written to the console, and everything goes on."""
        self._loop.call_exception_handler({"message": "serving the node", "exception": error})

    def readable(self) -> None:
        """A datagram has come. One at a time: a flood of them must not keep timers from being served."""
        received = self._link.receive()
        if received is None:
            return
        self._node.datagram(*received)
        if self._node.hearing.is_behind and self.shared_config is not None and not self.shared_config.catching_up:
            self._tasks.start("catching up", self.shared_config.catch_up())
        if self._node.hearing.newer_roster_at is not None and self.admin is not None:
            newer_at, self._node.hearing.newer_roster_at = self._node.hearing.newer_roster_at, None
            self._tasks.start("catching up", self.admin.catch_up(newer_at))

    # --- what asyncio brings ---

    def _membership_reported(self, report: "Report") -> None:
        self._node.membership_reported(report)
        if self.admin is not None:
            self.admin.nodelist.ring_formed()

    def _links_readable(self) -> None:
        assert self.links is not None
        if self.links.read():
            self._node.links_changed()

    def _set_standby(self, standby: bool) -> None:
        self._node.set_standby(standby)
        self._tasks.start("publishing standby", self._publish_standby(standby))

    async def _publish_standby(self, standby: bool) -> None:
        """Have it in Corosync's map, where it can be read on this node; nothing depends on it."""
        import asyncio

        from ..membership import cmap

        try:
            await asyncio.to_thread(cmap.publish, cmap.STANDBY_KEY, int(standby))
        except (cmap.CmapError, OSError) as error:
            self._log("warning", what="publishing standby", message=str(error))

    # --- what is asked on the control socket ---

    def _unsealed_peers(self) -> list[str]:
        names = {} if self.cluster is None else {peer.node_id: peer.name for peer in self.mesh().peers}
        return [names.get(node, str(node)) for node in self._link.unsealed]

    def _unpaired_peers(self) -> list[str]:
        return [] if self.admin is None else self.admin.older()

    async def _status(self, _request: "Body") -> "Body":
        return asdict(self._node.status()) | {
            "unsealed": self._unsealed_peers(),
            "unpaired": self._unpaired_peers(),
            "corosync_behind": None if self.admin is None else self.admin.nodelist.status(),
            "loop": self._guard.status(),
            "log_error": self._log.trouble,
        }

    async def _tell_life(self, _request: "Body") -> "Body":
        return {"ok": True, "life": self._life}

    async def _restart(self, _request: "Body") -> "Body":
        self.again = True
        self._log("daemon-restarting")
        self._loop.call_later(restart.ANSWER_FIRST_S, self._stopped.set)
        return {"ok": True}

    async def _standby(self, request: "Body") -> "Body":
        self._set_standby(request["command"] == "standby")
        return {"ok": True}

    async def _no_stonith(self, _request: "Body") -> "Body":
        return {"ok": False, "error": message("stonith.off").to_json()}
