"""The daemon's work: looks at the host, mends, tells, and does what it is asked; all of it in one loop."""

import asyncio
import contextlib
import secrets
import socket
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ...kit.ports import Log
from ...kit.tasks import Tasks
from .. import VERSION
from ..autonomy.core import Act, Decision, Level, decide
from ..incidents.catalogue import BY_NAME, EVERY
from ..incidents.core import engine
from ..incidents.core.engine import Ended, Key, Known, Todo
from ..incidents.core.facts import Facts
from ..incidents.gather import Gatherer
from ..incidents.remedies import Remedies
from ..mapping.ports import PortFailed
from ..moves.guarded import InUse
from ..moves.journal import JournalDamaged
from ..moves.progress import Progress
from ..moves.running import new_identity
from ..places import Places
from ..preflight.core import Result, Risk
from .audit import ITSELF, AuditLog
from .core.alerts import Alerts, Notice, Silence, step, untold
from .core.requests import Request, State, after_a_restart, answered, expired, moved
from .core.telling import alerts_of
from .doing import do, looked_at, was_begun
from .migrating import Migrating
from .receivers import tell
from .settings import Settings
from .stored import Store
from .tokens import Bearer, Tokens

if TYPE_CHECKING:
    from .peering import Peering
    from .snapshotting import Snapshotting
    from .tiering import Tiering

FAILURES = (PortFailed, InUse, JournalDamaged, OSError)
LOOK_WITHIN_S = 60.0


