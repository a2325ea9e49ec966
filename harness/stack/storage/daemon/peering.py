"""Hosts tell each other what they have: every few seconds, and at once where something changed."""

import asyncio
import contextlib
import json
import os
import secrets
import stat
from collections import Counter
from pathlib import Path

from ...kit.ports import Log
from ..peers.core.exchange import told, understood
from ..peers.core.merge import Heard, merge, outbid
from ..peers.core.report import BadReport
from ..peers.core.sealing import KEY_BYTES, MOST_BYTES, NONCE_BYTES, Side, opened, written
from ..peers.view import View, now_s, write
from .autonomy import Autonomy
from .own_report import OwnReport
from .settings import Cluster, Peer

WITHIN_S = 2.0
"""For one exchange."""
AT_ONCE = 64
LOOKED_EVERY_S = 0.2
WRITTEN_EVERY_S = 2.0
AGAIN_S = 5.0
TWINS = 3
"""So many others that say our name are no earlier life of ours."""


class KeyUnusable(Exception):
    """The key cannot be used; the message says why."""


def key_of(file: Path) -> bytes:
    """Raises KeyUnusable."""
    try:
        found = file.stat()
        text = file.read_text().strip()
    except (OSError, ValueError) as error:
        raise KeyUnusable(
            f"{file}: {getattr(error, 'strerror', '') or 'it is no text'}: mfs-autonomy cluster key"
        ) from error
    if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid():
        raise KeyUnusable(f"{file}: others may read or own it: chmod 600, and the owner is who runs the daemon")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyUnusable(f"{file}: it must be {2 * KEY_BYTES} hexadecimal digits: mfs-autonomy cluster key makes one")
    return key


