"""A thin layer over the daemon: who asks is checked, what is sent is checked, the daemon does the rest."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from pydantic import BaseModel, ValidationError

from ...autonomy.core import Act
from ..api.schemas import AnswerIn, MapIn, MoveIn, UnmapIn
from ..autonomy import Autonomy
from ..core.requests import NotNow, Request, to_json
from ..tls import Tls
from ..tokens import Bearer, Role, TokenError
from . import mfs_autonomy_pb2 as wire

SERVICE = "mfs_autonomy.v1.MfsAutonomy"
Handler = Callable[[Any, Bearer], Awaitable[Any]]


class Refused(Exception):
    """A call that cannot be answered: the status, and why."""

    def __init__(self, code: Any, why: str) -> None:
        super().__init__(why)
        self.code = code


class Calls:
    """One method for each of the service."""

    def __init__(self, daemon: Autonomy) -> None:
        self._daemon = daemon

    async def status(self, _asked: Any, _who: Bearer) -> Any:
        """In a few words."""
        daemon = self._daemon
        return wire.Status(
            node=daemon.node,
            version=daemon.version,
            level=int(daemon.level),
            up_s=time.monotonic() - daemon.began_s,
            looked_at_s=daemon.looked_at_s,
            troubles=daemon.troubles,
        )

    async def requests(self, _asked: Any, _who: Bearer) -> Any:
        """The newest first."""
        found = reversed(list(self._daemon.store.state.requests.by_id.values()))
        return wire.ListRequestsReply(requests=[_request(one) for one in found])

    async def incidents(self, _asked: Any, _who: Bearer) -> Any:
        """Those that are there."""
        found = [
            wire.Incident(
                name=one.case.incident,
                subject=one.case.subject,
                seen=one.case.seen,
                stage=one.stage.value,
                said=one.said,
            )
            for one in self._daemon.known.values()
        ]
        return wire.ListIncidentsReply(incidents=found)

    async def map(self, asked: Any, who: Bearer) -> Any:
        """A block device of a volume."""
        wanted = _checked(MapIn, file=asked.file, driver=asked.driver or None)
        return await self._ask(Act.MAP, {"file": wanted.file, "driver": wanted.driver or ""}, who)

    async def unmap(self, asked: Any, who: Bearer) -> Any:
        """A file of it again."""
        return await self._ask(Act.UNMAP, {"file": _checked(UnmapIn, file=asked.file).file}, who)

    async def move(self, asked: Any, who: Bearer) -> Any:
        """After preflight and, where it is wanted, approval."""
        grace = {"grace_s": asked.grace_s} if asked.HasField("grace_s") else {}
        wanted = _checked(MoveIn, source=asked.source, target=asked.target, keep_source=asked.keep_source, **grace)
        arguments = {
            "source": wanted.source,
            "target": wanted.target,
            "keep_source": "yes" if wanted.keep_source else "",
            "grace_s": str(wanted.grace_s),
        }
        return await self._ask(Act.MOVE, arguments, who)

    async def _ask(self, act: Act, arguments: dict[str, str], who: Bearer) -> Any:
        return _request(await self._daemon.ask(act, arguments, who.name))

    async def approve(self, asked: Any, who: Bearer) -> Any:
        """A person agrees."""
        return self._answered("approve", asked, who)

    async def refuse(self, asked: Any, who: Bearer) -> Any:
        """A person does not."""
        return self._answered("refuse", asked, who)

    def _answered(self, word: str, asked: Any, who: Bearer) -> Any:
        why = _checked(AnswerIn, why=asked.why).why
        try:
            return _request(self._daemon.answer(asked.id, word, who, why))
        except KeyError:
            raise Refused(grpc.StatusCode.NOT_FOUND, f"there is no request {asked.id}") from None
        except NotNow as error:
            raise Refused(grpc.StatusCode.FAILED_PRECONDITION, str(error)) from error


def handlers(daemon: Autonomy) -> Any:
    """For a server of grpc.aio."""
    calls = Calls(daemon)
    methods: dict[str, tuple[Role, Handler, Any]] = {
        "GetStatus": (Role.read, calls.status, wire.GetStatusRequest),
        "ListRequests": (Role.read, calls.requests, wire.ListRequestsRequest),
        "ListIncidents": (Role.read, calls.incidents, wire.ListIncidentsRequest),
        "Map": (Role.operate, calls.map, wire.MapRequest),
        "Unmap": (Role.operate, calls.unmap, wire.UnmapRequest),
        "Move": (Role.operate, calls.move, wire.MoveRequest),
        "Approve": (Role.approve, calls.approve, wire.AnswerRequest),
        "Refuse": (Role.approve, calls.refuse, wire.AnswerRequest),
    }
    return grpc.method_handlers_generic_handler(
        SERVICE, {name: _handler(daemon, role, call, kind) for name, (role, call, kind) in methods.items()}
    )


def _handler(daemon: Autonomy, role: Role, call: Handler, kind: Any) -> Any:
    async def answer(asked: Any, context: Any) -> Any:
        try:
            return await call(asked, _bearer(daemon, context, role))
        except Refused as error:
            await context.abort(error.code, str(error))
        except OSError as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))

    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=kind.FromString, response_serializer=lambda one: one.SerializeToString()
    )


def _bearer(daemon: Autonomy, context: Any, role: Role) -> Bearer:
    given = dict(context.invocation_metadata()).get("authorization", "")
    try:
        bearer = daemon.tokens.bearer_of(str(given).removeprefix("Bearer "))
    except TokenError as error:
        raise Refused(grpc.StatusCode.UNAVAILABLE, str(error)) from error
    if bearer is None:
        raise Refused(grpc.StatusCode.UNAUTHENTICATED, "a token is needed: authorization: Bearer TOKEN")
    if bearer.role < role:
        raise Refused(
            grpc.StatusCode.PERMISSION_DENIED, f"the role {role.name} is needed, this token has {bearer.role.name}"
        )
    return bearer


def _checked(schema: type[BaseModel], **values: object) -> Any:
    """As the REST API checks it."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Refused(grpc.StatusCode.INVALID_ARGUMENT, f"{where}: {first['msg']}") from error


def _request(one: Request) -> Any:
    known = to_json(one)
    return wire.Request(**{field.name: known[field.name] for field in wire.Request.DESCRIPTOR.fields})


async def start(daemon: Autonomy, host: str, port: int, tls: Tls | None = None) -> Any:
    """A server that listens. Raises RuntimeError where it cannot, OSError."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handlers(daemon),))
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if tls is None:
        server.add_insecure_port(where)
    else:
        key, certificates, clients = tls.of_grpc()
        pair = [(key, certificates)]
        server.add_secure_port(where, grpc.ssl_server_credentials(pair, clients, clients is not None))
    await server.start()
    return server
