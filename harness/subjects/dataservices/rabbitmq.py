"""Clients of RabbitMQ (AMQP 0-9-1) over aiormq, the part of aio-pika that does not reconnect by itself: queues.

An enqueue is acknowledged by the publisher's confirm, and by nothing else. One that the broker refuses to confirm (a
nack) may be in the queue all the same. A dequeue takes a message away only by acknowledging it, after it was answered:
one without an answer took nothing, and its message may be delivered again. So delivery is at least once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiormq
from aiormq.abc import AbstractChannel
from pamqp.commands import Basic
from yarl import URL

from harness.events import Json
from harness.workloads.client import Refused, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import ModelName, Route

MODELS: tuple[ModelName, ...] = ("queue",)
_PERSISTENT = 2
_FAILURES = (aiormq.AMQPError, aiormq.ChannelInvalidStateError, RuntimeError)


class RabbitmqClient:
    """A client of one server, or of whatever is in front of several.

    Without ``confirms`` it takes what was sent for acknowledged: a defect, to be found.
    """

    def __init__(self, route: Route, *, user: str, password: str, confirms: bool = True) -> None:
        self.at_stake = False
        self._transport = _Transport()
        self._confirms = confirms
        self._url = URL.build(
            scheme="amqp",
            host=route.address,
            port=route.port,
            user=user,
            password=password,
            path=f"/{user}",
            query={"heartbeat": "0"},  # who gives up is told by a time-out of his own
        )
        self._channel: AbstractChannel | None = None
        self._declared: set[str] = set()

    async def open(self) -> None:
        """Connect and log in. Raises OSError."""
        try:
            async with _its_own_ends():
                connection = aiormq.Connection(self._url, transport_factory=self._transport)
                await connection.connect()
                self._channel = await connection.channel(publisher_confirms=self._confirms, on_return_raises=True)
        except Unclear as error:
            raise ConnectionError(f"may not log in: {error}") from error

    async def invoke(self, request: Request) -> Json:
        """Publish a message, or take the oldest one (None: there is none)."""
        self.at_stake = False
        async with _its_own_ends():
            if request.function == "dequeue":
                return await self._dequeue(request.key)
            if self._confirms:
                await self._confirmed(request)
            else:
                await self._declare(request.key)
                await self._publish(request)
        return request.value

    def close(self) -> None:
        """Hang up at once. Idempotent."""
        self._transport.abort()

    async def _confirmed(self, request: Request) -> None:
        try:
            await self._publish(request)
        except aiormq.PublishError:  # it was given back, as there is no such queue
            await self._declare(request.key)
            try:
                await self._publish(request)
            except aiormq.PublishError as error:
                raise Refused(f"there is no queue {request.key}") from error

    async def _publish(self, request: Request) -> None:
        """Until it is confirmed; without confirms, until it is sent."""
        self.at_stake = True
        await self._open.basic_publish(
            str(request.value).encode(),
            routing_key=request.key,
            properties=Basic.Properties(delivery_mode=_PERSISTENT),
            mandatory=True,
        )

    async def _dequeue(self, key: str) -> Json:
        await self._declare(key)
        message = await self._open.basic_get(key)
        if not isinstance(message.delivery, Basic.GetOk):
            return None
        value = int(message.body)
        assert message.delivery.delivery_tag is not None
        await self._open.basic_ack(message.delivery.delivery_tag)
        return value

    async def _declare(self, key: str) -> None:
        """Once a connection; of no type that is named: what it is then is the server's matter."""
        if key not in self._declared:
            await self._open.queue_declare(key, durable=True)
            self._declared.add(key)

    @property
    def _open(self) -> AbstractChannel:
        if self._channel is None:
            raise ConnectionError("the connection is not open")
        return self._channel


class _Transport(aiormq.TransportFactory):
    """The connection's socket, so that it can be dropped at once: aiormq would say goodbye, and wait for an answer."""

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None

    async def create(self, url: URL, **_: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """See aiormq."""
        assert url.host is not None
        reader, self._writer = await asyncio.open_connection(url.host, url.port)
        return reader, self._writer

    def abort(self) -> None:
        """Nothing that is still to be sent is sent. Idempotent."""
        if self._writer is not None:
            self._writer.transport.abort()


@contextlib.asynccontextmanager
async def _its_own_ends() -> AsyncIterator[None]:
    """However aiormq ends what is under way when its connection is gone, raises OSError or Unclear.

    It may cancel it, or raise an Exception of no kind; who cancels us from outside is told apart.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise Unclear("the connection ended") from error
    except (Refused, OSError):
        raise
    except _FAILURES as error:
        raise Unclear(str(error) or type(error).__name__) from error
    except Exception as error:
        if type(error) is not Exception:
            raise
        raise Unclear("the connection ended") from error
