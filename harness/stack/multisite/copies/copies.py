"""This machine's copy of the inventory: it leads while it has the address, and keeps what whoever leads gives it."""

import asyncio
import hmac
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy.orm import Session

from ...kit.durable import write_durably
from ...kit.ports import Log
from ..inventory.database import Database
from ..inventory.errors import DatabaseError, InventoryError
from ..inventory.reports import HubSaid
from . import stored
from .certificates import Certificates, Stamp
from .content import Content, bring_in, content_of
from .core import Mark, Standing, Term, majority, next_term
from .messages import Answer, Claim, CopiesState, Copy, Files
from .peers import Peer, Peers

LOOK_EVERY_S, GIVE_EVERY_S, AGAIN_AFTER_S = 0.1, 0.5, 0.3


class NotLeading(DatabaseError):
    """Another machine takes changes; says which."""


@dataclass(frozen=True, slots=True)
class CopiesSettings:
    """``edges`` and ``witnesses`` are all machines with a copy, this one as well: name -> URL of its API."""

    name: str
    address: str
    key: str
    edges: Mapping[str, str]
    witnesses: Mapping[str, str]
    sent: Path
    storage: Path
    tls: str

    @property
    def place(self) -> int:
        """Which of the edges it is."""
        return list(self.edges).index(self.name) if self.is_edge else 0

    @property
    def is_edge(self) -> bool:
        """Whether this machine is an edge; a witness only keeps a copy."""
        return self.name in self.edges


class Sharing(Protocol):
    """What the API and the daemon ask. Called from any thread."""

    def leads(self) -> bool:
        """Whether this machine takes changes."""

    def state(self) -> CopiesState | None:
        """For a person; None where there is one machine only."""

    def claimed(self, claim: Claim) -> Answer:
        """Another machine wants to lead. Raises InventoryError."""

    def taken(self, copy: Copy) -> Answer:
        """The leader has something newer. Raises InventoryError."""

    def kept(self, files: Files) -> None:
        """The leader has certificates. Raises OSError."""

    def knows(self, key: str) -> bool:
        """Whether it is the key of these machines."""

    def may_configure(self) -> bool:
        """Whether the edge can be given a configuration: its certificates are there, or are its own to make."""


class Alone:
    """Of a platform on one machine."""

    def leads(self) -> bool:
        """Always."""
        return True

    def state(self) -> CopiesState | None:
        """None."""
        return None

    def claimed(self, claim: Claim) -> Answer:
        """Nobody can."""
        raise self._alone()

    def taken(self, copy: Copy) -> Answer:
        """Nobody can."""
        raise self._alone()

    def kept(self, files: Files) -> None:
        """Nobody can."""
        raise self._alone()

    def knows(self, key: str) -> bool:
        """There is none."""
        return False

    def may_configure(self) -> bool:
        """At once."""
        return True

    def _alone(self) -> DatabaseError:
        return DatabaseError("this platform is on one machine: its settings have no `copies`")


