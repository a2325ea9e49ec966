"""How a client of RabbitMQ tells what happened from what the broker says, or does not: over a socket, word for word."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pamqp.frame
import pytest
from pamqp import commands, header
from pamqp.body import ContentBody

from harness.subjects.dataservices.rabbitmq import RabbitmqClient
from harness.workloads.client import Refused, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import Route

HANGS_UP = "hangs up"


class Broker:
    """Speaks AMQP as RabbitMQ does; how it answers to what is published and taken is known beforehand."""

    def __init__(self, published: list[Any], taken: list[Any] | None = None, *, knows_him: bool = True) -> None:
        self._knows_him = knows_him
        self.declared: list[str] = []
        self.acknowledged: list[int] = []
        self.gone = asyncio.Event()
        self._published, self._taken = iter(published), iter(taken or [])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        self._send(writer, 0, commands.Connection.Start(server_properties=PROPERTIES, mechanisms="PLAIN"))
        have = b""
        try:
            while more := await reader.read(4096):
                have += more
                while have and (told := pamqp.frame.unmarshal(have))[0]:
                    length, channel, frame = told
                    have = have[length:]
                    for answer in self._answers(frame):
                        if answer == HANGS_UP:
                            return
                        self._send(writer, channel, answer)
                        await writer.drain()
        except (OSError, pamqp.exceptions.UnmarshalingException):
            pass
        finally:
            writer.close()
            self.gone.set()

    def _answers(self, frame: Any) -> Iterator[Any]:
        match frame:
            case commands.Connection.StartOk() if not self._knows_him:
                yield commands.Connection.Close(403, "ACCESS_REFUSED", 0, 0)
            case commands.Queue.Declare():
                self.declared.append(frame.queue)
                yield commands.Queue.DeclareOk(frame.queue, 0, 0)
            case commands.Basic.Get():
                yield from next(self._taken)
            case commands.Basic.Ack():
                self.acknowledged.append(frame.delivery_tag)
            case header.ContentHeader():
                self._message_id = frame.properties.message_id
            case ContentBody():
                yield from self._returned(next(self._published))
            case _ if type(frame) in GREETINGS:
                yield GREETINGS[type(frame)]

    def _returned(self, answers: list[Any]) -> Iterator[Any]:
        for answer in answers:
            if isinstance(answer, header.ContentHeader):
                answer.properties.message_id = self._message_id
            yield answer

    @staticmethod
    def _send(writer: asyncio.StreamWriter, channel: int, frame: Any) -> None:
        writer.write(pamqp.frame.marshal(frame, channel))


PROPERTIES: dict[str, Any] = {"capabilities": {"publisher_confirms": True, "basic.nack": True}}
GREETINGS: dict[type, Any] = {
    commands.Connection.StartOk: commands.Connection.Tune(channel_max=10, frame_max=4096),
    commands.Connection.Open: commands.Connection.OpenOk(),
    commands.Channel.Open: commands.Channel.OpenOk(),
    commands.Confirm.Select: commands.Confirm.SelectOk(),
}


def content(body: bytes) -> list[Any]:
    """A message as it is sent."""
    return [header.ContentHeader(body_size=len(body), properties=commands.Basic.Properties()), ContentBody(body)]


def returned() -> list[Any]:
    """A message that goes nowhere is given back, and then confirmed."""
    back = commands.Basic.Return(312, "NO_ROUTE", "", "q")
    return [back, *content(b"7")]


@asynccontextmanager
async def connected(broker: Broker, *, confirms: bool = True) -> AsyncIterator[RabbitmqClient]:
    """A client that is connected to such a broker."""
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        client = RabbitmqClient(Route(address="127.0.0.1", port=port), user="app", password="x", confirms=confirms)
        try:
            await client.open()
            yield client
        finally:
            client.close()


def asked(function: str, value: Any = None) -> Request:
    return Request(function=function, key="q", route=0, value=value)


async def test_what_is_confirmed_is_acknowledged() -> None:
    async with connected(Broker([[commands.Basic.Ack(1)]])) as client:
        assert await client.invoke(asked("enqueue", 7)) == 7


@pytest.mark.parametrize(
    "answer",
    [
        [commands.Basic.Nack(1)],
        [HANGS_UP],
        [commands.Channel.Close(541, "INTERNAL_ERROR", 60, 40)],
    ],
)
async def test_of_what_is_not_confirmed_nobody_knows(answer: list[Any]) -> None:
    async with connected(Broker([answer])) as client:
        with pytest.raises((Unclear, OSError)):
            await client.invoke(asked("enqueue", 7))
        assert client.at_stake


async def test_who_gives_up_waiting_hangs_up() -> None:
    broker = Broker([[]])
    async with connected(broker) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.invoke(asked("enqueue", 7))
        assert client.at_stake
        assert not broker.gone.is_set()
        client.close()
        await asyncio.wait_for(broker.gone.wait(), 5)


async def test_a_missing_queue_is_declared_and_the_message_published_again() -> None:
    broker = Broker([[*returned(), commands.Basic.Ack(1)], [commands.Basic.Ack(2)]])
    async with connected(broker) as client:
        assert await client.invoke(asked("enqueue", 7)) == 7
        assert broker.declared == ["q"]


async def test_a_queue_that_is_still_missing_refuses() -> None:
    broker = Broker([[*returned(), commands.Basic.Ack(1)], [*returned(), commands.Basic.Ack(2)]])
    async with connected(broker) as client:
        with pytest.raises(Refused, match="no queue q"):
            await client.invoke(asked("enqueue", 7))


async def test_a_message_is_taken_away_once_it_was_answered() -> None:
    broker = Broker([], [[commands.Basic.GetOk(5, False, "", "q", 0), *content(b"7")], [commands.Basic.GetEmpty()]])
    async with connected(broker) as client:
        assert await client.invoke(asked("dequeue")) == 7
        assert await client.invoke(asked("dequeue")) is None
        assert broker.acknowledged == [5]
        assert not client.at_stake


async def test_a_dequeue_without_an_answer_has_taken_nothing() -> None:
    broker = Broker([], [[HANGS_UP]])
    async with connected(broker) as client:
        with pytest.raises((Unclear, OSError)):
            await client.invoke(asked("dequeue"))
        assert not client.at_stake
        assert broker.acknowledged == []


async def test_without_confirms_what_was_sent_is_taken_for_acknowledged() -> None:
    async with connected(Broker([[]]), confirms=False) as client:
        assert await client.invoke(asked("enqueue", 7)) == 7


async def test_who_may_not_log_in_has_asked_nothing() -> None:
    with pytest.raises(OSError, match="ACCESS_REFUSED"):
        async with connected(Broker([], knows_him=False)):
            pass


async def test_where_nobody_listens_nothing_was_asked() -> None:
    client = RabbitmqClient(Route(address="127.0.0.1", port=1), user="app", password="x")
    with pytest.raises(OSError, match="Connect call failed"):
        await client.open()
    assert not client.at_stake
