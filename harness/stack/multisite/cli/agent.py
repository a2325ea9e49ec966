"""`multisite agent` and the guard that it starts."""

import argparse
import asyncio

from ...kit.settings import ConfigError
from ..agent import guard as guarding
from ..agent.agent import Agent
from ..agent.docker_engine import DockerEngine
from ..agent.platform import Api
from ..agent.ports import EngineError
from ..agent.settings import EXAMPLE, load
from ..daemon.log import LineLog
from .failed import CommandFailed
from .output import say


def run(options: argparse.Namespace) -> None:
    """Run the agent until it is told to stop. Raises CommandFailed."""
    try:
        settings = load(options.config)
        engine = DockerEngine(settings.docker, settings.address)
    except (ConfigError, EngineError) as error:
        raise CommandFailed(str(error)) from error
    log = LineLog()

    async def work() -> None:
        platform = Api(settings.platform, settings.machine, settings.token)
        try:
            await Agent(settings, engine, platform, log).run()
        finally:
            await platform.close()

    asyncio.run(work())


def guard(options: argparse.Namespace) -> None:
    """End exclusive containers whose lease is over. Raises CommandFailed."""
    lock = guarding.locked(options.run)
    if lock is None:
        return
    try:
        guarding.Guard(options.run, DockerEngine(options.docker, "127.0.0.1"), LineLog()).run()
    except EngineError as error:
        raise CommandFailed(str(error)) from error


def example(_options: argparse.Namespace) -> None:
    """Print the settings."""
    say(EXAMPLE.rstrip("\n"))
