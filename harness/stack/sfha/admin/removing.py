"""Taking nodes out of the cluster: another one (node remove, evict), or this one (leave)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ...kit.messages import Message
from ..membership import corosync
from ..mesh import wireguard
from ..p2p.client import ANSWER_TIMEOUT_S, Peers, not_done
from ..removal.core import (
    NUMBERED,
    Removal,
    RemovalRefused,
    Situation,
    Step,
    removal_from_json,
    removal_to_json,
    validate,
)
from ..roster.core import Roster, RosterError, quorum_guard, roster_from_json, roster_to_json
from .applied_roster import AppliedRoster
from .files import REMOVAL_PATH, forget_cluster, read_json, save_json
from .roster_changes import CLOCK_MARGIN_S, Body, RosterChanges

HAND_OVER_TIMEOUT_S = 2.0
LOOK_EVERY_S = 0.01
GOODBYE_S = 0.5
OFFLINE_TIMEOUT_S = 1.0
"""For a node that Corosync does not see: it is told in case that only its Corosync is down."""


class Removals:
    """Runs removals in the order of removal/core.py, and does a node's part in those that others run."""

    def __init__(
        self,
        applied: AppliedRoster,
        changes: RosterChanges,
        peers: Peers,
        end: Callable[[], None],
        introductions: Callable[[], frozenset[str]],
    ) -> None:
        """``end`` ends the daemon; ``introductions()`` are keys in the tunnel that are no member's, and stay."""
        self._applied, self._changes, self._peers = applied, changes, peers
        self._end, self._introductions = end, introductions
        self._running = asyncio.Lock()

    def routes(self) -> dict[tuple[str, str], Callable[[str, Body], Awaitable[tuple[int, Body]]]]:
        """What the other daemons may ask."""
        return {
            ("POST", "/leave"): self._told_to_leave,
            ("POST", "/remove-peer"): self._told_to_remove,
            ("POST", "/api/node/evict"): self._told_to_evict,
        }

    # --- another node ------------------------------------------------------------------------------

    async def plan(self, target: str, *, force: bool) -> Removal:
        """What a removal would do; nothing is changed. Raises RemovalRefused."""
        return self._begin(target, force=force)

    async def remove(self, target: str, *, force: bool) -> Removal:
        """Remove a node. Raises RemovalRefused and RosterError when nothing was done; what is left out is a warning."""
        async with self._running:
            removal = await self._interrupted(target)
            if removal is None:
                removal = self._begin(target, force=force)
                await self._write(removal)
            return await self._go_on(removal, force=force)

    async def resume(self) -> None:
        """After a start of the daemon: finish what an earlier one had begun and decided."""
        match await asyncio.to_thread(read_json, REMOVAL_PATH):
            case {"target": str(target), "step": str(step)} if step != Step.DECIDE.value:
                self._applied.log("removal-resumed", target=target, step=step)
                async with self._running:
                    removal = await self._interrupted(target)
                    if removal is not None:
                        await self._go_on(removal, force=False)

    async def _interrupted(self, target: str) -> Removal | None:
        try:
            removal = removal_from_json(await asyncio.to_thread(read_json, REMOVAL_PATH))
        except ValueError:
            return None
        return removal if removal.target == target and self._applied.roster().named(target) is None else None

    def _begin(self, target: str, *, force: bool) -> Removal:
        roster, node = self._applied.roster(), self._applied.node.status()
        online = set(node.members)
        member = roster.named(target)
        about = next((one for one in node.nodes if one.name == target), None)
        validate(
            target,
            Situation(
                own_name=self._applied.mesh.own.name,
                quorate=node.quorate,
                known=frozenset(one.name for one in roster.members),
                target_online=member is not None and member.node_id in online,
                target_standby=about is not None and about.standby,
                quorum_afterwards=quorum_guard(roster, target, online),
            ),
            force=force,
        )
        assert member is not None
        own_id = self._applied.mesh.own.node_id
        peers = tuple(one.name for one in roster.members if one.name != target and one.node_id != own_id)
        return Removal(target, member.address, member.public_key, peers, member.node_id in online)

    async def _go_on(self, removal: Removal, *, force: bool) -> Removal:
        while removal.step is not Step.DONE:
            number = NUMBERED.get(removal.step, 0)
            self._applied.log("removal-step", target=removal.target, number=number, step=removal.step.value)
            step, removal = removal.step, await self._do(removal, force=force)
            await self._write(removal)
            self._applied.log("removal-step-done", target=removal.target, number=number, step=step.value)
        await asyncio.to_thread(REMOVAL_PATH.unlink, missing_ok=True)
        self._applied.advertise()
        self._applied.log("node-removed", target=removal.target, propagated=removal.propagated())
        return removal

    async def _do(self, removal: Removal, *, force: bool) -> Removal:
        match removal.step:
            case Step.DECIDE:
                await self._decide(removal.target, force=force)
            case Step.TELL_TARGET:
                self._applied.remember(removal.target, removal.public_key)
                addresses = {removal.target: removal.address}
                timeout_s = ANSWER_TIMEOUT_S if removal.online else OFFLINE_TIMEOUT_S
                answer = await self._peers.at(addresses).call(
                    removal.target, "/leave", self._leave_body(), timeout_s=timeout_s
                )
                return removal.target_answered(answer.error)
            case Step.TELL_PEERS:
                # Told and awaited in one go, to all at the same time: the slowest takes ten seconds at most.
                answers = await self._peers.broadcast(
                    "/remove-peer", self._remove_body(removal.target, removal.address), to=removal.outstanding
                )
                return removal.peers_answered({name: answer.error for name, answer in answers.items()})
            case Step.AWAIT_PEERS:
                self._applied.log("removal-propagated", target=removal.target, propagated=removal.propagated())
            case Step.REMOVE_TUNNEL:
                await self._applied.remove_tunnel(removal.public_key)
            case Step.REMOVE_MEMBER:
                await self._applied.write_corosync()
                await self._applied.reload_corosync()
        return removal.advanced()

    async def _decide(self, target: str, *, force: bool) -> None:
        def make(base: Roster) -> Roster:
            return base.without(target) if base.named(target) else base

        try:
            await self._changes.change(make)
        except RosterError:
            roster = self._applied.roster()
            if not force or len(roster.members) != 2:
                raise
            # Of two nodes one is gone: no majority can say so, a person has to. The other cannot hold a lease
            # alone either, as long as nobody says the same over there (docs/lease.md).
            await asyncio.sleep(self._applied.config.profile.promise_s + CLOCK_MARGIN_S)
            await self._applied.learn(roster.without(target))
            self._applied.log(
                "warning", what="node remove", message=f"{target} was removed by force, without a majority"
            )

    def _leave_body(self) -> Body:
        return {"roster": roster_to_json(self._applied.roster())}

    def _remove_body(self, name: str, address: str) -> Body:
        return {"peerName": name, "peerMeshIp": address, "roster": roster_to_json(self._applied.roster())}

    async def _write(self, removal: Removal) -> None:
        await asyncio.to_thread(save_json, REMOVAL_PATH, removal_to_json(removal))

    # --- what others ask for -----------------------------------------------------------------------

    async def _told_to_leave(self, sender: str, body: Body) -> tuple[int, Body]:
        roster = roster_from_json(body["roster"])
        if roster.named(self._applied.mesh.own.name) is not None or roster.epoch <= self._applied.roster().epoch - 1:
            return 409, {"error": "the roster that came with it still has this node"}
        self._applied.log("told-to-leave", by=sender)
        self._applied.tasks.start("leave", self.depart())
        return 200, {}

    async def _told_to_remove(self, sender: str, body: Body) -> tuple[int, Body]:
        name, roster = str(body["peerName"]), roster_from_json(body["roster"])
        if name == self._applied.mesh.own.name or roster.named(name) is not None:
            return 409, {"error": f"the roster that came with it still has {name}"}
        self._applied.log("remove-peer-begun", name=name, address=str(body["peerMeshIp"]), by=sender)
        if self._applied.roster().named(sender) is not None:
            await self._applied.learn(roster)
        elif name != sender:  # who has left may say goodbye, and has no say in anything else
            return 409, {"error": f"{sender} is no member any more"}
        if name == sender:  # it waits for the answer, which needs the tunnel
            asyncio.get_running_loop().call_later(GOODBYE_S, self._close_tunnels)
        else:
            await self._applied.remove_strangers(self._introductions())
        await self._applied.write_corosync()
        await self._applied.reload_corosync()
        self._applied.advertise()
        self._applied.log("remove-peer-done", name=name, by=sender)
        return 200, {}

    def _close_tunnels(self) -> None:
        async def close() -> None:
            with suppress(wireguard.WireGuardError):
                await self._applied.remove_strangers(self._introductions())

        self._applied.tasks.start("closing tunnels", close())

    async def _told_to_evict(self, sender: str, body: Body) -> tuple[int, Body]:
        node = self._applied.node.status()
        if node.leader != node.node_id:
            return 409, {"error": f"this node does not lead; {node.leader_name or 'nobody'} does"}
        self._applied.log("told-to-evict", name=str(body["name"]), by=sender)
        try:
            removal = await self.remove(str(body["name"]), force=bool(body.get("force", False)))
        except (RemovalRefused, RosterError) as error:
            return 409, {"error": error.why.to_json()}
        return 200, {
            "removed": removal.target,
            "propagated": removal.propagated(),
            "warnings": removal_to_json(removal)["warnings"],
        }

    # --- this node ---------------------------------------------------------------------------------

    async def leave(self, *, force: bool) -> tuple[str, list[Message]]:
        """Take this node out of the cluster; returns "n/total" told and warnings. The daemon ends soon afterwards.

        With ``force`` it goes even where the others cannot agree; they have to remove it then. Raises RosterError.
        """
        own = self._applied.mesh.own
        warnings: list[Message] = []
        others = [peer.name for peer in self._applied.mesh.peers]
        told = 0
        await self._hand_over()
        if others:
            try:
                await self._agree_to_go(force=force)
            except RosterError as error:
                if not force:
                    raise
                warnings.append(error.why)
        await asyncio.to_thread(corosync.stop)
        if others and not warnings:
            body = self._remove_body(own.name, own.address)
            answers = await self._peers.broadcast("/remove-peer", body, to=others)
            told = sum(answer.ok for answer in answers.values())
            warnings += not_done(answers)
        self._applied.tasks.start("leave", self.depart())
        return f"{told}/{len(others)}", warnings

    async def _agree_to_go(self, *, force: bool) -> None:
        own = self._applied.mesh.own.name
        why = quorum_guard(self._applied.roster(), own, self._applied.node.status().members)
        if why is not None and not force:
            raise RosterError(why)
        mesh = self._applied.mesh  # the roster without this node has no place for it: what was is needed to say goodbye
        await self._changes.change(lambda base: base.without(own, by_itself=True) if base.named(own) else base)
        self._applied.log("left-roster", peers=[peer.name for peer in mesh.peers])

    async def _hand_over(self) -> None:
        """Let go of everything held, so that somebody else takes it before this node is gone."""
        self._applied.node.set_standby(True)
        for _ in range(round(HAND_OVER_TIMEOUT_S / LOOK_EVERY_S)):
            if self._applied.node.status().lease == "out":
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def depart(self) -> None:
        """Stop everything here, and forget the cluster."""
        await asyncio.sleep(0.05)  # the answer to who asked is still on its way
        try:
            await self._hand_over()
            await asyncio.to_thread(corosync.stop)
            await self._applied.give_up_tunnel()
            await asyncio.to_thread(wireguard.take_down, self._applied.mesh.interface)
        except (corosync.CorosyncError, wireguard.WireGuardError) as error:
            self._applied.log("warning", what="leave", message=str(error))
        await asyncio.to_thread(forget_cluster)
        self._applied.log("left-cluster")
        self._end()
