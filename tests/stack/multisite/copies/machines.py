"""Three machines with a copy each, which talk to each other as a test lets them; databases are real ones."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from harness.stack.multisite.copies import stored
from harness.stack.multisite.copies.copies import Copies, CopiesSettings
from harness.stack.multisite.copies.messages import Answer, Claim, Copy, Files
from harness.stack.multisite.copies.peers import Peer, Peers
from harness.stack.multisite.inventory import stored as inventory
from harness.stack.multisite.inventory import tokens
from harness.stack.multisite.inventory.database import Database, open_database
from harness.stack.multisite.inventory.entries import SiteEntry
from harness.stack.multisite.inventory.errors import DatabaseError, InventoryError
from harness.stack.multisite.inventory.tables import SiteRow

NAMES = ("e1", "e2", "w")
NOWHERE = "192.0.2.1"
"""No machine has it: who leads is the test's to say."""
Passes = Callable[[str, str], bool]
"""Whether a message from one machine reaches another one."""


class Machine:
    """One of them."""

    def __init__(self, name: str, folder: Path, tls: str = "none") -> None:
        urls = {one: f"http://{one}.test" for one in NAMES}
        self.name, self.folder, self.changes = name, folder, 0
        self.database: Database = open_database(f"sqlite:///{folder}/inventory.db")
        self.peers = Peers({}, "")
        settings = CopiesSettings(
            name=name,
            address=NOWHERE,
            key="k" * 32,
            edges={one: urls[one] for one in NAMES[:2]},
            witnesses={NAMES[2]: urls[NAMES[2]]},
            sent=folder / "sent",
            storage=folder / "caddy",
            tls=tls,
        )
        self.copies = Copies(settings, self.database, self._changed, lambda event, **fields: None, peers=self.peers)
        self.database.before_commit = self.copies.carry

    def joined(self, machines: Sequence["Machine"], passes: Passes) -> None:
        """Know the others."""
        self.peers.each = tuple(Reached(self, one, passes) for one in machines if one is not self)

    def lead(self) -> bool:
        """Try to."""
        self.copies._lead(self.standing)
        return self.copies.leads()

    def give(self) -> None:
        """As it does all the time while it leads."""
        wait(self.copies._give(self.standing))

    def adds(self, site: str) -> bool:
        """Whether it is told that this is kept."""
        try:
            with self.database.changing() as session:
                inventory.add(session, SiteEntry(name=site))
        except DatabaseError:
            return False
        return True

    def makes_token(self, name: str) -> str:
        with self.database.changing() as session:
            return tokens.create(session, name, tokens.Role.admin, datetime.now(UTC))[1]

    @property
    def standing(self) -> Any:
        with self.database.reading() as session:
            return stored.standing(session)

    @property
    def sites(self) -> set[str]:
        """What it has."""
        with self.database.reading() as session:
            return {one.name for one in session.query(SiteRow)}

    def _changed(self) -> None:
        self.changes += 1


class Reached(Peer):
    """A machine as another one reaches it: question and answer may each be lost."""

    def __init__(self, origin: Machine, to: Machine, passes: Passes) -> None:
        super().__init__(to.name, "http://nowhere.test", "")
        self._from, self._to, self._passes = origin, to, passes

    def claim(self, claim: Claim) -> Answer | None:
        return self._said(lambda: self._to.copies.claimed(claim))

    def take(self, copy: Copy) -> Answer | None:
        return self._said(lambda: self._to.copies.taken(copy))

    def keep(self, files: Files) -> bool:
        self._to.copies.kept(files)
        return True

    def _said(self, ask: Callable[[], Answer]) -> Answer | None:
        if not self._passes(self._from.name, self._to.name):
            return None
        try:
            answer = ask()
        except (InventoryError, httpx.HTTPError):
            return None
        return answer if self._passes(self._to.name, self._from.name) else None


@contextmanager
def machines(folder: Path, passes: Passes = lambda _from, _to: True, tls: str = "none") -> Iterator[list[Machine]]:
    """All three; nobody leads."""
    found = []
    for name in NAMES:
        (folder / name).mkdir()
        found.append(Machine(name, folder / name, tls))
    for one in found:
        one.joined(found, passes)
    try:
        yield found
    finally:
        for one in found:
            one.peers.close()
            one.database.close()
