"""The cluster as a whole, as a running daemon sees to it: what other daemons and commands on this node can ask for."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ...kit.durable import write_durably
from ...kit.messages import Message, from_json, message
from ..config.load import CONFIG_PATH, Config, ConfigError, Mesh, load_config
from ..config.own_process import read_apart
from ..datagrams.core.curve import key_from_text
from ..datagrams.link import DatagramLink
from ..datagrams.unsealed import Unsealed
from ..membership import corosync
from ..mesh import wireguard
from ..mesh.address_book import EndpointBook
from ..mesh.host_port import fault_of_endpoint
from ..node.node import Node
from ..p2p.client import Caller, Peers, not_done
from ..p2p.core import Door
from ..p2p.server import Server
from ..removal.core import RemovalRefused, removal_to_json
from ..roster.core import Acceptor, RosterError, roster_from_json, roster_to_json
from ..roster.store import StoreError
from ..token.core import DEFAULT_TTL_S, TokenError
from .applied_roster import AppliedRoster, Log
from .endpoint_changes import EndpointChanges
from .files import AUTHKEY_PATH, config_text, node_part, shared_part
from .join_tokens import SENDER_PREFIX, JoinTokens
from .keyring import Keyring
from .nodelist_care import NodelistCare
from .own_endpoint import EndpointUnknown, guess_endpoint
from .registration import TOKEN_PATHS, RegistrationRefused, Registrations
from .removing import Removals
from .roster_changes import Body, RosterChanges

Command = Callable[[Body], Awaitable[Body]]
RESERVED_WITHIN_S = 1.0
"""Who does not answer is not waited for: should its token be used first, the roster refuses the second one."""
START_RETRY_S, STOPPING_TRIES = 0.2, 10
ASK_OLDER_EVERY_S = 1.0


class AdminService:
    """Made when the daemon's loop runs; ``start`` opens the P2P service."""

    def __init__(
        self,
        config: Config,
        mesh: Mesh,
        acceptor: Acceptor,
        *,
        node: Node,
        link: DatagramLink,
        log: Log,
        end: Callable[[], None],
        book: EndpointBook | None = None,
        older: Unsealed | None = None,
    ) -> None:
        """``end`` ends the daemon; ``older`` see Keyring. Raises OSError when Corosync's key cannot be read."""
        authkey = AUTHKEY_PATH.read_bytes()
        self.applied = AppliedRoster(config, mesh, acceptor, node=node, link=link, log=log, book=book)
        self.tokens = JoinTokens(self.applied, key_from_text(mesh.private_key))
        self._keyring = Keyring(self.applied, link, self.tokens, authkey, older or Unsealed())
        self.peers = Peers(Caller(mesh.own.name, self._keyring, mesh.own.address), self.applied.addresses)
        self._link = link
        door = Door(self._keyring.of_sender, os.urandom(8).hex(), self._is_known, self._is_older)
        self.server = Server(mesh.own.name, door, self._may_call, log)
        self._changes = RosterChanges(self.applied, self.peers, self.tokens.introductions)
        self._registrations = Registrations(self.applied, self._changes, self.tokens, authkey)
        self._removals = Removals(self.applied, self._changes, self.peers, end, self.tokens.introductions)
        self._moves = EndpointChanges(self.applied, self._changes)
        self.nodelist = NodelistCare(self.applied.reload_corosync, log)
        self.applied.corosync_written = self.nodelist.written
        self.config_changed: Callable[[int | None], Awaitable[Message | None]] | None = None
        """Has the daemon take up config.yml as it is by now, as this revision; what it answers says why it cannot."""
        self._log = log
        own: dict[tuple[str, str], Callable[[str, Body], Awaitable[tuple[int, Body]]]] = {
            ("GET", "/ping"): self._ping,
            ("GET", "/health"): self._ping,
            ("GET", "/info"): self._info,
            ("POST", "/full-config"): self._full_config,
            ("GET", "/reserved"): self._reserved,
        }
        for part in (own, self._changes.routes(), self._registrations.routes(), self._removals.routes()):
            self.server.routes.update(part)

    async def start(self) -> None:
        """Open the service; what an earlier daemon left unfinished goes on. The mesh address may be late."""
        self.applied.tasks.start("corosync's list of nodes", self.nodelist.mind())
        while True:
            try:
                await self.server.start(self.applied.mesh.own.address)
                break
            except OSError as error:
                self._log("warning", what="p2p", message=f"port 7777 on the mesh address: {error.strerror}")
                await asyncio.sleep(START_RETRY_S)
        self._log("p2p-started", address=self.applied.mesh.own.address)
        self.applied.advertise()
        try:
            await self._complete_roster()
            if await self.applied.write_corosync():
                await self.applied.reload_corosync()
            await self.tokens.reopen()
            self._changes.resume()
            self.applied.tasks.start("newcomers", self._changes.mind_newcomers())
            self.applied.tasks.start("mesh endpoint", self._moves.mind())
            self.applied.tasks.start("peers of an older version", self._mind_older())
            await self._removals.resume()
        except (wireguard.WireGuardError, RosterError, RemovalRefused, StoreError, OSError) as error:
            self._log("warning", what="operations", message=str(error))

    async def catch_up(self, node_id: int) -> None:
        """A peer was heard to have a newer roster."""
        peer = next((peer for peer in self.applied.mesh.peers if peer.node_id == node_id), None)
        if peer is not None:
            await self._changes.catch_up(peer.name)

    async def _complete_roster(self) -> None:
        """A roster that was written by hand lacks this node's own key and endpoint; the others have them."""
        acceptor, mesh = self.applied.acceptor, self.applied.mesh
        own = next((one for one in acceptor.current.members if one.node_id == mesh.own.node_id), None)
        if own is None or (own.public_key and own.endpoint):
            return
        public = await asyncio.to_thread(wireguard.public_key_of, mesh.private_key)
        endpoint = own.endpoint
        if not endpoint:
            first = next((peer.endpoint.rpartition(":")[0] for peer in mesh.peers if peer.endpoint), None)
            with suppress(EndpointUnknown):
                endpoint = await asyncio.to_thread(guess_endpoint, mesh.port, first)
        whole = replace(own, public_key=public, endpoint=endpoint)
        members = tuple(whole if one is own else one for one in acceptor.current.members)
        acceptor.current = replace(acceptor.current, members=members)

    async def _mind_older(self) -> None:
        """Ask peers that may have been upgraded, so that the way of before is open no longer than it has to be."""
        while older := self._keyring.older():
            await self.peers.broadcast("/ping", to=[peer.name for peer in older], timeout_s=RESERVED_WITHIN_S)
            await asyncio.sleep(ASK_OLDER_EVERY_S)

    def older(self) -> list[str]:
        """The peers that have yet to be upgraded, as far as requests tell."""
        return [peer.name for peer in self._keyring.older()]

    def close(self) -> None:
        """Shut the service."""
        self.server.close()

    def _is_known(self, address: str) -> bool:
        """Whether it is the address of a member, of one that is leaving, or one that a token promises."""
        leavers = (one.address for one in self.applied.leavers())
        known = {*self.applied.addresses().values(), *leavers, *self.tokens.addresses()}
        return address == self.applied.mesh.own.address or address in known

    def _is_older(self, sender: str) -> bool:
        unsealed = self._link.unsealed
        return bool(unsealed) and any(
            peer.name == sender and peer.node_id in unsealed for peer in self.applied.mesh.peers
        )

    def _may_call(self, sender: str, path: str) -> bool:
        """Holders of tokens may register; who has just left may still say goodbye."""
        if sender.startswith(SENDER_PREFIX):
            return path in TOKEN_PATHS
        return self.applied.roster().named(sender) is not None or path == "/remove-peer"

    # --- P2P ---------------------------------------------------------------------------------------

    async def _ping(self, _sender: str, _body: Body) -> tuple[int, Body]:
        return 200, {"ok": True}

    async def _info(self, _sender: str, _body: Body) -> tuple[int, Body]:
        roster = self.applied.roster()
        return 200, {"cluster": self.applied.config.cluster, "node": self.applied.mesh.own.name, "epoch": roster.epoch}

    async def _reserved(self, _sender: str, _body: Body) -> tuple[int, Body]:
        """The addresses that tokens of this node promise: two nodes must not promise the same one."""
        return 200, {"addresses": self.tokens.reserved()}

    async def _reserved_elsewhere(self) -> list[str]:
        answers = await self.peers.broadcast("/reserved", timeout_s=RESERVED_WITHIN_S)
        found = [answer.body.get("addresses") for answer in answers.values() if answer.ok]
        return [str(address) for addresses in found if isinstance(addresses, list) for address in addresses]

    async def _full_config(self, sender: str, body: Body) -> tuple[int, Body]:
        """The whole of what a member should have, from another member."""
        self._log("full-config-received", by=sender)
        await self.applied.learn(roster_from_json(body["roster"]))
        await self.applied.add_tunnels()
        await self.applied.remove_strangers(self.tokens.introductions())
        is_news = await self.applied.write_corosync()
        shared = body.get("shared")
        not_taken = await self._take_config(shared, body.get("revision")) if isinstance(shared, dict) else None
        if body.get("start"):
            await self.start_or_reload_corosync()
        elif body.get("reload", True) or (is_news and not self._is_in_ring_with(sender)):
            await self.applied.reload_corosync()
        self.applied.advertise()
        taken: Body = {} if not_taken is None else {"not_taken": not_taken.to_json()}
        return 200, {"epoch": self.applied.roster().epoch, **taken}

    def _is_in_ring_with(self, sender: str) -> bool:
        """Whether the sender's reload reaches this node's Corosync: it goes to those in one ring with it."""
        candidates = self.applied.node.candidates
        return candidates.id_of(sender) in candidates.report.members

    async def _take_config(self, shared: Body, revision: object) -> Message | None:
        """Have the same config.yml as the sender, all of its sections, except for the node's own.

        Returns why the running daemon cannot take it up, where it cannot.
        """
        number = revision if isinstance(revision, int) else None  # senders of earlier versions have none
        if await asyncio.to_thread(_replace_shared, shared):
            self._log("config-replaced", sections=sorted(shared))
        elif number is None:
            return None
        return await self.config_changed(number) if self.config_changed is not None else None

    async def start_or_reload_corosync(self) -> None:
        """`propagate`: start Corosync where it does not run, else have it read its file."""
        for _ in range(STOPPING_TRIES):
            if not await asyncio.to_thread(corosync.running):
                self._log("corosync-started", pid=await asyncio.to_thread(corosync.start))
                return
            try:
                await self.applied.reload_corosync()
                return
            except corosync.CorosyncError:  # one that is on its way out is there, and answers nobody
                await asyncio.sleep(START_RETRY_S)
        await self.applied.reload_corosync()

    # --- commands of the control socket ------------------------------------------------------------

    def commands(self) -> dict[str, Command]:
        """Command to function; each answers with a JSON object."""
        commands: dict[str, Command] = {
            "token": self._token,
            "node-remove": self._node_remove,
            "leave": self._leave,
            "propagate": self._propagate,
            "mesh-add-peer": self._add_peer,
            "mesh-endpoint": self._moves.command,
        }
        return {name: _refusing(function) for name, function in commands.items()}

    async def _token(self, body: Body) -> Body:
        ttl_s, wanted, endpoint = body.get("ttl_s", DEFAULT_TTL_S), body.get("ip"), body.get("endpoint")
        fault = fault_of_endpoint(endpoint) if isinstance(endpoint, str) else None
        if fault is not None:
            raise TokenError(fault)
        if not isinstance(ttl_s, int):
            raise TokenError(message("token.damaged"))
        text, issued = await self.tokens.make(
            ttl_s,
            str(wanted) if wanted else None,
            str(endpoint) if endpoint else None,
            await self._reserved_elsewhere(),
        )
        return {"ok": True, "token": text, "address": issued.address, "expires_at_s": issued.expires_at_s}

    async def _node_remove(self, body: Body) -> Body:
        target, force = str(body.get("name")), bool(body.get("force"))
        if body.get("dry_run"):
            removal = await self._removals.plan(target, force=force)
            return {"ok": True, "plan": [line.to_json() for line in removal.plan()]}
        removal = await self._removals.remove(target, force=force)
        return {
            "ok": True,
            "removed": removal.target,
            "propagated": removal.propagated(),
            "partial": removal.partial,
            "warnings": removal_to_json(removal)["warnings"],
        }

    async def _leave(self, body: Body) -> Body:
        propagated, warnings = await self._removals.leave(force=bool(body.get("force")))
        told = [one.to_json() for one in warnings]
        return {"ok": True, "propagated": propagated, "partial": bool(told), "warnings": told}

    async def _propagate(self, body: Body) -> Body:
        timeout_s = body.get("timeout", 10)
        if not isinstance(timeout_s, int | float):
            raise TypeError("timeout must be a number of seconds")
        shared = await asyncio.to_thread(_readable_shared)
        # Who is not reached hears of it in the heartbeats, and fetches what all nodes share of it (shared_config).
        revision = self.applied.node.candidates.next_revision(self.applied.node.revision)
        not_taken: dict[str, Message | str | None] = {}
        not_taken[self.applied.mesh.own.name] = await self.config_changed(revision) if self.config_changed else None
        await self.applied.add_tunnels()
        await self.applied.write_corosync()
        content: Body = {"roster": roster_to_json(self.applied.roster()), "start": True}
        content |= {"shared": shared, "revision": revision}
        answers = await self.peers.broadcast("/full-config", content, timeout_s=timeout_s)
        await self.start_or_reload_corosync()
        done = sum(answer.ok for answer in answers.values())
        not_taken |= {name: from_json(found) for name, one in answers.items() if (found := one.body.get("not_taken"))}
        warnings = not_done(answers)
        warnings += [message("propagate.not-taken", name=name, why=why) for name, why in not_taken.items() if why]
        self._log("propagated", done=done, total=len(answers))
        told = [one.to_json() for one in warnings]
        return {"ok": True, "propagated": f"{done}/{len(answers)}", "partial": bool(told), "warnings": told}

    async def _add_peer(self, body: Body) -> Body:
        return {"ok": True, "name": await self._registrations.by_hand(str(body.get("reply", "")))}


