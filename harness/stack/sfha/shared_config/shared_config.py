"""The part of config.yml that all nodes have alike (VIPs, services, checks, constraints), changed while they run.

The leader makes every change: it writes its config.yml, takes it up, and tells the others. Another node asks the leader
and changes nothing by itself. Changes are counted (the revision, in every heartbeat): who missed one fetches it.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Protocol, TypeVar

from ...kit.durable import write_durably
from ...kit.messages import Message, message
from ...kit.ports import Log
from ..config import vip_settings
from ..config.load import CONFIG_PATH, Config, ConfigError, ReloadRefused, load_config
from ..config.networks import vip_inside
from ..config.own_process import read_apart
from ..config.text import TextError, sections_of, with_sections
from ..node.node import Node

REVISION_PATH = Path("/var/lib/sfha/resources.json")
SHARED = ("vips", "services", "health_checks", "constraints")
TOLD_WITHIN_S = 4.0
MADE_WITHIN_S = 15.0
"""A leader asks all, then tells all, then looks whether the address came up."""
REACHED_WITHIN_S = 2.0
ACTIVE_WITHIN_S = 1.0
LOOK_EVERY_S = 0.01
CATCH_UP_AFTER_S = 0.5
CATCH_UP_AGAIN_S = 5.0
REFUSED = 409
"""The HTTP status of a peer that was reached and says no (RFC 9110, section 15.5.10)."""

Body = dict[str, object]
Read = TypeVar("Read")


class AnswerLike(Protocol):
    """What a peer answered; ``error`` is None when it did what it was asked for."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> Body: ...
    @property
    def error(self) -> Message | str | None: ...


class PeersLike(Protocol):
    """The other daemons by name (p2p/client.py)."""

    async def call(
        self, name: str, path: str, body: Mapping[str, object] | None = None, *, timeout_s: float = ...
    ) -> AnswerLike: ...

    async def broadcast(
        self, path: str, body: Mapping[str, object] | None = None, *, timeout_s: float = ...
    ) -> Mapping[str, AnswerLike]: ...


class ChangeRefused(Exception):
    """Nothing was changed; the message says why."""

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Changed:
    """A config.yml to be written, and what it says."""

    text: str
    config: Config


@dataclass(frozen=True, slots=True)
class Change:
    """Add ``item`` to the section ``key``, or remove what is called ``name`` from it.

    With ``sets``, ``item`` is settings of what is there. An earlier daemon refuses that: it exists already.
    """

    key: str
    name: str
    item: Mapping[str, object] | None
    sets: bool = False

    def to_json(self) -> Body:
        """For the way to the leader."""
        body: Body = {"key": self.key, "name": self.name, "item": self.item}
        return body | {"sets": True} if self.sets else body

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> "Change":
        """Raises ValueError for anything else."""
        match body:
            case {"sets": True, "key": "vips", "name": str(name), "item": dict(item)}:
                return cls("vips", name, item, sets=True)
            case {"sets": True}:
                pass
            case {"key": "vips" | "services" as key, "name": str(name), "item": dict() | None as item}:
                return cls(key, name, item)
        raise ValueError("not a change of VIPs or services")

    def of(self, sections: Mapping[str, list[object]]) -> dict[str, list[object]]:
        """The sections after the change. Raises ChangeRefused."""
        items = [item for item in sections[self.key] if isinstance(item, dict)]
        kind = message("resources.word.vip" if self.key == "vips" else "resources.word.service")
        # By name, or by exactly the address: 10.0.0.25 is not 10.0.0.250.
        same = [item for item in items if self.name in (item.get("name"), str(item.get("ip", "")).partition("/")[0])]
        if self.item is not None and not self.sets:
            if same:
                raise ChangeRefused(message("resources.exists", kind=kind, name=self.name))
            return {**sections, self.key: [*items, dict(self.item)]}
        if not same:
            known = ", ".join(str(item.get("name")) for item in items) or "-"
            raise ChangeRefused(message("resources.unknown", kind=kind, name=self.name, known=known))
        if self.sets:
            return {**sections, self.key: [self._set_in(item) if item in same else item for item in items]}
        return {**sections, self.key: [item for item in items if item not in same]}

    def _set_in(self, item: Mapping[str, object]) -> Mapping[str, object]:
        assert self.item is not None
        for name in self.item:
            if name not in vip_settings.NAMES:
                raise ChangeRefused(message("resources.no-setting", name=name, known=", ".join(vip_settings.NAMES)))
        return {**item, **self.item}


