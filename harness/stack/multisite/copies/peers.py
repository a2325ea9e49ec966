"""The other machines that keep a copy, by HTTP; all are asked at the same time, and nobody waits for the slow ones."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

import httpx
from pydantic import ValidationError

from ..inventory.errors import InventoryError
from .messages import KEY_HEADER, Answer, Claim, Copy, Files

WITHIN_S = 1.0
AT_ONCE = 4
"""Questions to one peer, which keeps each for ``WITHIN_S`` where it stands still: more of them are not asked."""


class Peer:
    """One of them. Its methods give None where it does not answer as it should."""

    def __init__(self, name: str, url: str, key: str) -> None:
        self.name = name
        self.turn, self.giving = threading.BoundedSemaphore(AT_ONCE), threading.Lock()
        # A connection that was kept may lead to somebody who has lost his power since.
        self._client = httpx.Client(
            base_url=url, timeout=WITHIN_S, trust_env=False, headers={KEY_HEADER: key},
            limits=httpx.Limits(max_keepalive_connections=0), verify=url.startswith("https:"),
        )  # fmt: skip

    def claim(self, claim: Claim) -> Answer | None:
        """Ask for its promise."""
        return self._ask("POST", "/copies/claim", claim.model_dump_json())

    def take(self, copy: Copy) -> Answer | None:
        """Give it the newest."""
        return self._ask("PUT", "/copies", copy.model_dump_json())

    def keep(self, files: Files) -> bool:
        """Give it certificates; whether it has them."""
        return self._send("PUT", "/copies/certificates", files.model_dump_json()) is not None

    def close(self) -> None:
        """Let go of it."""
        self._client.close()

    def _ask(self, method: str, path: str, body: str) -> Answer | None:
        said = self._send(method, path, body)
        try:
            return None if said is None else Answer.model_validate_json(said)
        except ValidationError:
            return None

    def _send(self, method: str, path: str, body: str) -> bytes | None:
        try:
            answer = self._client.request(method, path, content=body, headers={"Content-Type": "application/json"})
        except httpx.HTTPError:
            return None
        return answer.content if answer.is_success else None


class Peers:
    """All of them."""

    def __init__(self, urls: Mapping[str, str], key: str) -> None:
        self.each = tuple(Peer(name, url, key) for name, url in urls.items())
        self._pool = ThreadPoolExecutor(max_workers=(AT_ONCE + 1) * max(1, len(self.each)), thread_name_prefix="copies")

    def asked(self, question: Callable[[Peer], Answer | None]) -> Iterator[tuple[Peer, Answer]]:
        """Who answers, in the order in which they do."""
        asking: dict[Future[Answer | None], Peer] = {}
        for peer in self.each:
            if peer.turn.acquire(blocking=False):
                asking[self._pool.submit(_in_turn, question, peer)] = peer
        for done in as_completed(asking):
            answer = done.result()
            if answer is not None:
                yield asking[done], answer

    def started(self, work: Callable[[Peer], None]) -> list[Future[None]]:
        """Begin it with each with whom it is not going on yet."""
        begun = [peer for peer in self.each if peer.giving.acquire(blocking=False)]
        return [self._pool.submit(self._given, work, peer) for peer in begun]

    def _given(self, work: Callable[[Peer], None], peer: Peer) -> None:
        try:
            work(peer)
        except InventoryError:
            pass  # it is tried again, and who asks for a change is told
        finally:
            peer.giving.release()

    def close(self) -> None:
        """Let go of all."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for one in self.each:
            one.close()


def _in_turn(question: Callable[[Peer], Answer | None], peer: Peer) -> Answer | None:
    try:
        return question(peer)
    finally:
        peer.turn.release()
