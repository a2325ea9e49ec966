"""What can be asked about the shared configuration and about who leads, by commands here and by other daemons."""

import asyncio
from collections.abc import Awaitable, Callable

from ...kit.messages import Message, message
from ..node.node import Node
from .shared_config import Body, Change, ChangeRefused, SharedConfig

MOVED_WITHIN_S = 3.0
LOOK_EVERY_S = 0.01
PREFERRED_FOR_S = 3600
LONGEST_PREFERENCE_S = 30 * 86_400

Handler = Callable[[str, Body], Awaitable[tuple[int, Body]]]
Command = Callable[[Body], Awaitable[Body]]


class SharedConfigCommands:
    """Made by the daemon, which adds ``commands`` and ``routes`` to its own."""

    def __init__(self, node: Node, shared_config: SharedConfig) -> None:
        self._node, self._shared_config = node, shared_config

    def commands(self) -> dict[str, Command]:
        """For the control socket."""
        return {
            "vip-add": self._change,
            "vip-remove": self._change,
            "vip-set": self._change,
            "service-add": self._change,
            "service-remove": self._change,
            "reload": self._reload,
            "failover": self._failover,
        }

    def routes(self) -> dict[tuple[str, str], Handler]:
        """For the P2P service."""
        return {
            ("POST", "/forward-vip-change"): self._forwarded,
            ("POST", "/vip-sync"): self._sync,
            ("POST", "/vip-check"): self._check,
            ("POST", "/reload-services"): self._reload_asked,
            ("GET", "/resources"): self._resources,
        }

    async def _change(self, request: Body) -> Body:
        key = "vips" if str(request.get("command")).startswith("vip") else "services"
        try:
            asked = {"key": key, "name": request.get("name"), "item": request.get("item")}
            sets = {"sets": True} if request.get("command") == "vip-set" else {}
            return await self._shared_config.change(Change.from_json(asked | sets))
        except ChangeRefused as refused:
            return _no(refused.why)
        except ValueError as error:
            return {"ok": False, "error": str(error)}

    async def _forwarded(self, _sender: str, body: Body) -> tuple[int, Body]:
        if self._node.candidates.leader_name != self._node.name:
            why = message("resources.not-leader", node=self._node.name)
            return 409, {"error": why.to_json(), "why": why.to_json()}
        try:
            return 200, await self._shared_config.change(Change.from_json(body))
        except ChangeRefused as refused:
            return 409, {"error": refused.why.to_json(), "why": refused.why.to_json()}

    async def _sync(self, _sender: str, body: Body) -> tuple[int, Body]:
        try:
            return 200, {"taken": await self._shared_config.take(body)}
        except ChangeRefused as refused:
            return 409, {"error": refused.why.to_json()}

    async def _check(self, _sender: str, body: Body) -> tuple[int, Body]:
        try:
            await self._shared_config.would_take(body)
        except ChangeRefused as refused:
            return 409, {"error": refused.why.to_json()}
        return 200, {}

    async def _reload(self, _request: Body) -> Body:
        try:
            await self._shared_config.reload()
        except ChangeRefused as refused:
            return _no(refused.why)
        return {"ok": True}

    async def _reload_asked(self, _sender: str, _body: Body) -> tuple[int, Body]:
        answer = await self._reload({})
        return (200, answer) if answer["ok"] else (409, {"error": answer["error"]})

    async def _resources(self, _sender: str, _body: Body) -> tuple[int, Body]:
        return 200, await self._shared_config.shared()

    async def _failover(self, request: Body) -> Body:
        """Prefer ``to`` (or whoever comes after the present leader) for ``for_s`` seconds."""
        node, for_s = self._node, request.get("for_s", PREFERRED_FOR_S)
        if not isinstance(for_s, int | float) or not 0 < for_s <= LONGEST_PREFERENCE_S:
            return _no(message("failover.bad-for", most=LONGEST_PREFERENCE_S, given=for_s))
        now_s, candidates = asyncio.get_running_loop().time(), node.candidates
        if candidates.leader is None:
            return _no(message("resources.no-leader"))
        asked = request.get("to")
        target = candidates.next_after_leader(now_s) if asked is None else str(asked)
        if target is None:
            return _no(message("failover.nobody"))
        problem = candidates.why_not_lead(target, now_s)
        if problem == "unknown":
            return _no(message("failover.unknown", node=target, known=", ".join(candidates.names.values())))
        if problem is not None:
            return _no(message(f"failover.{problem}", node=target))
        node.wish(candidates.id_of(target), float(for_s))
        for _ in range(round(MOVED_WITHIN_S / LOOK_EVERY_S)):
            if node.candidates.leader_name == target:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        return {"ok": True, "target": target, "leader": node.candidates.leader_name, "for_s": for_s}


def _no(why: Message) -> Body:
    return {"ok": False, "error": why.to_json()}