class Copies:
    """``changed`` is called when the copy became another one, when this machine began to lead, or got certificates.

    ``carry`` is for ``Database.before_commit``: of the daemon, and of commands that write the same database.
    """

    def __init__(
        self,
        settings: CopiesSettings,
        database: Database,
        changed: Callable[[], None],
        log: Log,
        *,
        peers: Peers | None = None,
    ) -> None:
        self._settings, self._database, self._changed, self._log = settings, database, changed, log
        everybody = {**settings.edges, **settings.witnesses}
        self._majority = majority(len(everybody))
        others = {name: url for name, url in everybody.items() if name != settings.name}
        self._peers = peers or Peers(others, settings.key)
        self._certificates = Certificates(settings.storage, settings.tls)
        self._given: dict[str, Stamp] = {}
        self._behind: frozenset[str] = frozenset(one.name for one in self._peers.each)
        self._heard = Term()
        self.own_hub: HubSaid | None = None
        """What the leader is to tell everybody of this machine's."""
        self.hub_heard: Callable[[HubSaid], None] = lambda _said: None
        """Called with what another one says of its own, while this one leads. Raises InventoryError."""
        self._next_s = 0.0
        self._led = False

    # --- as one who leads, or would ------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await asyncio.to_thread(self.once)
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._peers.close()

    def once(self) -> None:
        """Lead, if the address is here; and see that all others have what this one has."""
        try:
            standing = self._standing()
            leads = standing.leads(self._settings.name)
            if leads != self._led:
                self._led = leads
                self._log(
                    "leads" if leads else "follows", term=standing.promised.count, leader=standing.promised.leader
                )
                self._changed()
            if not is_here(self._settings.address) or time.monotonic() < self._next_s:
                return
            if leads:
                self._give(standing)
            else:
                self._lead(standing)
            self._next_s = time.monotonic() + (GIVE_EVERY_S if leads else AGAIN_AFTER_S)
        except InventoryError as error:
            self._log("copies-trouble", message=str(error))
            self._next_s = time.monotonic() + GIVE_EVERY_S

    def carry(self, session: Session) -> None:
        """Give a change to a majority before it is kept here. Raises NotLeading, DatabaseError."""
        standing = stored.standing(session)
        if not standing.leads(self._settings.name):
            raise NotLeading(f"{self._settings.name} takes no changes: {standing.promised.leader or 'nobody'} leads")
        mark = self._next_mark(standing.mark.term, standing.mark.number)
        if not self._given_to_majority(mark, content_of(session)):
            raise DatabaseError(
                "no majority of the machines with a copy has answered: the change is undone, or comes yet"
            )
        stored.marked(session, mark)

    def _lead(self, standing: Standing) -> None:
        """Ask for a term; the newest copy of a majority becomes this one's, and a majority's, in it."""
        own = self._settings.name
        term = next_term((self._heard, standing.promised), own)
        with self._database.writing() as session:
            if not stored.standing_to_change(session).grants(term):
                return
            stored.promise(session, term)
            newest, content = stored.standing(session).mark, content_of(session)
        granted = 1
        for _, answer in self._peers.asked(lambda peer: peer.claim(Claim(term=term))):
            if not answer.agreed or answer.content is None:
                self._heard = max(self._heard, answer.standing.promised)
                continue
            granted += 1
            if answer.standing.mark > newest:
                newest, content = answer.standing.mark, answer.content
            if granted >= self._majority:
                break
        if granted < self._majority:
            return
        mark = self._next_mark(term, newest.number)
        if self._given_to_majority(mark, content):
            with self._database.writing() as session:
                if stored.standing_to_change(session).promised == term:
                    bring_in(session, content)
                    stored.marked(session, mark)

    def _give(self, standing: Standing) -> list["Future[None]"]:
        """See that everybody has the newest, each by himself: who comes back is not to wait for who is gone."""
        return self._peers.started(lambda peer: self._give_to(peer, standing))

    def _give_to(self, peer: Peer, standing: Standing) -> None:
        """Who lacks the newest gets it; who has what was never brought through gets something newer than that."""
        answer = peer.take(Copy(mark=standing.mark))
        if answer is not None and answer.standing.promised > standing.promised:
            self._yield_to(answer.standing.promised)
            return
        if answer is not None and not answer.agreed:
            with self._database.writing() as session:
                if not stored.standing_to_change(session).leads(self._settings.name):
                    return
                if answer.standing.mark > standing.mark:
                    self.carry(session)
                copy = Copy(mark=stored.standing(session).mark, content=content_of(session))
            answer = peer.take(copy)
        if answer is not None and answer.agreed and answer.hub is not None:
            self.hub_heard(answer.hub)
        has = answer is not None and answer.agreed
        self._behind = self._behind - {peer.name} if has else self._behind | {peer.name}
        if has and peer.name in self._settings.edges:
            self._give_certificates(peer)

    def _give_certificates(self, peer: Peer) -> None:
        stamp = self._certificates.stamp() if self._settings.is_edge else frozenset()
        if not stamp or self._given.get(peer.name) == stamp:
            return  # nearly always: they are not read then
        files = self._certificates.read()
        if files and peer.keep(Files(files=files)):
            self._given[peer.name] = stamp
            self._log("certificates-given", to=peer.name, files=len(files))

    def _given_to_majority(self, mark: Mark, content: Content) -> bool:
        copy, have = Copy(mark=mark, content=content), 1
        if have >= self._majority:
            return True
        for _, answer in self._peers.asked(lambda peer: peer.take(copy)):
            have += int(answer.agreed)
            if have >= self._majority:
                return True
        return False

    def _next_mark(self, term: Term, number: int) -> Mark:
        """One that was never used, also not by a change that was undone. Within a transaction that writes, or where
        nobody else can: so no two have the same."""
        path = self._settings.sent
        try:
            used = int(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            used = 0
        mark = Mark(term, max(used, number) + 1)
        try:
            write_durably(path, str(mark.number))
        except OSError as error:
            raise DatabaseError(f"{path}: {error.strerror}") from error
        return mark

    def _yield_to(self, term: Term) -> None:
        self._heard = max(self._heard, term)
        with self._database.writing() as session:
            if stored.standing_to_change(session).grants(term):
                stored.promise(session, term)

    # --- as one of those who keep a copy --------------------------------------------------------------

    def claimed(self, claim: Claim) -> Answer:
        """Another machine wants to lead. Raises InventoryError."""
        with self._database.writing() as session:
            agreed = stored.standing_to_change(session).grants(claim.term)
            if agreed:
                stored.promise(session, claim.term)
            content = content_of(session) if agreed else None
            return Answer(agreed=agreed, standing=stored.standing(session), content=content)

    def taken(self, copy: Copy) -> Answer:
        """The leader has something newer, or asks whether. Raises InventoryError."""
        if copy.content is None:
            standing = self._standing()
            return Answer(agreed=standing.mark == copy.mark, standing=standing, hub=self.own_hub)
        with self._database.writing() as session:
            before = stored.standing_to_change(session)
            agreed = before.takes(copy.mark)
            if agreed and copy.mark > before.mark:
                bring_in(session, copy.content)
                stored.marked(session, copy.mark)
            answer = Answer(agreed=agreed, standing=stored.standing(session))
        if answer.standing.mark != before.mark:
            self._changed()
        return answer

    def kept(self, files: Files) -> None:
        """The leader has certificates. Raises OSError."""
        if self._settings.is_edge and self._certificates.write(files.files):
            self._log("certificates-kept", files=len(files.files))
            self._changed()

    # --- what others ask ------------------------------------------------------------------------------

    def leads(self) -> bool:
        """Whether this machine takes changes."""
        try:
            return self._standing().leads(self._settings.name)
        except InventoryError:
            return False

    def state(self) -> CopiesState | None:
        """For a person. Raises InventoryError."""
        standing, own = self._standing(), self._settings.name
        leads = standing.leads(own)
        return CopiesState(
            name=own,
            leads=leads,
            leader=standing.promised.leader,
            address=self._settings.address,
            behind=sorted(self._behind) if leads else [],
        )

    def knows(self, key: str) -> bool:
        """Whether it is the key of these machines."""
        return hmac.compare_digest(key.encode(), self._settings.key.encode())

    def may_configure(self) -> bool:
        """Whether the edge finds its certificates, or is the one to make them."""
        return self._certificates.are_there() or self.leads()

    def _standing(self) -> Standing:
        with self._database.reading() as session:
            return stored.standing(session)


def is_here(address: str) -> bool:
    """Whether this machine has the address: only then would it speak to it from it."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
        except OSError:
            return False
        return bool(probe.getsockname()[0] == address)