class SharedConfig:
    """The shared part of this node's configuration; one change at a time."""

    def __init__(
        self,
        node: Node,
        peers: PeersLike,
        log: Log,
        *,
        path: Path = CONFIG_PATH,
        revision_path: Path = REVISION_PATH,
        mesh_network: IPv4Network | None = None,
    ) -> None:
        self._node, self._peers, self._log = node, peers, log
        self._path, self._revision_path, self._mesh_network = path, revision_path, mesh_network
        self._lock = asyncio.Lock()
        self.catching_up = False
        with suppress(OSError, ValueError, KeyError, TypeError):
            node.revision = int(json.loads(revision_path.read_text())["revision"])

    # --- changing ---

    async def change(self, change: Change) -> Body:
        """Have the change made, here where this node leads, else by the leader. Raises ChangeRefused."""
        leader = self._node.candidates.leader_name
        if leader is None:
            raise ChangeRefused(message("resources.no-leader"))
        if leader == self._node.name:
            return await self._make(change)
        reached = await self._peers.call(leader, "/ping", timeout_s=REACHED_WITHIN_S)
        if reached.error is not None:
            raise ChangeRefused(message("resources.leader-not-reached", leader=leader, why=reached.error))
        answer = await self._peers.call(leader, "/forward-vip-change", change.to_json(), timeout_s=MADE_WITHIN_S)
        if answer.error is not None:
            why = answer.body.get("why")
            if isinstance(why, dict):
                raise ChangeRefused(_refusal(leader, why))
            raise ChangeRefused(message("resources.leader-lost", leader=leader, why=answer.error))
        with suppress(ChangeRefused):  # the leader has told us already, unless that way was lost
            await self.take(answer.body)
        return answer.body

    async def _make(self, change: Change) -> Body:
        async with self._lock:
            text = await self._read()
            sections = change.of(await _read_from(text, sections_of, text, SHARED))
            config = await self._changed(text, sections)
            await self._have_checked(config, sections)
            revision = self._node.candidates.next_revision(self._node.revision)
            await self._save(config, text, revision)
            self._log("shared-config-changed", section=change.key, name=change.name, revision=revision)
            body: Body = {"revision": revision, "sections": sections}
            answers = await self._peers.broadcast("/vip-sync", body, timeout_s=TOLD_WITHIN_S)
            nodes: dict[str, object] = {}
            for name, answer in answers.items():
                error = answer.error
                nodes[name] = error.to_json() if isinstance(error, Message) else error
                if error is not None:
                    self._log("shared-config-not-told", to=name, error=str(error), revision=revision)
            return {**body, "ok": True, "nodes": nodes, "inactive": await self._inactive(change)}

    async def _have_checked(self, changed: Changed, sections: Mapping[str, list[object]]) -> None:
        """Every node that can be reached must be able to take it; who cannot be reached is told later."""
        self.check_vips(changed.config)
        answers = await self._peers.broadcast("/vip-check", {"sections": sections}, timeout_s=TOLD_WITHIN_S)
        for name, answer in answers.items():
            if answer.status == REFUSED:
                raise ChangeRefused(message("resources.node-refused", node=name, why=answer.error))

    async def would_take(self, body: Mapping[str, object]) -> None:
        """Whether this node could take these sections up. Raises ChangeRefused and ValueError."""
        sections = body.get("sections")
        if not isinstance(sections, dict) or not all(isinstance(sections.get(key), list) for key in SHARED):
            raise ValueError("a section is missing")
        text = await self._read()
        self.check_vips((await self._changed(text, {key: sections[key] for key in SHARED})).config)

    def check_vips(self, config: Config) -> None:
        """Raises ChangeRefused where an address is this node's own, or one that the mesh gives to its members."""
        inside = vip_inside(self._mesh_network, config.vips) if self._mesh_network is not None else None
        if inside is not None:
            about = {"address": inside.address, "network": str(self._mesh_network)}
            raise ChangeRefused(message("resources.vip-in-mesh", name=inside.name, **about))
        try:
            self._node.refuse_foreign(config)
        except ReloadRefused as error:
            raise ChangeRefused(message("resources.refused", why=error.why)) from error

    async def _inactive(self, change: Change) -> object:
        """Why a VIP that was added is not active, in the kernel's words; None when it is."""
        if change.key != "vips" or change.item is None or change.sets:
            return None
        end_s = asyncio.get_running_loop().time() + ACTIVE_WITHIN_S
        while asyncio.get_running_loop().time() < end_s:
            found = next((one for one in self._node.status().vips if one.name == change.name), None)
            if found is None or found.held:
                return None
            if found.error is not None:
                return found.error
            await asyncio.sleep(LOOK_EVERY_S)
        return message("resources.not-in-time", seconds=ACTIVE_WITHIN_S).to_json()

    async def take(self, body: Mapping[str, object]) -> bool:
        """Take up what another node has, where it is newer; False where it is not. Raises ChangeRefused."""
        match body:
            case {"revision": int(revision), "sections": dict(sections)}:
                pass
            case _:
                raise ValueError("no revision or no sections")
        if not all(isinstance(sections.get(key), list) for key in SHARED):
            raise ValueError("a section is missing")
        async with self._lock:
            if revision <= self._node.revision:
                return False
            text = await self._read()
            await self._save(await self._changed(text, {key: sections[key] for key in SHARED}), text, revision)
            self._log("shared-config-taken", revision=revision)
            return True

    async def reload(self, revision: int | None = None) -> None:
        """Take up config.yml as it is, which is this revision from now on. Raises ChangeRefused."""
        async with self._lock:
            config = await self._check(await self._read())
            if revision is not None and revision > self._node.revision:
                self._node.revision = revision  # also where it is not taken up: the file has it, and a restart takes it
                await self._note(revision)
            self._take_up(config)

    async def shared(self) -> Body:
        """What this node has, for who is behind."""
        async with self._lock:  # revision and text of one and the same change
            revision, text = self._node.revision, await self._read()
            return {"revision": revision, "sections": await _read_from(text, sections_of, text, SHARED)}

    async def catch_up(self) -> None:
        """A peer was heard to have a newer revision: fetch it, unless it comes by itself."""
        if self.catching_up:
            return
        self.catching_up = True
        try:
            await asyncio.sleep(CATCH_UP_AFTER_S)
            while (peer := self._node.candidates.who_has_newer(self._node.revision)) is not None:
                answer = await self._peers.call(peer, "/resources", timeout_s=TOLD_WITHIN_S)
                try:
                    if answer.error is None and await self.take(answer.body):
                        continue
                    why = str(answer.error or "it has nothing newer")
                except (ChangeRefused, ValueError) as error:
                    why = str(error.why) if isinstance(error, ChangeRefused) else str(error)
                self._log("warning", what="catching up", message=f"{peer}: {why}")
                await asyncio.sleep(CATCH_UP_AGAIN_S)
            self._node.hearing.is_behind = False
        finally:
            self.catching_up = False

    # --- the file ---

    async def _read(self) -> str:
        try:
            return await asyncio.to_thread(self._path.read_text, encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ChangeRefused(message("resources.not-saved", path=str(self._path), why=str(error))) from error

    async def _changed(self, text: str, sections: dict[str, list[object]]) -> Changed:
        """The text with these sections, and what it means."""
        try:
            changed = await _read_from(text, with_sections, text, sections)
        except TextError as error:
            raise ChangeRefused(message("resources.wrong", why=str(error))) from error
        return Changed(changed, await self._check(changed))

    async def _check(self, text: str) -> Config:
        try:
            return await _read_from(text, load_config, self._path, text)
        except ConfigError as error:
            raise ChangeRefused(message("resources.wrong", why=error.why)) from error

    async def _save(self, changed: Changed, before: str, revision: int) -> None:
        """Write, take up, count; where the daemon cannot take it up, everything is as it was."""
        try:
            await asyncio.to_thread(_replace, self._path, changed.text)
            known, self._node.revision = self._node.revision, revision
            try:
                self._take_up(changed.config)
            except ChangeRefused:
                self._node.revision = known
                await asyncio.to_thread(_replace, self._path, before)
                raise
        except OSError as error:
            raise self._not_saved(error) from error
        await self._note(revision)

    async def _note(self, revision: int) -> None:
        try:
            content = json.dumps({"revision": revision}) + "\n"
            await asyncio.to_thread(_replace, self._revision_path, content)
        except OSError as error:
            raise self._not_saved(error) from error

    def _not_saved(self, error: OSError) -> ChangeRefused:
        why = error.strerror or str(error)
        return ChangeRefused(message("resources.not-saved", path=str(self._path), why=why))

    def _take_up(self, config: Config) -> None:
        try:
            self._node.reconfigure(config)
        except ReloadRefused as error:
            self._log("warning", what="reload", message=str(error))
            raise ChangeRefused(message("resources.refused", why=error.why)) from error


async def _read_from(text: str, work: Callable[..., Read], *arguments: object) -> Read:
    """Have a text read where the lease's loop does not wait for it. Raises what the work does, and ChangeRefused."""
    try:
        return await asyncio.to_thread(read_apart, len(text), work, *arguments)
    except OSError as error:
        raise ChangeRefused(message("resources.wrong", why=str(error))) from error


def _refusal(leader: str, why: Mapping[str, object]) -> Message:
    from ...kit.messages import from_json

    return message("resources.leader-refused", leader=leader, why=from_json(dict(why)))


def _replace(path: Path, text: str) -> None:
    """Replace a file durably; it keeps its mode. Raises OSError."""
    write_durably(path, text, path.stat().st_mode & 0o7777 if path.exists() else 0o644)