def _replace_shared(shared: Body) -> bool:
    """Write what all nodes share into config.yml; False where it is there already. Raises ConfigError and OSError."""
    present = CONFIG_PATH.read_text(encoding="utf-8")
    text = read_apart(len(present), _with_shared, present, shared)
    if text is None:
        return False
    write_durably(CONFIG_PATH, text, 0o640)
    return True


def _with_shared(present: str, shared: Body) -> str | None:
    if shared_part(present) == shared:
        return None
    text = config_text(shared, node_part(present))
    load_config(CONFIG_PATH, text)  # what this version cannot read is refused, and the present one stays
    return text


def _readable_shared() -> Body:
    """What all nodes share, from config.yml. Raises ConfigError: nobody is sent what nobody can read."""
    text = CONFIG_PATH.read_text(encoding="utf-8")
    return read_apart(len(text), _shared_of, text)


def _shared_of(text: str) -> Body:
    load_config(CONFIG_PATH, text)
    return shared_part(text)


def _refusing(function: Command) -> Command:
    async def command(body: Body) -> Body:
        why: Message | str
        try:
            return await function(body)
        except (RemovalRefused, RosterError, TokenError, RegistrationRefused, EndpointUnknown) as error:
            why = error.why
        except ConfigError as error:
            why = error.why
        except (wireguard.WireGuardError, corosync.CorosyncError, StoreError, OSError) as error:
            why = str(error)
        return {"ok": False, "error": why.to_json() if isinstance(why, Message) else why}

    return command


def authkey_is_there(path: Path = AUTHKEY_PATH) -> bool:
    """Whether the key that everything is signed with can be read."""
    return os.access(path, os.R_OK)
