"""Changing the roster: this node proposes, a majority accepts, and everybody learns (see roster/core.py)."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from ...kit.messages import Message, message
from ..membership.corosync import CorosyncError
from ..mesh.wireguard import WireGuardError
from ..p2p.client import Answer, Peers
from ..roster.core import (
    Accepted,
    Ballot,
    Promise,
    Refusal,
    Roster,
    RosterError,
    ballot_from_json,
    next_ballot,
    roster_from_json,
    roster_to_json,
    unfinished,
)
from ..roster.store import StoreError
from .applied_roster import AppliedRoster

Body = dict[str, object]
ATTEMPTS = 12
ROUND_TIMEOUT_S = 3.0
STRAGGLERS_S = 0.2
"""Once a majority has answered, how long the rest is waited for: one frozen node delays nobody."""
CLOCK_MARGIN_S = 0.02
TEACH_TIMEOUT_S = 0.5
FINISH_AFTER_S, FINISH_STAGGER_S = 3.0, 0.7
TIDY_AFTER_S = 30.0
"""When a node that knows of a change, and was not asked to carry it out, does so by itself."""
NEWCOMER_LOOK_EVERY_S, NEWCOMER_RETRY_S = 0.1, 1.0


@dataclass(frozen=True, slots=True)
class _Refused:
    """A member refused: what it had promised, and the roster it has."""

    promised: Ballot
    roster: Roster


class RosterChanges:
    """Proposes changes of the roster, and answers those of others. One proposal of this node at a time."""

    def __init__(self, applied: AppliedRoster, peers: Peers, introductions: Callable[[], frozenset[str]]) -> None:
        """``introductions()``: keys that belong into the tunnel though they are no member's."""
        self._applied, self._peers, self._introductions = applied, peers, introductions
        self._proposing = asyncio.Lock()
        self._catching_up = False

    def routes(self) -> dict[tuple[str, str], Callable[[str, Body], Awaitable[tuple[int, Body]]]]:
        """What the other daemons may ask."""
        return {
            ("POST", "/roster-prepare"): self._prepare,
            ("POST", "/roster-accept"): self._accept,
            ("POST", "/roster-learn"): self._learn,
            ("GET", "/state"): self._state,
        }

    # --- as a member -------------------------------------------------------------------------------

    async def _prepare(self, _sender: str, body: Body) -> tuple[int, Body]:
        epoch, ballot = _whole(body["epoch"]), ballot_from_json(body["ballot"])
        return 200, await self._prepare_here(epoch, ballot)

    async def _prepare_here(self, epoch: int, ballot: Ballot) -> Body:
        acceptor = self._applied.acceptor
        found = acceptor.prepare(epoch, ballot)
        if isinstance(found, Refusal):
            return self._refused(found)
        await self._applied.stored()
        accepted = found.accepted
        return {"accepted": [list(accepted.ballot), roster_to_json(accepted.roster)] if accepted else None}

    async def _accept(self, _sender: str, body: Body) -> tuple[int, Body]:
        epoch, ballot = _whole(body["epoch"]), ballot_from_json(body["ballot"])
        return 200, await self._accept_here(epoch, ballot, roster_from_json(body["roster"]))

    async def _accept_here(self, epoch: int, ballot: Ballot, roster: Roster) -> Body:
        refusal = self._applied.acceptor.accept(epoch, ballot, roster)
        if refusal is not None:
            return self._refused(refusal)
        await self._applied.stored()
        self._finish_later()
        return {}

    async def _learn(self, _sender: str, body: Body) -> tuple[int, Body]:
        roster = roster_from_json(body["roster"])
        self._still_in(roster)
        if await self._applied.learn(roster, ballot_from_json(body["ballot"])):
            self._tidy_later(roster.epoch)
        return 200, {}

    def _refused(self, refusal: Refusal) -> Body:
        return {"promised": list(refusal.promised), "roster": roster_to_json(self._applied.acceptor.current)}

    async def _state(self, _sender: str, _body: Body) -> tuple[int, Body]:
        return 200, {"roster": roster_to_json(self._applied.acceptor.current)}

    # --- as a proposer -----------------------------------------------------------------------------

    async def change(self, make: Callable[[Roster], Roster]) -> Roster:
        """Have the next roster decided, and known here. ``make`` gives it from the present one, or that one unchanged.

        Whatever somebody left unfinished is finished first. Raises RosterError (also what ``make`` raises).
        """
        async with self._proposing:
            seen: Ballot = (0, 0)
            for attempt in range(ATTEMPTS):
                base = self._applied.roster()
                wanted = make(base)
                if wanted is base:
                    return base
                decided, seen = await self._ballot(base, wanted, seen)
                if decided is not None:
                    await self._teach(decided, seen)
                    if decided == wanted:
                        return decided
                    self._applied.log("roster-change-finished", epoch=decided.epoch, cause=decided.cause)
                    await self.spread()
                    continue
                await asyncio.sleep(int.from_bytes(os.urandom(1)) / 255 * 0.05 * (attempt + 1))
            raise RosterError(message("roster.contended"))

    async def _teach(self, decided: Roster, ballot: Ballot) -> None:
        """Have everybody vote in the decided roster, before anything else follows from it."""
        await self._applied.learn(decided, ballot)
        body: Body = {"roster": roster_to_json(decided), "ballot": list(ballot)}
        await self._peers.broadcast("/roster-learn", body, timeout_s=TEACH_TIMEOUT_S)

    # --- what others left unfinished ---------------------------------------------------------------

    def resume(self) -> None:
        """After a start of the daemon: what an earlier one had accepted may still be neither decided nor not."""
        if self._applied.acceptor.accepted is not None:
            self._finish_later()

    def _finish_later(self) -> None:
        """Who proposed it may be dead by then: a roster that is neither decided nor not keeps the lease from moving."""
        own_id = self._applied.mesh.own.node_id
        rank = sum(one.node_id < own_id for one in self._applied.roster().members)
        delay_s = FINISH_AFTER_S + rank * FINISH_STAGGER_S
        accepted = self._applied.acceptor.accepted
        what = "unfinished change of the roster"
        self._applied.tasks.start_later(delay_s, what, lambda: self._finish(accepted))

    async def _finish(self, left: Accepted | None) -> None:
        """Finish what was accepted then. What was accepted since then has a proposer that may still be at it."""
        acceptor = self._applied.acceptor
        if self._proposing.locked():
            return
        async with self._proposing:
            base, accepted = acceptor.current, acceptor.accepted
            if accepted is None or accepted != left:
                return
            try:
                decided, ballot = await self._ballot(base, accepted.roster, (0, 0))
                if decided is None:
                    self._finish_later()
                    return
                await self._teach(decided, ballot)
                self._applied.log("roster-change-finished", epoch=decided.epoch, cause=decided.cause)
                await self._tidy(decided.epoch)
                await self.spread()
            except (RosterError, WireGuardError, CorosyncError, StoreError, OSError) as error:
                self._applied.log("warning", what="unfinished change of the roster", message=str(error))
                self._finish_later()

    def _tidy_later(self, epoch: int) -> None:
        self._applied.tasks.start_later(TIDY_AFTER_S, "following the roster", lambda: self._tidy(epoch))

    async def _tidy(self, epoch: int) -> None:
        """Bring tunnel and Corosync in line with a roster that was learned, should nobody have asked for it yet.

        A newer one may be about a node that is still saying goodbye: then all of it waits as long again.
        """
        if (present := self._applied.roster().epoch) != epoch:
            self._tidy_later(present)
            return
        try:
            await self._applied.follow()
            await self._applied.remove_strangers(self._introductions())
        except (WireGuardError, CorosyncError, OSError) as error:
            self._applied.log("warning", what="following the roster", message=str(error))
            self._tidy_later(epoch)

    async def _ballot(self, base: Roster, wanted: Roster, seen: Ballot) -> tuple[Roster | None, Ballot]:
        """One ballot: the roster it decided and the ballot; or None (somebody else was ahead), and the highest seen."""
        acceptor = self._applied.acceptor
        ballot = next_ballot(self._applied.mesh.own.node_id, acceptor.promised, seen)
        epoch = base.epoch + 1
        asked: Body = {"epoch": epoch, "ballot": list(ballot)}
        own = await self._prepare_here(epoch, ballot)
        answers = await self._round(base, "/roster-prepare", asked, own)
        promises, refused = _sorted_out(answers)
        newer = await self._behind(refused)
        highest = max([ballot, *(one.promised for one in refused)])
        if newer or not base.is_majority(promises):
            if not newer and not refused:
                raise RosterError(_no_majority(base, promises))
            return None, highest
        roster = unfinished(promises.values()) or wanted
        own = await self._accept_here(epoch, ballot, roster)
        answers = await self._round(base, "/roster-accept", {**asked, "roster": roster_to_json(roster)}, own)
        accepted, refused = _sorted_out(answers)
        await self._behind(refused)
        if not base.is_majority(accepted):
            return None, max([highest, *(one.promised for one in refused)])
        # (C4): leases that were granted under the old roster alone have run out by then.
        await asyncio.sleep(self._applied.config.profile.promise_s + CLOCK_MARGIN_S)
        return roster, ballot

    async def _round(self, base: Roster, path: str, body: Body, own: Body) -> dict[int, Body]:
        """Ask all members; return when all have answered, or shortly after a majority has."""
        own_id = self._applied.mesh.own.node_id
        found: dict[int, Body] = {own_id: own}
        asking = {
            asyncio.create_task(self._peers.call(member.name, path, body, timeout_s=ROUND_TIMEOUT_S)): member.node_id
            for member in base.members
            if member.node_id != own_id
        }
        waiting = set(asking)
        while waiting:
            enough = base.is_majority(node for node, answer in found.items() if "promised" not in answer)
            timeout_s = STRAGGLERS_S if enough else None
            done, waiting = await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            found |= {asking[task]: task.result().body for task in done if task.result().ok}
            if not done:
                break
        for task in waiting:
            task.cancel()
        return found

    async def _behind(self, refused: Iterable[_Refused]) -> bool:
        """Whether a refusal brought a newer roster; it is learned."""
        news = [one.roster for one in refused]
        newest = max(news, key=lambda one: one.epoch, default=None)
        if newest is None or newest.epoch <= self._applied.roster().epoch:
            return False
        self._still_in(newest)
        await self._applied.learn(newest)
        await self._applied.follow()
        return True

    def _still_in(self, roster: Roster) -> None:
        if self._applied.mesh.own.node_id not in roster.votes():
            raise RosterError(message("roster.removed", name=self._applied.mesh.own.name))

    async def spread(self, **more: object) -> dict[str, Answer]:
        """Tell all peers the present roster: each brings itself in line. What each answered, by name."""
        return await self._peers.broadcast("/full-config", {"roster": roster_to_json(self._applied.roster()), **more})

    # --- newcomers ---------------------------------------------------------------------------------

    async def mind_newcomers(self) -> None:
        """Let newcomers vote as soon as they are up: the leader sees to it, whoever that is by then."""
        while True:
            await self._applied.has_newcomers.wait()
            node = self._applied.node.status()
            up = {peer.name for peer in node.peers if peer.alive and peer.ready and peer.node_id in node.members}
            newcomer = next((one for one in self._applied.roster().newcomers() if one.name in up), None)
            if newcomer is not None and node.quorate and node.leader == node.node_id:
                await self._let_vote(newcomer.name)
            await asyncio.sleep(NEWCOMER_LOOK_EVERY_S)

    async def _let_vote(self, name: str) -> None:
        def make(base: Roster) -> Roster:
            return base.with_voter(name) if any(one.name == name for one in base.newcomers()) else base

        try:
            await self.change(make)
            await self.spread(reload=False)
            await self._applied.write_corosync()
            await self._applied.reload_corosync()
            self._applied.advertise()
            self._applied.log("newcomer-votes", name=name)
        except (RosterError, StoreError, CorosyncError, OSError) as error:
            self._applied.log("warning", what=f"{name} may not vote yet", message=str(error))
            await asyncio.sleep(NEWCOMER_RETRY_S)

    # --- who was away ------------------------------------------------------------------------------

    async def catch_up(self, name: str) -> None:
        """A peer was heard to have a newer roster: take it from there."""
        if self._catching_up:
            return
        self._catching_up = True
        try:
            answer = await self._peers.call(name, "/state", timeout_s=ROUND_TIMEOUT_S)
            if answer.ok:
                roster = roster_from_json(answer.body["roster"])
                self._still_in(roster)
                before = {one.public_key for one in self._applied.roster().members}
                await self._applied.learn(roster)
                # Who has left without this node's having heard of it before; a leaver may be saying goodbye just now.
                for key in before - {one.public_key for one in roster.members}:
                    await self._applied.remove_tunnel(key)
                self._tidy_later(self._applied.roster().epoch)  # rosters before may have been learned and not followed
                await self._applied.follow()
        except (ValueError, KeyError, OSError, RosterError, WireGuardError, CorosyncError, StoreError) as error:
            self._applied.log("warning", what="catching up", message=f"{name}: {error}")
        finally:
            self._catching_up = False


def _sorted_out(answers: dict[int, Body]) -> tuple[dict[int, Promise], list[_Refused]]:
    promises: dict[int, Promise] = {}
    refused: list[_Refused] = []
    for node, body in answers.items():
        try:
            if "promised" in body:
                refused.append(_refusal(body))
            else:
                promises[node] = _promise(body)
        except (ValueError, KeyError, TypeError, IndexError):
            continue  # an answer that makes no sense is none
    return promises, refused


def _refusal(body: Body) -> _Refused:
    return _Refused(ballot_from_json(body["promised"]), roster_from_json(body["roster"]))


def _promise(body: Body) -> Promise:
    match body.get("accepted"):
        case None:
            return Promise(None)
        case [ballot, roster]:
            return Promise(Accepted(ballot_from_json(ballot), roster_from_json(roster)))
    raise ValueError("not a promise")


def _no_majority(base: Roster, promises: dict[int, Promise]) -> Message:
    silent = ", ".join(one.name for one in base.members if one.node_id not in promises)
    return message("roster.no-majority", have=len(promises), of=len(base.members), silent=silent)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("not a whole number")
    return value