class Peering:
    """What is known of peers, and how it comes to be known. Everything in the daemon's loop."""

    def __init__(self, cluster: Cluster, autonomy: Autonomy, key: bytes, log: Log) -> None:
        self._cluster, self._autonomy, self._key, self._log = cluster, autonomy, key, log
        self._own = OwnReport(autonomy.places, cluster.name, cluster.shared)
        self._names = tuple(one.name for one in cluster.peers)
        self._known: dict[str, Heard] = {}
        self._answered_at_s: dict[str, float] = {}
        self._refused: Counter[str] = Counter()
        self._twins = 0
        self._looked_at_s = -AGAIN_S
        self._open = 0
        self._news = {name: asyncio.Event() for name in self._names}
        self._unwritten, self._written_at_s = True, 0.0

    def view(self) -> View:
        """Of now."""
        own = {self._cluster.name: Heard(self._own.now, now_s())}
        return View(
            name=self._cluster.name,
            written_at_s=now_s(),
            every_s=self._cluster.every_s,
            peers=self._names,
            shared=self._cluster.shared,
            known={**self._known, **own},
            answered_at_s=dict(self._answered_at_s),
            refused=dict(self._refused),
        )

    async def listen(self) -> asyncio.Server:
        """Answers from now on. Raises OSError where it cannot."""
        return await asyncio.start_server(self._serve, self._cluster.host, self._cluster.port, limit=MOST_BYTES)

    async def run(self, server: asyncio.Server) -> None:
        """Until it is cancelled."""
        async with server, asyncio.TaskGroup() as group:
            group.create_task(self._look())
            for peer in self._cluster.peers:
                group.create_task(self._tell(peer))

    # --- what there is to say -----------------------------------------------------------------------------------

    async def _look(self) -> None:
        while True:
            if self._own.changed() or now_s() - self._looked_at_s > AGAIN_S or self._incidents_changed():
                await self._look_once()
            self._write()
            await asyncio.sleep(LOOKED_EVERY_S)

    def _incidents_changed(self) -> bool:
        known = self._autonomy.known
        told = {(one.name, one.subject): one.stage for one in self._own.now.incidents}
        return {key: one.stage.value for key, one in known.items()} != told and not self._own.now.more

    async def _look_once(self) -> None:
        self._looked_at_s = now_s()
        watched = tuple(self._autonomy.known.values())
        try:
            new = await asyncio.to_thread(self._own.look, int(self._autonomy.level), watched)
        except OSError as error:
            self._log("own report", error=str(error))
            return
        if new:
            self._unwritten = True
            for one in self._news.values():
                one.set()

    def _write(self) -> None:
        """For commands of this host: at once where anything but ages is new, else now and then."""
        if not self._unwritten and now_s() - self._written_at_s < WRITTEN_EVERY_S:
            return
        self._unwritten, self._written_at_s = False, now_s()
        try:
            write(self._autonomy.places, self.view())
        except OSError as error:
            self._log("cluster.json", error=str(error))

    # --- telling and hearing ------------------------------------------------------------------------------------

    async def _tell(self, peer: Peer) -> None:
        while True:
            began_s = now_s()
            self._news[peer.name].clear()
            try:
                async with asyncio.timeout(WITHIN_S):
                    await self._exchange(peer)
            except BadReport as error:
                self._refuse(peer.name, error)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                pass  # that it is silent is seen by its age
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.05, self._cluster.every_s - (now_s() - began_s))):
                    await self._news[peer.name].wait()

    async def _exchange(self, peer: Peer) -> None:
        reader, writer = await asyncio.open_connection(peer.host, peer.port, limit=MOST_BYTES)
        try:
            theirs = await reader.readexactly(NONCE_BYTES)
            ours, asked_s = secrets.token_bytes(NONCE_BYTES), now_s()
            await self._send(writer, "asks", peer.name, (ours, theirs))
            content = await _received(reader)
            sender, _nonce, document = opened(
                self._key, "answers", self._cluster.name, content, given=ours, known_nonce=theirs
            )
            if sender != peer.name:
                raise BadReport(f"{peer.host}:{peer.port} calls itself {sender}, not {peer.name}")
            self._take(document, asked_s)
            self._answered_at_s[peer.name] = now_s()
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open > AT_ONCE:
                return
            async with asyncio.timeout(WITHIN_S):
                await self._answer(reader, writer)
        except BadReport as error:
            self._refuse("", error)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ours, asked_s = secrets.token_bytes(NONCE_BYTES), now_s()
        writer.write(ours)
        content = await _received(reader)
        sender, theirs, document = opened(self._key, "asks", self._cluster.name, content, given=ours)
        if sender not in self._names:
            raise BadReport(f"{sender} is none of our peers")
        self._take(document, asked_s)
        await self._send(writer, "answers", sender, (theirs, ours))

    async def _send(self, writer: asyncio.StreamWriter, side: Side, to: str, nonces: tuple[bytes, bytes]) -> None:
        document = told(self._own.now, self._known, now_s(), MOST_BYTES // 4)
        body = json.dumps(document, separators=(",", ":")).encode()
        content = written(self._key, side, (self._cluster.name, to), nonces, body)
        writer.write(len(content).to_bytes(4, "big") + content)
        await writer.drain()

    def _take(self, document: object, asked_s: float) -> None:
        found = understood(document, (*self._names, self._cluster.name), asked_s)
        mine = found.pop(self._cluster.name, None)
        orders = {name: one.report.order for name, one in self._known.items()}
        self._known = merge(self._known, found)
        if orders != {name: one.report.order for name, one in self._known.items()}:
            self._unwritten = True
            self._write()  # before anybody is answered: a command that begins now must not take a volume that is there
        if mine is not None and outbid(self._own.now, mine.report):
            self._own.outbid(mine.report.epoch)
            self._twins += 1
            if self._twins >= TWINS:
                self._autonomy.doubts = (f"another daemon calls itself {self._cluster.name}: cluster.name must differ",)

    def _refuse(self, name: str, error: BadReport) -> None:
        """Said once for each reason, counted always; a stranger can say a lot."""
        why = str(error) if len(self._refused) < AT_ONCE else "other reasons"
        if why not in self._refused:
            self._log("peer refused", peer=name, why=why)
        self._refused[why] += 1


async def _received(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(4), "big")
    if length > MOST_BYTES:
        raise BadReport(f"a message of more than {MOST_BYTES} bytes")
    return await reader.readexactly(length)
