"""The daemon: brings mesh and Corosync up, then runs a Node in an asyncio loop, event by event."""

import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from . import VERSION, restart, serving, starting
from .caretaker import Caretaker
from .config import CONFIG_PATH, MESH_PATH, Config, ConfigError, Mesh, load_config, load_mesh, other_node
from .datagrams import DatagramLink
from .eventlog import LOG_PATH, EventLog
from .languages.core import message
from .loop_guard import LoopGuard, Slow
from .mesh.endpoints import EndpointBook
from .node import Node
from .operations.files import mesh_with
from .ports import Ports
from .roster.core import Acceptor
from .starting import StartError
from .tunnel_care import LOOK_EVERY_S, TunnelCare, TunnelRepair
from .unsealed import Unsealed
from .vip.arp import ArpAnnouncer
from .vip.gate import Gate, GateError
from .vip.hosting import HostAddresses
from .vip.links import LinkWatch
from .vip.netlink import AddressTable
from .vip.porter import Porter
from .wall import Wall

if TYPE_CHECKING:
    import asyncio

    from .languages.core import Message
    from .operations.wiring import Operations
    from .services.core import Signal
    from .sharing import Sharing
    from .switchboard import Switchboard

Command = Callable[[dict[str, object]], Awaitable[dict[str, object]]]

RUN_DIRECTORY = Path("/run/sfha")
NICENESS = -15
SWITCH_EVERY_S = 0.0005
"""How long a thread may keep the interpreter when the loop wants it back: ten times less than usual.

The loop gives it up with each system call, so that a thread that computes, reading a configuration for instance,
would cost it five milliseconds a call: many calls make a renewal.
"""
QUICK_GATE_S = 0.3
"""A peer that is up answers in milliseconds; where none is, the daemon goes on and asks now and then."""
GATE_RETRY_S = 0.02
"""A look costs a fifth of a millisecond, and who starts first should not come in last for having looked rarely."""
GATE_COMPLAIN_AFTER_S = 10.0
AT_ONCE = ("status", "life", "restart", "standby", "unstandby", "stonith")
"""Commands that do not wait for the operations; the others come right after a start, too (`init`, then `token`)."""
OPERATIONS_WITHIN_S = 5.0
OPERATIONS_AFTER_S = 0.3
"""What only people wait for is loaded when the address is about to be up."""


