"""`multisite agent` and the guard that it starts."""

import argparse
import asyncio
from dataclasses import replace

from ...kit.ports import Log
from ...kit.settings import ConfigError
from ...kit.wireguard import WireGuardError
from ..agent import guard as guarding
from ..agent.agent import Agent, stopped
from ..agent.platform import Api
from ..agent.ports import EngineError
from ..agent.settings import EXAMPLE, AgentSettings, load
from ..daemon.log import LineLog
from ..network.spoke import Spoke
from .failed import CommandFailed
from .output import say


def run(options: argparse.Namespace) -> None:
    """Run the agent until it is told to stop. Raises CommandFailed."""
    try:
        settings = load(options.config)
        asyncio.run(_work(settings, LineLog()))
    except (ConfigError, EngineError, WireGuardError) as error:
        raise CommandFailed(str(error)) from error


async def _work(settings: AgentSettings, log: Log) -> None:
    platform = Api(settings.platform, settings.machine, settings.token)
    try:
        if settings.tunnel is None:
            await _containers(settings, platform, log)
            return
        spoke = Spoke(settings.tunnel, platform, log)
        tunnel = asyncio.create_task(spoke.run())
        containers = asyncio.create_task(_through(spoke, settings, platform, log))
        # Whichever ends first: a tunnel never does but by its error.
        await asyncio.wait((tunnel, containers), return_when=asyncio.FIRST_COMPLETED)
        for one in (containers, tunnel):
            if one.done():
                one.result()
            one.cancel()
    finally:
        await platform.close()


async def _through(spoke: Spoke, settings: AgentSettings, platform: Api, log: Log) -> None:
    """Containers, if there are any, where the tunnel leads."""
    if not settings.docker:
        await stopped()
        return
    await _containers(replace(settings, address=settings.address or await spoke.address()), platform, log)


async def _containers(settings: AgentSettings, platform: Api, log: Log) -> None:
    # A machine without Docker has no library for it either.
    from ..agent.docker_engine import DockerEngine

    await Agent(settings, DockerEngine(settings.docker, settings.address), platform, log).run()


def guard(options: argparse.Namespace) -> None:
    """End exclusive containers whose lease is over. Raises CommandFailed."""
    from ..agent.docker_engine import DockerEngine

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