class Autonomy:
    """Everything is changed in the loop that it was made in; what may block is done in threads."""

    def __init__(self, places: Places, settings: Settings, log: Log) -> None:
        self.places, self.settings, self.log = places, settings, log
        folder = places.state / "daemon"
        self.audit, self.store, self.tokens = (
            AuditLog(folder),
            Store(folder / "state.json"),
            Tokens(folder / "tokens.json"),
        )
        self.node, self.began_s = socket.gethostname(), time.monotonic()
        self.facts: Facts | None = None
        self.looked_at_s, self.look_took_s, self.looks = 0.0, 0.0, 0
        self.troubles: tuple[str, ...] = ()
        self.worries: tuple[str, ...] = ()
        """Of failover."""
        self.doubts: tuple[str, ...] = ()
        """Of peers."""
        self.peering: Peering | None = None
        self.snapshotting: Snapshotting | None = None
        self.tiering: Tiering | None = None
        self.migrating = Migrating(places, self.audit, lambda: self.name)
        self.known: Known = {}
        self.ended: list[tuple[float, Ended]] = []
        self.cured: Counter[tuple[str, bool]] = Counter()
        self.remedies: Counter[str] = Counter()
        self.firing: Alerts = {}
        self.progress: dict[str, Progress] = {}
        self._gatherer, self._remedies = Gatherer(places), Remedies(places)
        self._tasks = Tasks(log)
        self._poked = asyncio.Event()

    @property
    def name(self) -> str:
        """As other hosts call this one."""
        return self.settings.cluster.name if self.settings.cluster else self.node

    # --- who is allowed what ------------------------------------------------------------------------------------

    @property
    def level(self) -> Level:
        """What was set last, else what the settings say."""
        return self.settings.level if self.store.state.level is None else self.store.state.level

    def set_level(self, level: Level, who: Bearer, why: str) -> None:
        """From now on, also after a restart. Raises OSError."""
        self.audit.write(who.name, "set level", why, before=int(self.level), after=int(level))
        self.store.change(level=level)
        self.poke()

    def decided(self, act: Act, result: Result | None = None, *, approved: bool = False) -> Decision:
        """Asked before everything that is done."""
        risk = Risk.LOW if result is None else result.risk
        reasons = () if result is None else tuple(f"{one.seen} ({one.remedy})" for one in result.worst)
        return decide(self.level, act, risk, reasons, approved=approved)

    # --- what was asked for -------------------------------------------------------------------------------------

    async def ask(self, act: Act, arguments: Mapping[str, str], who: str) -> Request:
        """A request in its first state: ready (and begun), waiting for a person, or blocked. Raises OSError."""
        result = await asyncio.to_thread(looked_at, self.places, arguments) if act is Act.MOVE else None
        decision = self.decided(act, result)
        states = {"allowed": State.READY, "needs approval": State.WAITING, "blocked": State.BLOCKED}
        one = Request(
            id=new_identity(),
            act=act.value,
            arguments=dict(arguments),
            asked_by=who,
            asked_at_s=time.time(),
            state=states[decision.verdict],
            risk="low" if result is None else result.risk.value,
            reasons=decision.reasons,
            outcome="; ".join(decision.reasons) if decision.verdict == "blocked" else "",
        )
        self.audit.write(
            who, f"asked: {act.value}", request=one.id, arguments=dict(arguments), verdict=decision.verdict
        )
        self._keep(one)
        self._begin(one)
        return one

    def answer(self, identity: str, word: str, who: Bearer, why: str) -> Request:
        """Approve or refuse. Raises KeyError, NotNow, OSError."""
        before = self.store.state.requests.by_id[identity]
        if expired(before, time.time()):
            self._keep(moved(before, "expire", outcome="nobody answered in time"))
            before = self.store.state.requests.by_id[identity]
        one = answered(before, word, who.name, time.time(), why)
        self.audit.write(
            who.name, {"approve": "approved", "refuse": "refused"}[word], why, request=identity, act=one.act
        )
        self._keep(one)
        self._begin(one)
        return one

    def _keep(self, one: Request) -> None:
        self.store.change(requests=self.store.state.requests.put(one))

    def _begin(self, one: Request) -> None:
        if one.state is State.READY:
            self._tasks.start(f"request {one.id}", self._perform(one))

    def resume(self) -> None:
        """After a restart: what ran is begun again."""
        for one in tuple(self.store.state.requests.by_id.values()):
            again = after_a_restart(one)
            if again is not one:
                self.audit.write(ITSELF, "resumed", request=one.id, act=one.act)
                self._keep(again)
            self._begin(again)

    async def _perform(self, one: Request) -> None:
        """A move that has a journal was allowed when that was begun: half done, it is finished in any case."""
        act = Act(one.act)
        if not (act is Act.MOVE and was_begun(self.places, one.id)):
            try:
                result = await asyncio.to_thread(looked_at, self.places, one.arguments) if act is Act.MOVE else None
            except OSError as error:
                self._keep(moved(one, "block", outcome=f"preflight cannot look: {error}"))
                return
            decision = self.decided(act, result, approved=one.approved)
            if decision.verdict != "allowed":
                word = "block" if decision.verdict == "blocked" else "ask"
                self.audit.write(ITSELF, f"not begun: {decision.verdict}", "; ".join(decision.reasons), request=one.id)
                asked = replace(moved(one, word, outcome="; ".join(decision.reasons)), reasons=decision.reasons)
                self._keep(replace(asked, decided_by="") if word == "ask" else asked)
                return
        key = (one.arguments.get("incident", ""), one.arguments.get("subject", ""))
        if key[0]:
            if key not in self.known:
                self._keep(moved(one, "block", outcome="it is over by itself"))
                return
            self.known = engine.begun(self.known, key, time.time())
        self.audit.write(ITSELF, f"begins: {one.act}", request=one.id)
        one = moved(one, "begin")
        self._keep(one)
        word, said = await self._done(act, one)
        self.audit.write(ITSELF, f"{word}: {one.act}", said, request=one.id)
        self._keep(moved(one, word, outcome=said))
        self.known = engine.answered(self.known, key, said)
        self.progress.pop(one.id, None)
        self.poke()

    async def _done(self, act: Act, one: Request) -> tuple[str, str]:
        def report(progress: Progress) -> None:
            self.progress[one.id] = progress

        try:
            return "done", await asyncio.to_thread(do, self.places, act, one.arguments, one.id, report)
        except FAILURES as error:
            return "failed", str(error)

    # --- looking and mending ------------------------------------------------------------------------------------

    def poke(self) -> None:
        """Look now."""
        self._poked.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        await self.look()
        self.resume()
        while True:
            self._poked.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._poked.wait(), self.settings.every_s)
            await self.look()

    async def look(self) -> None:
        """Once: what there is, what is to be done about it, whom to tell."""
        began_s = time.monotonic()
        try:
            facts = await asyncio.wait_for(asyncio.to_thread(self._gatherer.look), LOOK_WITHIN_S)
        except (PortFailed, OSError, TimeoutError) as error:
            self.troubles = (str(error) or f"looking took longer than {LOOK_WITHIN_S:g} s",)
        else:
            self.facts, self.troubles = facts, ()
            self.looked_at_s, self.look_took_s, self.looks = time.time(), time.monotonic() - began_s, self.looks + 1
            self.known, todo, ended = engine.step(self.known, facts, time.time(), self.level, catalogue=EVERY)
            for one in todo:
                await self._take_up(one)
            for over in ended:
                self._over(over)
        try:
            await asyncio.to_thread(self.migrating.look, self.level)
        except (PortFailed, OSError) as error:
            self.log("migrations", error=str(error))
        self._expire()
        await self._tell()

    async def _take_up(self, one: Todo) -> None:
        incident, case = BY_NAME[one.case.incident], one.case
        arguments = {
            "incident": case.incident,
            "subject": case.subject,
            "remedy": str(incident.remedy),
            "seen": case.seen,
        }
        if one.ask:
            waiting = [each for each in self.store.state.requests.by_id.values() if each.state is State.WAITING]
            if not any(each.arguments.get("subject") == case.subject for each in waiting):
                await self.ask(incident.act, arguments, ITSELF)
            return
        self.audit.write(ITSELF, f"mends: {incident.name}", case.seen, subject=case.subject, remedy=incident.remedy)
        self.remedies[incident.name] += 1
        self._tasks.start(f"mend {case.subject}", self._mend(case.key))

    async def _mend(self, key: Key) -> None:
        remedy = BY_NAME[key[0]].remedy
        assert remedy is not None
        try:
            if self.snapshotting is not None and BY_NAME[key[0]].act is Act.MEND:
                await self.snapshotting.before(key[1])
            said = await asyncio.to_thread(self._remedies.perform, remedy, key[1])
        except FAILURES as error:
            said = f"failed: {error}"
        self.log("mended", incident=key[0], subject=key[1], said=said)
        self.known = engine.answered(self.known, key, said)
        self.poke()

    def _over(self, over: Ended) -> None:
        case = over.watched.case
        if over.watched.tries:
            what = "cured" if over.cured else "over, not proven"
            self.audit.write(ITSELF, f"{what}: {case.incident}", over.watched.said, subject=case.subject)
            self.cured[case.incident, over.cured] += 1
        self.ended = [*self.ended, (time.time(), over)][-200:]

    def _expire(self) -> None:
        for one in tuple(self.store.state.requests.by_id.values()):
            if expired(one, time.time()):
                self.audit.write(ITSELF, "expired", request=one.id)
                self._keep(moved(one, "expire", outcome="nobody answered in time"))

    # --- telling ------------------------------------------------------------------------------------------------

    async def _tell(self) -> None:
        alerts = alerts_of(
            self.known, BY_NAME, self.store.state.requests.by_id.values(), (*self.troubles, *self.worries, *self.doubts)
        )
        if self.snapshotting is not None:
            alerts += self.snapshotting.alerts()
        routes = self.settings.routes if self.decided(Act.ALERT).verdict == "allowed" else ()
        self.firing, notices = step(self.firing, alerts, time.time(), routes, self.store.state.silences)
        for notice in notices:
            self._tasks.start(f"tell {notice.to}", self._told(notice))

    async def _told(self, notice: Notice) -> None:
        try:
            await asyncio.to_thread(tell, notice, self.node, self.log)
        except OSError as error:
            self.log("not told", to=notice.to, alert=notice.alert.name, error=str(error))
            self.firing = untold(self.firing, notice)

    def silence(self, who: Bearer, name: str, subject: str, for_s: float, why: str) -> Silence:
        """Tell nobody of it for a while. Raises OSError."""
        one = Silence(secrets.token_hex(4), name, subject, time.time() + for_s, who.name, why)
        self.audit.write(who.name, "silenced", why, name=name, subject=subject, for_s=for_s, silence=one.id)
        lasting = [each for each in self.store.state.silences if each.until_s > time.time()]
        self.store.change(silences=(*lasting, one))
        return one

    def unsilence(self, who: Bearer, identity: str) -> None:
        """Raises KeyError, OSError."""
        kept = tuple(one for one in self.store.state.silences if one.id != identity)
        if len(kept) == len(self.store.state.silences):
            raise KeyError(identity)
        self.audit.write(who.name, "ended a silence", silence=identity)
        self.store.change(silences=kept)

    @property
    def version(self) -> str:
        """Of the program."""
        return VERSION
