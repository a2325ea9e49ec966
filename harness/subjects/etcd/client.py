"""etcd v3 by its JSON gateway (https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/): objects made of keys.

=========  =====================================================================================================
ledger,    a key an element, so that no write can hide another; read as a whole at one revision
set
register   one key; a compare-and-set is a transaction that compares the value (or that there is none)
list       one key with all elements; an append is read, then a transaction that compares the key's revision
queue      a key an element; the head is the one created first. A dequeue reads the head, then removes it in a
           transaction that compares its revision: as long as it is there, nothing older can be, for older ones were
           gone when it was read and new ones are created later. So it is first in, first out
bank       a key an account, one that is missing holds what it was opened with; a transfer reads all accounts at
           one revision, then puts two in a transaction that compares the revisions of both
=========  =====================================================================================================

A comparison that is lost changed nothing: Refused.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from harness.events import Json
from harness.workloads.client import Refused, Stream, Unclear
from harness.workloads.generators import ACCOUNTS, OPENING, Request
from harness.workloads.load import ModelName, Route

MODELS: tuple[ModelName, ...] = ("ledger", "register", "set", "list", "queue", "bank")
_PAGE = 5000
_HTTP_OK = 200
Fields = dict[str, Any]


class EtcdClient:
    """A client of one member, for objects of one model."""

    def __init__(self, model: ModelName, route: Route) -> None:
        self.at_stake = False
        self._gateway = _Gateway(route)
        self._own_copy = route.serializable
        adds, everything = self._put_element, self._read_elements
        known: Mapping[ModelName, Mapping[str, Callable[[Request], Awaitable[Json]]]] = {
            "ledger": {"write": adds, "read": everything},
            "set": {"add": adds, "read": everything},
            "register": {"read": self._read_register, "write": self._write, "cas": self._cas},
            "list": {"append": self._append, "read": self._read_list},
            "queue": {"enqueue": adds, "dequeue": self._dequeue},
            "bank": {"transfer": self._transfer, "read": self._read_bank},
        }
        self._functions = known[model]

    async def open(self) -> None:
        """Connect."""
        await self._gateway.open()

    async def invoke(self, request: Request) -> Json:
        """Carry out one operation."""
        self.at_stake = False
        return await self._functions[request.function](request)

    def close(self) -> None:
        """Drop the connection."""
        self._gateway.close()

    # --- elements that are keys ------------------------------------------------------------------------

    async def _put_element(self, request: Request) -> Json:
        await self._put(f"{request.key}/{request.value}", str(request.value))
        return request.value

    async def _read_elements(self, request: Request) -> Json:
        prefix, start, revision = f"{request.key}/", _encode(f"{request.key}/"), 0
        values: list[Json] = []
        while True:
            # Later pages are of the same revision as the first one: together they are one look.
            asked: Fields = {"limit": _PAGE, "keys_only": True} | ({"revision": str(revision)} if revision else {})
            found = await self._look(start, range_end=_end_of(prefix), **asked)
            revision = int(found["header"]["revision"])
            keys = [_decode(pair["key"]) for pair in found.get("kvs", ())]
            values += [int(key.removeprefix(prefix)) for key in keys]
            if not found.get("more"):
                return sorted(values, key=lambda value: int(str(value)))
            start = _encode(keys[-1] + "\0")

    # --- registers ---------------------------------------------------------------------------------------

    async def _read_register(self, request: Request) -> Json:
        found = await self._look(_encode(request.key))
        return int(_decode(found["kvs"][0]["value"])) if found.get("kvs") else None

    async def _write(self, request: Request) -> Json:
        await self._put(request.key, str(request.value))
        return request.value

    async def _cas(self, request: Request) -> Json:
        assert isinstance(request.value, list)
        expected, new = request.value
        compare: Fields = {"key": _encode(request.key), "result": "EQUAL"}
        if expected is None:
            compare |= {"target": "CREATE", "create_revision": "0"}
        else:
            compare |= {"target": "VALUE", "value": _encode(str(expected))}
        await self._txn([compare], [_put_of(request.key, str(new))], "it holds another value")
        return request.value

    # --- lists and queues --------------------------------------------------------------------------------

    async def _read_list(self, request: Request) -> Json:
        return _items(await self._look(_encode(request.key)))

    async def _append(self, request: Request) -> Json:
        found = await self._gateway.post("/v3/kv/range", {"key": _encode(request.key)})
        (revision,) = [pair["mod_revision"] for pair in found.get("kvs", ())] or ["0"]
        longer = json.dumps([*_items(found), request.value])
        await self._txn(
            [_unchanged(request.key, revision)], [_put_of(request.key, longer)], "something else was appended"
        )
        return request.value

    async def _dequeue(self, request: Request) -> Json:
        prefix = f"{request.key}/"
        found = await self._look(
            _encode(prefix), range_end=_end_of(prefix), limit=1, sort_order="ASCEND", sort_target="CREATE"
        )
        if not found.get("kvs"):
            return None
        (head,) = found["kvs"]
        name = _decode(head["key"])
        removal = {"requestDeleteRange": {"key": head["key"]}}
        await self._txn([_unchanged(name, head["mod_revision"])], [removal], "somebody else took it")
        return int(_decode(head["value"]))

    # --- banks -------------------------------------------------------------------------------------------

    async def _accounts(self, key: str, *, own_copy: bool) -> tuple[dict[str, int], dict[str, str]]:
        """What each account holds and the revision of its key, all at one revision of the store."""
        prefix = f"{key}/"
        asked = {"key": _encode(prefix), "range_end": _end_of(prefix)} | ({"serializable": True} if own_copy else {})
        found = await self._gateway.post("/v3/kv/range", asked)
        held = dict.fromkeys(map(str, range(ACCOUNTS)), OPENING)
        revisions = dict.fromkeys(held, "0")
        for pair in found.get("kvs", ()):
            name = _decode(pair["key"]).removeprefix(prefix)
            held[name], revisions[name] = int(_decode(pair["value"])), pair["mod_revision"]
        return held, revisions

    async def _read_bank(self, request: Request) -> Json:
        held, _ = await self._accounts(request.key, own_copy=self._own_copy)
        return dict(held)

    async def _transfer(self, request: Request) -> Json:
        assert isinstance(request.value, dict)
        source, target, amount = (str(request.value[name]) for name in ("from", "to", "amount"))
        held, revisions = await self._accounts(request.key, own_copy=False)
        if held[source] < int(amount):
            raise Refused(f"account {source} holds {held[source]} only")
        after = {source: held[source] - int(amount), target: held[target] + int(amount)}
        await self._txn(
            [_unchanged(f"{request.key}/{name}", revisions[name]) for name in after],
            [_put_of(f"{request.key}/{name}", str(amount_left)) for name, amount_left in after.items()],
            "somebody else moved money of these accounts",
        )
        return request.value

    # --- requests ----------------------------------------------------------------------------------------

    async def _look(self, key: str, **asked: Any) -> Fields:
        """A linearizable read: the member first catches up with the leader, unless its own copy is asked for."""
        own = {"serializable": True} if self._own_copy else {}
        return await self._gateway.post("/v3/kv/range", {"key": key, **asked, **own})

    async def _put(self, key: str, value: str) -> None:
        self.at_stake = True
        await self._gateway.post("/v3/kv/put", {"key": _encode(key), "value": _encode(value)})

    async def _txn(self, compare: Sequence[Fields], success: Sequence[Fields], otherwise: str) -> None:
        self.at_stake = True
        found = await self._gateway.post("/v3/kv/txn", {"compare": [*compare], "success": [*success]})
        if not found.get("succeeded"):
            raise Refused(otherwise)


class _Gateway:
    """HTTP requests over one connection, one after the other."""

    # gRPC codes of answers given before anything is proposed: bad request, not allowed, full, who are you.
    _REFUSALS = frozenset({3, 7, 8, 16})

    def __init__(self, route: Route) -> None:
        self._stream = Stream(route.address, route.port)
        self.open = self._stream.open
        self.close = self._stream.close

    async def post(self, path: str, request: Fields) -> Fields:
        """The answer to a request. Raises Refused, Unclear, OSError or EOFError."""
        body = json.dumps(request).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: store\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        await self._stream.send(head.encode() + b"\r\n\r\n" + body)
        status, answer = await self._response()
        try:
            found: Fields = json.loads(answer)
        except ValueError as error:
            raise Unclear(f"HTTP {status}: {answer[:100]!r}") from error
        if status == _HTTP_OK:
            return found
        why = f"HTTP {status}: {found.get('error', answer[:100])}"
        raise Refused(why) if found.get("code") in self._REFUSALS else Unclear(why)

    async def _response(self) -> tuple[int, bytes]:
        reader = self._stream.reader
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        if fields.get("transfer-encoding", "").lower() != "chunked":
            return status, await reader.readexactly(int(fields.get("content-length", "0")))
        body = b""
        while length := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += (await reader.readexactly(length + 2))[:-2]
        await reader.readuntil(b"\r\n")
        return status, body


def _unchanged(key: str, revision: str) -> Fields:
    return {"key": _encode(key), "target": "MOD", "result": "EQUAL", "mod_revision": revision}


def _put_of(key: str, value: str) -> Fields:
    return {"requestPut": {"key": _encode(key), "value": _encode(value)}}


def _items(found: Fields) -> list[Json]:
    return list(json.loads(_decode(found["kvs"][0]["value"]))) if found.get("kvs") else []


def _end_of(prefix: str) -> str:
    """The first key after all those that begin with a prefix."""
    return _encode(prefix[:-1] + chr(ord(prefix[-1]) + 1))


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    return base64.b64decode(text).decode()
