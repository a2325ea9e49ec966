"""The provider that is configured, and being certain that a node is off.

Runs in a thread of its own, so everything here may block, within its time limits.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .provider import Provider, ProviderError
from .settings import Stonith

TRIES = 3
BACKOFF_S = (1.0, 3.0)
CONFIRM_WITHIN_S = 30.0
ASK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Time:
    """A clock and a way to let time pass (seconds)."""

    now: Callable[[], float]
    sleep: Callable[[float], object]


def provider_of(stonith: Stonith) -> Provider:
    """The configured provider. Raises ProviderError where its files cannot be read."""
    if stonith.proxmox is not None:
        from .proxmox import Proxmox

        return Proxmox(stonith.proxmox, stonith.nodes)
    if stonith.webhook is not None:
        from .webhook import Webhook

        return Webhook(stonith.webhook, stonith.nodes)
    if stonith.command is not None:
        from .command import Command

        return Command(stonith.command)
    raise ProviderError("stonith.provider is not set")


def switch_off(provider: Provider, node: str, time: Time) -> None:
    """Take the node's power and return when it is off for certain: three tries, 30 s each. Raises ProviderError."""
    for attempt in range(TRIES):
        try:
            provider.power_off(node)
            _confirm(provider, node, time)
            return
        except ProviderError as error:
            if attempt == TRIES - 1:
                raise ProviderError(f"{error} (after {TRIES} tries)") from error
        time.sleep(BACKOFF_S[attempt])


def _confirm(provider: Provider, node: str, time: Time) -> None:
    until_s = time.now() + CONFIRM_WITHIN_S
    while provider.power(node) != "off":
        if time.now() >= until_s:
            raise ProviderError(f"{node} is still on {CONFIRM_WITHIN_S:g} s after it was switched off")
        time.sleep(ASK_EVERY_S)