def run(config_path: Path = CONFIG_PATH, mesh_path: Path = MESH_PATH, log_path: Path = LOG_PATH) -> None:
    """Run the daemon until SIGTERM or SIGINT. Raises ConfigError and StartError."""
    config, mesh = load_config(config_path), load_mesh(mesh_path)
    if config.node != mesh.own.name:
        raise ConfigError(other_node(config, mesh, config_path, mesh_path))
    acceptor = starting.roster(mesh)
    mesh = mesh_with(mesh, acceptor.current) if acceptor.current.epoch else mesh
    starting.only_one(RUN_DIRECTORY)
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
    porter = Porter(HostAddresses(table, gate.index))
    caretaker = Caretaker()
    starting.refuse_own(table, config, mesh, config_path)
    starting.close_first(gate, config, log)
    wall = Wall(mesh, log)
    wall.try_to()
    book = starting.mesh_up(mesh, log)
    membership_is_up = starting.corosync_up(config, mesh, log, within_s=QUICK_GATE_S)
    link, older = starting.link_up(mesh, log)
    power = starting.switchboard(config, log)
    ports = Ports(
        time.monotonic,
        log,
        link,
        gate,
        GateError,
        porter,
        ArpAnnouncer(),
        services=caretaker,
        links=links,
        power=power,
    )
    node = Node(config, mesh, ports, incarnation=int.from_bytes(os.urandom(6)))
    voting = acceptor.voting()
    node.voting_changed(voting.view, voting.groups, voting.floor)
    node.start()
    import asyncio  # noqa: F401 - 40 ms of processor time, spent while Corosync is forming its ring

    daemon = Daemon(node, link, log)
    daemon.caretaker, daemon.links, daemon.porter = caretaker, links, porter
    daemon.cluster, daemon.book, daemon.older, daemon.wall = (config, mesh, acceptor), book, older, wall
    if not membership_is_up:
        daemon.start_membership = lambda: starting.corosync_after_peer(config, daemon.mesh(), log, within_s=0)
    if power is not None:
        daemon.wire_fencing(power)
    serving.run(daemon.prepared().run)
    if power is not None:
        power.close()
    if daemon.again:
        restart.execute_again()


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
        self.operations: Operations | None = None
        self.sharing: Sharing | None = None
        self.caretaker = Caretaker()
        self.links: LinkWatch | None = None
        self.care: TunnelCare | None = None
        self.porter: Porter | None = None
        self.wall: Wall | None = None
        self.commands: dict[str, Command] = {}
        """Commands of the control socket that take their time, by name; parts of the daemon add theirs."""
        self._tasks: set[asyncio.Task[object]] = set()
        self.again = False
        """Whether to start anew, with the program that is installed by then, when ``run`` has ended."""

    def prepared(self) -> "Daemon":
        """Having done what takes its time, before the loop runs."""
        from .elsewhere import OwnThreads

        self._threads = OwnThreads()
        gc.collect()
        gc.freeze()  # nothing of the start is ever garbage; collections stay short
        return self

    async def run(self, selector: serving.ServingSelector) -> None:
        """Until told to stop, in a loop with this selector."""
        import asyncio
        import signal

        from .membership.link import CorosyncLink
        from .parting import Parting

        sys.setswitchinterval(SWITCH_EVERY_S)
        self._log.write_elsewhere()
        self._guard = selector.guard
        self._guard.keep_looking()
        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(self._threads)
        self._operations_are_there = asyncio.Event()
        self._stopped = stopped = asyncio.Event()
        parting = Parting(self._node, self._log)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, stopped.set)
        self._loop.add_signal_handler(signal.SIGUSR1, self._set_standby, True)
        self._loop.add_signal_handler(signal.SIGUSR2, self._set_standby, False)
        self._loop.add_signal_handler(signal.SIGHUP, lambda: self._have_done(self._reload()))
        self.caretaker.report_to(self._service_reported, self._probed)
        for name in await self.caretaker.clear():
            self._log("service-left-over", service=name)
        if self.porter is not None:
            self.porter.report_to(parting.answered)
        selector.serve(self._link.fileno(), self)
        if self.links is not None:
            self._loop.add_reader(self.links.fileno(), self._links_readable)
            self._links_readable()  # what happened since they were read
        CorosyncLink(self._node.membership_reported, self._log).connect()
        control = RUN_DIRECTORY / "control.sock"
        control.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._serve, control)
        control.chmod(0o600)
        self._care_for_tunnel()
        if self.wall is not None:
            self._have_done(self.wall.watch())
        self._have_done(self._start_membership())
        self._have_done(self._start_operations())
        await self._stopped.wait()
        await parting.hand_over()
        await parting.let_go()
        server.close()
        if self.operations is not None:
            self.operations.close()
        self._log.flush()

    def mesh(self) -> Mesh:
        """As it is now: peers come and go."""
        assert self.cluster is not None
        return self.cluster[1] if self.operations is None else self.operations.ground.mesh

    def _care_for_tunnel(self) -> None:
        if self.cluster is None:
            return
        silent_after_s = self.cluster[0].profile.suspect_after_s
        repair = TunnelRepair(partial(starting.mesh_up, log=self._log), self._log)
        self.care = care = TunnelCare(
            self._node, self._log, self.mesh, repair, silent_after_s=silent_after_s, book=self.book
        )

        def look() -> None:
            self._loop.call_later(LOOK_EVERY_S, look)
            care.look()

        look()

    def _have_done(self, work: "Coroutine[object, object, object]") -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start_membership(self) -> None:
        """Start Corosync as soon as the tunnel reaches somebody."""
        import asyncio

        waiting_since_s, said = time.monotonic(), False
        while self.start_membership is not None and not await asyncio.to_thread(self._start_membership_now):
            if not said and time.monotonic() - waiting_since_s > GATE_COMPLAIN_AFTER_S:
                said = True
                self._log("no-peer-reached", seconds=round(GATE_COMPLAIN_AFTER_S))
            await asyncio.sleep(GATE_RETRY_S)

    def _start_membership_now(self) -> bool:
        assert self.start_membership is not None
        try:
            return self.start_membership()
        except (StartError, OSError) as error:
            self._log("warning", what="membership", message=str(error))
            self._loop.call_soon_threadsafe(self._stopped.set)
            return True

    async def _start_operations(self) -> None:
        import asyncio

        await asyncio.sleep(OPERATIONS_AFTER_S)
        if self.cluster is None:
            self._operations_are_there.set()
            return
        try:
            self.operations = await asyncio.to_thread(self._load_operations, *self.cluster)
        except OSError as error:
            self._log("warning", what="p2p", message=f"{error.filename}: {error.strerror}")
            self._operations_are_there.set()
            return
        finally:
            gc.freeze()  # programs are never garbage either
            gc.enable()
        self.operations.ground.give_up_tunnel = self._give_up_tunnel
        self.commands |= self.operations.commands()
        self._start_sharing(self.operations)
        self._operations_are_there.set()
        await self.operations.start()
        self._guard.watch(self._slow)

    async def _give_up_tunnel(self) -> None:
        import asyncio

        if self.care is not None:
            await self.care.end()
        if self.wall is not None:
            await asyncio.to_thread(self.wall.end)

    def _load_operations(self, config: Config, mesh: Mesh, acceptor: Acceptor) -> "Operations":
        """In a thread: programs are read from the disk, those as well that the first service would have to wait for."""
        gc.disable()  # until these programs are known not to be garbage: looking through all of them takes its time
        from . import resource_commands, sharing, workload  # noqa: F401
        from .health import probes  # noqa: F401
        from .operations.wiring import Operations
        from .services import runner  # noqa: F401

        def end() -> None:
            self._stopped.set()

        node, link, log, book, older = self._node, self._link, self._log, self.book, self.older
        return Operations(config, mesh, acceptor, node=node, link=link, log=log, end=end, book=book, older=older)

    def wire_fencing(self, power: "Switchboard") -> None:
        """Have the power switch report to the node, in the loop, and people ask for fencings."""
        from .fencing_control import stonith

        assert self._node.sentry is not None
        power.connect(self._node.sentry, self._deliver)
        self.commands["stonith"] = lambda request: stonith(self._node, request)

    def _deliver(self, report: Callable[[], None]) -> None:
        """Called by any thread: have a report taken in the loop (and forget it when that has ended)."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._delivered, report)

    def _delivered(self, report: Callable[[], None]) -> None:
        report()
        self._node.sentry_reported()

    def _start_sharing(self, operations: "Operations") -> None:
        from .networks import network_of
        from .resource_commands import ResourceCommands
        from .sharing import Sharing

        self.sharing = Sharing(self._node, operations.peers, self._log, mesh_network=network_of(self.mesh()))
        commands = ResourceCommands(self._node, self.sharing)
        self.commands |= commands.commands()
        operations.server.routes |= commands.routes()
        operations.config_changed = self._reload

    async def _reload(self) -> "Message | None":
        """Take up config.yml; returns why that cannot be done, which is in the log as well."""
        from .sharing import ChangeRefused

        try:
            if self.sharing is not None:
                await self.sharing.reload()
        except ChangeRefused as refused:
            return refused.why
        return None

    def _slow(self, slow: Slow) -> None:
        wall_ms, blocked_ms = round(slow.wall_s * 1000, 1), round(slow.blocked_s * 1000, 1)
        self._log("slow-callback", name=slow.name, blocked_ms=blocked_ms, wall_ms=wall_ms)

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
        if self._node.is_behind and self.sharing is not None and not self.sharing.catching_up:
            self._have_done(self.sharing.catch_up())
        if self._node.newer_roster_at is not None and self.operations is not None:
            newer_at, self._node.newer_roster_at = self._node.newer_roster_at, None
            self._have_done(self.operations.catch_up(newer_at))

    # --- what asyncio brings ---

    def _links_readable(self) -> None:
        assert self.links is not None
        if self.links.read():
            self._node.links_changed()

    def _set_standby(self, standby: bool) -> None:
        self._node.set_standby(standby)
        self._have_done(self._publish_standby(standby))

    async def _publish_standby(self, standby: bool) -> None:
        """Have it in Corosync's map, where it can be read on this node; nothing depends on it."""
        import asyncio

        from .membership import cmap

        try:
            await asyncio.to_thread(cmap.publish, cmap.STANDBY_KEY, int(standby))
        except (cmap.CmapError, OSError) as error:
            self._log("warning", what="publishing standby", message=str(error))

    # --- control socket ---

    async def _serve(self, reader: "asyncio.StreamReader", writer: "asyncio.StreamWriter") -> None:
        import asyncio
        import json

        try:
            request = json.loads(await reader.readline())
            request = request if isinstance(request, dict) else {}
            command = str(request.get("command"))
            if command not in AT_ONCE:
                await asyncio.wait_for(self._operations_are_there.wait(), OPERATIONS_WITHIN_S)
            slow = self.commands.get(command)
            answer = await slow(request) if slow is not None else self._answer(request)
            writer.write(json.dumps(answer, default=str).encode() + b"\n")
            await writer.drain()
        except (ValueError, ConnectionError, TimeoutError):
            pass
        finally:
            writer.close()

    def _unsealed_peers(self) -> list[str]:
        names = {} if self.cluster is None else {peer.node_id: peer.name for peer in self.mesh().peers}
        return [names.get(node, str(node)) for node in self._link.unsealed]

    def _unpaired_peers(self) -> list[str]:
        return [] if self.operations is None else self.operations.older()

    def _answer(self, request: dict[str, object]) -> dict[str, object]:
        """Answer ``{"command": ..., its arguments}``; a refusal is ``{"ok": False, "error": message.to_json()}``."""
        command = request.get("command")
        match command:
            case "status":
                return asdict(self._node.status()) | {
                    "unsealed": self._unsealed_peers(),
                    "unpaired": self._unpaired_peers(),
                    "loop": self._guard.status(),
                    "log_error": self._log.trouble,
                }
            case "life":
                return {"ok": True, "life": self._life}
            case "restart":
                self.again = True
                self._log("daemon-restarting")
                self._loop.call_later(restart.ANSWER_FIRST_S, self._stopped.set)
                return {"ok": True}
            case "standby" | "unstandby":
                self._set_standby(command == "standby")
                return {"ok": True}
        unknown = "stonith.off" if command == "stonith" else "control.unknown"
        return {"ok": False, "error": message(unknown, command=str(command)).to_json()}
