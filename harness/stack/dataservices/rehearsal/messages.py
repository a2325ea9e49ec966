"""A client of RabbitMQ on a balancer, for its failover test: it publishes, notes what was confirmed, and compares.

With python3-aio-pika of the distribution. Usage:

messages.py through SECRETS QUEUE           whether a message goes through this balancer and comes back
messages.py write FOLDER SECRETS QUEUE      publish for ever, each number once
messages.py drain FOLDER SECRETS QUEUE      take all that is in the queue, and note it
messages.py compare FOLDER QUEUE            whether all that was confirmed was taken
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from .notes import acknowledged_in, longest_pause_s, secret_in

EVERY_S = 0.05
GIVEN_UP_AFTER_S = 2.0
"""A confirm may never come once whoever led the queue is gone: it was given nobody else's answer to wait for."""


def compare(folder: Path, queue: str) -> str:
    """What clients saw. Raises SystemExit unless all that was confirmed was taken."""
    noted = acknowledged_in((folder / queue).read_text(encoding="ascii"))
    taken = [int(line) for line in (folder / "taken").read_text(encoding="ascii").split()]
    missing = {*noted} - {*taken}
    if missing:
        raise SystemExit(f"{len(missing)} of {len(noted)} confirmed messages were not delivered")
    again, pause_s = len(taken) - len(set(taken)), longest_pause_s([*noted.values()])
    return f"{len(noted)} messages confirmed, none lost, {again} delivered again, longest pause {pause_s:.1f} s"


@contextlib.asynccontextmanager
async def connected(secrets: str, queue: str) -> AsyncIterator[tuple[Any, Any]]:
    """A channel by this balancer, with confirms, and the queue: no type is named, so it is what the server makes it."""
    import aio_pika

    async with asyncio.timeout(GIVEN_UP_AFTER_S):
        connection = await aio_pika.connect(
            host="127.0.0.1",
            login="app",
            password=secret_in(Path(secrets).read_text(encoding="ascii"), "RABBITMQ_APP_PASSWORD"),
            virtualhost="app",
        )
    try:
        async with asyncio.timeout(GIVEN_UP_AFTER_S):
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            declared = await channel.declare_queue(queue, durable=True)
        yield channel, declared
    finally:
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await asyncio.wait_for(connection.close(), GIVEN_UP_AFTER_S)


async def publish(channel: Any, queue: str, number: int) -> None:
    """Returns once it is confirmed; whether one that failed is there nobody knows, and nobody says."""
    import aio_pika

    message = aio_pika.Message(str(number).encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
    async with asyncio.timeout(GIVEN_UP_AFTER_S):
        await channel.default_exchange.publish(message, routing_key=queue, mandatory=True)


async def write(folder: Path, secrets: str, queue: str) -> None:
    """Publish for ever, each number once, beginning with an empty queue."""
    numbers, emptied = count(1), False
    with (folder / queue).open("a", encoding="ascii", buffering=1) as notes:
        while True:
            # Whatever is raised, what was not confirmed is not noted. A connection that ends cancels what waits for it.
            with contextlib.suppress(Exception, asyncio.CancelledError):
                async with connected(secrets, queue) as (channel, its_queue):
                    if not emptied:
                        await its_queue.purge()
                        emptied = True
                    for number in numbers:
                        await publish(channel, queue, number)
                        notes.write(f"{number} {time.monotonic()}\n")
                        await asyncio.sleep(EVERY_S)
            await asyncio.sleep(EVERY_S)


async def drain(folder: Path, secrets: str, queue: str) -> None:
    """Take everything: noted first, and only then taken away for good."""
    with (folder / "taken").open("a", encoding="ascii", buffering=1) as notes:
        async with connected(secrets, queue) as (_, its_queue):
            while (message := await its_queue.get(fail=False, timeout=GIVEN_UP_AFTER_S)) is not None:
                notes.write(f"{int(message.body)}\n")
                await message.ack()


async def through(secrets: str, queue: str) -> None:
    """Raises SystemExit unless a message that is published comes back, after those that were there before."""
    number = time.monotonic_ns()
    async with connected(secrets, queue) as (channel, its_queue):
        await publish(channel, queue, number)
        while (message := await its_queue.get(fail=False, timeout=GIVEN_UP_AFTER_S)) is not None:
            await message.ack()
            if int(message.body) == number:
                return
    raise SystemExit("a message that was confirmed did not come back")


def main(words: Sequence[str]) -> int:
    """The exit code."""
    match words:
        case ["through", secrets, queue]:
            asyncio.run(through(secrets, queue))
        case ["write", folder, secrets, queue]:
            asyncio.run(write(Path(folder), secrets, queue))
        case ["drain", folder, secrets, queue]:
            asyncio.run(drain(Path(folder), secrets, queue))
        case ["compare", folder, queue]:
            sys.stdout.write(f"{compare(Path(folder), queue)}\n")
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
